"""`tidings lists links` where the platform alone can make a link: the simulated WeChat is asked over real sockets."""

from collections.abc import Iterator

import pytest
import redis

from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.server import Server
from app.simulator.world import World
from tests.cli.conftest import Shell
from tests.gateways.samples.wechat import SETTINGS


@pytest.fixture
def simulator() -> Iterator[tuple[World, str]]:
    world = World()
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    yield world, f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture
def wechat(shell: Shell, simulator: tuple[World, str], valkey_url: str) -> World:
    world, base_url = simulator
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    shell.ok("db", "upgrade")
    given = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    shell.ok("senders", "add", "city-wechat", "--gateway", "wechat", "--base-url", base_url, *given)
    shell.ok("lists", "create", "City", "--keyword", "CITY", "--purpose", "News of the city")
    return world


def test_a_code_is_drawn_with_a_token_that_the_next_question_shares(
    shell: Shell, wechat: World, valkey_url: str
) -> None:
    wechat.chats.put(Account("wechat", "gh_1", settings=SETTINGS))

    first, second = (shell.json("lists", "links", "City", "--source", "poster-7") for _ in range(2))

    assert first[0]["payload"] == "city_poster-7"
    assert first[0]["link"].startswith("http://weixin.qq.com/q/")
    assert second[0]["link"]
    with redis.Redis.from_url(valkey_url) as client:
        assert len(client.keys("tidings:{token:*}:token")) == 1


def test_why_no_code_was_drawn_is_said(shell: Shell, wechat: World) -> None:
    result = shell.run("lists", "links", "City")

    assert result.exit_code == 1
    assert "The provider made no link" in result.output
    assert "40013" in result.output
