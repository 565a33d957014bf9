"""`tidings senders connect`: a Telegram of its own over real sockets, and those who have no such API."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request

from app.simulator.server import Server
from tests.cli.conftest import Shell

TOKEN = "123456:" + "a" * 35
HOOK = "http://localhost/hooks/city-telegram"


class Telegram:
    """Keeps the webhook that it was given; `ok` turned off, it refuses all."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.ok = True
        self.app = Flask("telegram")
        self.app.add_url_rule(f"/bot{TOKEN}/setWebhook", view_func=self.set_webhook, methods=["POST"])
        self.app.add_url_rule(f"/bot{TOKEN}/getWebhookInfo", view_func=self.get_info, methods=["POST"])

    def set_webhook(self) -> tuple[dict[str, Any], int]:
        if not self.ok:
            return {"ok": False, "description": "Bad Request: bad webhook: IP address is reserved"}, 400
        self.told = dict(request.get_json())
        return {"ok": True, "result": True}, 200

    def get_info(self) -> dict[str, Any]:
        return {"ok": True, "result": {"url": self.told["url"], "pending_update_count": 0}}


@pytest.fixture
def telegram(shell: Shell) -> Iterator[Telegram]:
    played = Telegram()
    server = Server("127.0.0.1", 0, played.app)
    server.start()
    shell.ok("db", "upgrade")
    shell.ok(
        "senders", "add", "city-telegram", "--gateway", "telegram", "--base-url", f"http://127.0.0.1:{server.port}",
        "--set", f"token={TOKEN}", "--set", "bot=CityDeskBot", "--set", "secret=a-secret-of-tests-1234",
    )  # fmt: skip
    yield played
    server.stop()


def deeds(shell: Shell) -> list[str]:
    """What the audit log says of registrations."""
    found = [str(one["what"]) for one in shell.json("audit", "list")]
    return [one for one in found if one.startswith("sender.connect")]


def test_the_provider_is_told_and_asked(shell: Shell, telegram: Telegram) -> None:
    found = shell.json("senders", "connect", "city-telegram")

    assert (telegram.told["url"], telegram.told["secret_token"]) == (HOOK, "a-secret-of-tests-1234")
    assert found["hook"] == HOOK
    assert HOOK in found["done"][0]
    assert found["left"] == []
    assert deeds(shell) == ["sender.connect"]


def test_why_it_did_not_work_is_said_and_no_secret_with_it(shell: Shell, telegram: Telegram) -> None:
    telegram.ok = False

    result = shell.run("senders", "connect", "city-telegram")

    assert result.exit_code == 1
    assert "IP address is reserved" in result.output
    assert TOKEN not in result.output
    assert deeds(shell) == ["sender.connect_refused"]


def test_whoever_has_no_api_for_it_is_told_what_to_enter(shell: Shell) -> None:
    shell.ok("db", "upgrade")
    shell.ok(
        "senders", "add", "local", "--gateway", "telnyx", "--set", "api_key=KEY1",
        "--set", "from=+12025550100", "--set", "hook_secret=a-secret-of-tests-1234",
    )  # fmt: skip

    said = shell.ok("senders", "connect", "local")

    assert "Left to do" in said
    assert "http://localhost/hooks/local" in said
    assert "a-secret-of-tests" not in said
    assert deeds(shell) == []


def test_an_unknown_sender_is_named(shell: Shell) -> None:
    shell.ok("db", "upgrade")

    assert "There is no sender" in shell.run("senders", "connect", "nobody").output


def test_a_platform_that_tells_no_quota_is_named(shell: Shell, telegram: Telegram) -> None:
    result = shell.run("senders", "quota", "city-telegram")

    assert result.exit_code == 1
    assert "telegram tells no such numbers" in result.output
    assert deeds(shell) == []
