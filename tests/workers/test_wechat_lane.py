"""WeChat from door to door: signed posts into the web application, jobs over real HTTP, the token in Redis."""

from collections.abc import Iterator

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app.clock import utcnow
from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.services.senders_of_lists import add_sender
from app.simulator.application import create_app as create_simulator
from app.simulator.messengers import Account
from app.simulator.server import Server
from app.simulator.wire import Answer
from app.simulator.world import World
from tests.gateways.samples.wechat_subscription import SETTINGS
from tests.support.world import Newsroom
from workers import jobs

ADA, GRACE = "+12025550143", "+447700900118"
HOOK = "http://127.0.0.1:9/hooks/city-wechat"


@pytest.fixture
def wechat(newsroom: Newsroom, app: Flask, valkey_url: str) -> Iterator[tuple[World, int, FlaskClient]]:
    """The simulated WeChat, our sender there, and a client of its own."""
    newsroom.now = utcnow()
    world = World()

    def post(url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        answer = app.test_client().post(url.removeprefix("http://127.0.0.1:9"), data=body, headers=headers)
        return Answer(answer.status_code, answer.data)

    world.wire.send = post  # type: ignore[method-assign]
    world.chats.put(Account("wechat", "gh_1", HOOK, settings=SETTINGS))
    simulator = create_simulator(world, later=lambda job: None)
    server = Server("127.0.0.1", 0, simulator)
    server.start()
    sender_id = add(
        name="city-wechat",
        gateway=gateway_class("wechat"),
        settings=SETTINGS,
        base_url=f"http://127.0.0.1:{server.port}",
        rate=100.0,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    ).id
    add_sender("CITY", "city-wechat", by="tests", now=newsroom.now)
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    yield world, sender_id, simulator.test_client()
    server.stop()


def shown(world: World, phone: str) -> list[str]:
    return [one.text for one in world.conversations.bubbles(phone) if one.kind == "in"]


def retire_our_token(client: FlaskClient) -> None:
    """Somebody else asks for another one."""
    who = {"appid": SETTINGS["app_id"], "secret": SETTINGS["app_secret"], "force_refresh": True}
    answer = client.post("/cgi-bin/stable_token", json=who)
    assert answer.get_json()["access_token"]


def test_followers_join_and_read_a_broadcast_once_though_our_token_is_retired_between(
    newsroom: Newsroom, wechat: tuple[World, int, FlaskClient]
) -> None:
    world, sender_id, client = wechat
    account = world.chats.accounts["gh_1"]
    answers = [world.chats.text(phone, account, "CITY") for phone in (ADA, GRACE)]
    assert [(one.status, one.body) for one in answers if one] == [(200, b"success")] * 2
    jobs.drain(sender_id, replies_only=True)
    assert [len(shown(world, phone)) for phone in (ADA, GRACE)] == [2, 2]  # what there is, and the welcome

    retire_our_token(client)
    newsroom.broadcast("The bridge is open.")
    jobs.drain(sender_id)

    assert [shown(world, phone)[2:] for phone in (ADA, GRACE)] == [["The bridge is open."]] * 2
