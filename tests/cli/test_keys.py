"""`tidings keys`: a fresh key, what stands under which, and a rotation typed as the guide says."""

import pytest

from app.config import make_master_key
from tests.cli.conftest import Shell
from tests.support.application import MASTER_KEY


def test_a_new_key_takes_over_as_the_guide_says(newsdesk: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = newsdesk.ok("keys", "new").strip()
    alone = newsdesk.run("keys", "rotate")
    monkeypatch.setenv("MASTER_KEY", fresh)
    monkeypatch.setenv("MASTER_KEY_PREVIOUS", f"-,{MASTER_KEY}")

    shown = newsdesk.json("keys", "show")
    done = newsdesk.json("keys", "rotate")

    assert len(fresh) == len(make_master_key())
    assert alone.exit_code == 1
    assert "There is only one key" in alone.output
    assert [row["version"] for row in shown] == [3, 1]
    assert done["data_keys"] >= 1
    assert MASTER_KEY not in str(shown)
    assert newsdesk.json("consent", "verify")["bad"] is None


def test_a_previous_key_that_is_none_is_named(newsdesk: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEY_PREVIOUS", "not a key")

    refused = newsdesk.run("keys", "show")

    assert refused.exit_code != 0
    assert "MASTER_KEY_PREVIOUS" in refused.output
