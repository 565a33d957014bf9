"""`tidings gateways` says, to people and to programs, which gateways there are and what each can do."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands.gateways import gateways
from app.gateways.registry import GATEWAYS

# The channels of the story: none may be lost by mistake.
OF_THE_STORY = {
    "twilio", "whatsapp", "telegram", "messenger", "line", "wechat", "viber", "xmpp", "matrix", "kannel", "smpp",
    "http_sms", "webpush", "inapp", "vonage", "infobip", "plivo", "bandwidth", "messagebird", "sinch", "africastalking",
    "clickatell", "clickatell_one", "telnyx",
}  # fmt: skip


def test_every_gateway_is_listed_for_programs_with_what_it_can_do() -> None:
    answer = CliRunner().invoke(gateways, ["--json"])

    found = {one["name"]: one for one in json.loads(answer.stdout)}
    assert set(found) == set(GATEWAYS)
    assert found.keys() >= OF_THE_STORY
    assert found["messenger"]["capabilities"]["window"] == 24 * 3600
    assert found["twilio"]["capabilities"]["receipts"] == ["delivered", "failed", "sent"]
    assert found["wechat"]["capabilities"]["quota"]["count"] == 4
    photo = found["telegram"]["capabilities"]["media"][0]
    assert (photo["types"], photo["most"], photo["caption"]) == (["image/jpeg", "image/png"], 5_242_880, 1024)
    assert (photo["source"], photo["read"]) == (
        "https://core.telegram.org/bots/api#sending-files",
        "2026-11-28",
    )
    assert {
        "name": "auth_token",
        "secret": True,
        "example": "your account's auth token",
        "required": True,
        "help": "",
    } in (found["twilio"]["settings"])


def test_the_day_of_a_table_and_what_the_operator_changed_in_it_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDINGS_HOME", str(tmp_path))
    (tmp_path / "codes").mkdir()
    own = tmp_path / "codes" / "twilio.toml"
    own.write_text("content = [30003]", encoding="utf-8")

    found = {one["name"]: one for one in json.loads(CliRunner().invoke(gateways, ["--json"]).stdout)}
    lines = CliRunner().invoke(gateways, []).stdout.splitlines()
    own.unlink()
    nothing_changed = CliRunner().invoke(gateways, []).stdout

    assert found["twilio"]["codes"] == {"version": "2026-11-29", "changed": {"30003": "content"}}
    assert found["telegram"]["codes"] == {"version": "", "changed": {}}
    assert lines[-1] == "twilio code 30003: content, by a file of yours"
    assert "by a file of yours" not in nothing_changed


def test_people_get_a_line_for_each() -> None:
    lines = CliRunner().invoke(gateways, []).stdout.splitlines()

    helped = [spec for kind in GATEWAYS.values() for spec in kind.settings if spec.help]
    assert len(lines) == len(GATEWAYS) + 1 + len(helped)
    assert any(line.startswith("twilio deactivations=yes: Ask Twilio once a day") for line in lines)
    assert any(line.startswith("telegram") and "left" in line for line in lines)
    assert any(line.startswith("viber") and " image " in line for line in lines)
