"""`tidings senders deactivations` against the simulated Twilio."""

from collections.abc import Iterator

import pytest

from app.simulator.application import create_app
from app.simulator.records import Sender
from app.simulator.server import Server
from app.simulator.world import World
from tests.cli.conftest import Shell


@pytest.fixture
def base() -> Iterator[str]:
    world = World()
    world.state.put_sender(Sender("+12025550198", "AC" + "0" * 32, "a-token-of-tests"))
    world.state.given_back["2026-11-20"] = ("+12025550101", "12025550177")
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    world.stopping.set()
    server.stop()


def test_a_day_is_counted_then_closed_and_what_cannot_be_is_said(newsdesk: Shell, base: str) -> None:
    newsdesk.ok(
        "senders", "add", "tested", "--gateway", "twilio", "--base-url", base, "--set", "account_sid=AC" + "0" * 32,
        "--set", f"auth_token=@{newsdesk.write('t.txt', 'a-token-of-tests')}", "--set", "from=+12025550198",
    )  # fmt: skip
    ask = ("senders", "deactivations", "tested", "--date", "2026-11-20")

    counted = newsdesk.ok(*ask, "--dry-run")
    done = newsdesk.json(*ask)

    assert counted == "2026-11-20: 2 numbers were given back; people of ours there: 1 would be closed\n"
    assert (done["numbers"], done["people"]) == (2, 1)
    assert newsdesk.json("suppressions", "check", "+12025550101") == {"suppressed": True}
    assert newsdesk.json("suppressions", "check", "+12025550177") == {"suppressed": False}
    none = newsdesk.run("senders", "deactivations", "tested", "--date", "2026-11-19")
    assert (none.exit_code, "Twilio has no list of this day" in none.stderr) == (1, True)
    ahead = newsdesk.run("senders", "deactivations", "tested", "--date", "2999-01-01")
    assert (ahead.exit_code, "is not over" in ahead.stderr) == (1, True)
