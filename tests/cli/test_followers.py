"""`tidings senders followers` against the simulated LINE."""

from collections.abc import Iterator

import pytest

from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.server import Server
from app.simulator.world import World
from tests.cli.conftest import Shell
from tests.gateways.samples.line import SETTINGS


@pytest.fixture
def world() -> World:
    world = World()
    world.chats.put(Account("line", SETTINGS["id"], settings=dict(SETTINGS)))
    return world


@pytest.fixture
def base(world: World) -> Iterator[str]:
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    world.stopping.set()
    server.stop()


def test_followers_are_counted_and_what_cannot_be_read_is_said(
    newsdesk: Shell, base: str, world: World
) -> None:
    newsdesk.ok(
        "senders", "add", "city-line", "--gateway", "line", "--base-url", base,
        "--set", f"channel_token=@{newsdesk.write('t.txt', SETTINGS['channel_token'])}",
        "--set", f"channel_secret=@{newsdesk.write('s.txt', SETTINGS['channel_secret'])}", "--set", "id=@citydesk",
    )  # fmt: skip
    world.chats.opened.add(("+12025550143", "@citydesk"))

    assert newsdesk.ok("senders", "followers", "city-line", "--dry-run") == (
        "1 followers; of 0 people of ours, 0 are not among them\n"
    )
    assert newsdesk.json("senders", "followers", "city-line")["outcome"] == "read"
    world.chats.put(Account("line", SETTINGS["id"], settings={**SETTINGS, "verified": "no"}))
    refused = newsdesk.run("senders", "followers", "city-line")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "The followers of city-line cannot be read: LINE lists the followers of verified and premium accounts only "
        "(Access to this API is not available for your account).\n"
    )
