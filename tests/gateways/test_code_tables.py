"""Tables of providers' codes, and an operator's own over them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import BadSettings, Settings
from app.domain.messages import ErrorKind
from app.factory import create_core
from app.gateways.base import Reply
from app.gateways.code_tables import BadCodes, codes_of, overrides_of, use_folder, version_of
from app.gateways.common import by_code
from app.gateways.http_sms import descriptions
from tests.gateways.sample import Sample
from tests.gateways.samples import SAMPLES
from tests.gateways.test_contract import bound, first_call

TABLES = ("matrix", "messenger", "signal", "smpp", "twilio", "viber", "wechat", "whatsapp")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    use_folder(tmp_path / "nothing is here")


@pytest.mark.parametrize("name", [*TABLES, *descriptions()])
def test_each_table_says_of_which_day_it_is(name: str) -> None:
    assert version_of(name) >= "2026-11"


def test_a_gateway_without_a_table_has_no_version() -> None:
    assert version_of("telegram") == ""


def test_an_operators_code_counts_and_all_others_stay(folder: Path) -> None:
    (folder / "twilio.toml").write_text("content = [30003]\ninvalid_address = [77777]\n", encoding="utf-8")

    use_folder(folder)

    assert [by_code("twilio", code).kind for code in ("30003", "77777", "21610")] == [
        ErrorKind.CONTENT,
        ErrorKind.INVALID,
        ErrorKind.OPTED_OUT,
    ]
    assert overrides_of("twilio") == {"30003": ErrorKind.CONTENT, "77777": ErrorKind.INVALID}
    use_folder(folder / "nothing is here")
    assert codes_of("twilio")["30003"] is ErrorKind.TEMPORARY


def test_a_provider_that_is_a_data_file_can_be_overridden_too(folder: Path) -> None:
    (folder / "telnyx.toml").write_text('blocked = ["40300"]\n', encoding="utf-8")
    sample: Sample = SAMPLES["telnyx"]
    reply = Reply(400, b'{"errors": [{"code": "40300", "detail": "STOP"}]}')

    use_folder(folder)

    (outcome,) = bound(sample).decode(first_call(sample), reply)
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.BLOCKED


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("twillio", "content = [1]", "there is no table 'twillio'. There are: .*twilio"),
        ("twilio", "annoyed = [1]", "'annoyed' is no kind of failure. There are: .*content"),
        ("twilio", "content = 30003", "content is a list of codes, such as"),
        ("twilio", "content = [1]\nblocked = [1]", "the code 1 stands there twice"),
        ("twilio", "content = [", "at end of document"),
    ],
)
def test_a_slip_is_named_with_the_file_and_changes_nothing(
    folder: Path, name: str, text: str, words: str
) -> None:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")

    with pytest.raises(BadCodes, match=rf"{name}\.toml: .*{words}"):
        use_folder(folder)
    assert codes_of("twilio")["30003"] is ErrorKind.TEMPORARY


def test_a_slip_stops_the_start(folder: Path) -> None:
    (folder / "codes").mkdir()
    (folder / "codes" / "twilio.toml").write_text("annoyed = [1]", encoding="utf-8")
    env = {
        "DATABASE_URL": "sqlite:///:memory:",
        "SECRET_KEY": "s" * 40,
        "MASTER_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "PUBLIC_URL": "http://localhost",
        "REDIS_URL": "redis://localhost:6379/0",
        "TIDINGS_HOME": str(folder),
    }

    with pytest.raises(BadSettings, match=r"codes/twilio\.toml: 'annoyed'"):
        create_core(Settings.from_env(env))
