"""Viber in the simulator: the story of two subscribers of a bot, broadcasts, and what Viber refuses."""

import json

import pytest

from app.domain.messages import ErrorKind, HookRequest, found_by
from app.simulator.wire import Answer
from tests.gateways.samples.viber import SETTINGS
from tests.support.chat_city import ADA, GRACE, ChatCity, Platform
from tests.support.world import Newsroom

BOT = SETTINGS["uri"]


def test_people_open_subscribe_read_stop_and_come_back(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "viber", BOT, SETTINGS)
    city.comes(ADA, scene="city_poster7")
    assert city.shown(ADA) == [SETTINGS["welcome"]]
    assert city.state(ADA) is None  # to open the conversation is no consent
    city.says(ADA, "city_poster7")  # what the button of the welcome says
    city.says(GRACE, "CITY")
    assert [city.state(one) for one in (ADA, GRACE)] == ["active", "active"]

    assert city.broadcast("The bridge is open.") == ["delivered", "delivered"]
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    city.says(GRACE, "STOP")
    city.blocks(ADA)
    assert [city.state(one) for one in (ADA, GRACE)] == ["stopped", "stopped"]
    assert city.broadcast("Nobody reads this.") == []

    city.blocks(ADA, False)
    assert city.state(ADA) == "stopped"
    city.says(ADA, "CITY")
    assert city.broadcast("The road is open.") == ["delivered"]
    assert city.shown(ADA)[-1] == "The road is open."
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE)] == [1, 1]


@pytest.fixture
def bot() -> Platform:
    platform = Platform("viber", BOT, SETTINGS)
    platform.world.wire.send = lambda *_, **__: Answer(200, b"")  # type: ignore[method-assign]
    return platform


def kinds(bot: Platform, *people: str) -> list[ErrorKind | None]:
    return [one.error.kind if one.error else None for one in bot.send(*people)]


def person(number: str) -> str:
    return f"{number.removeprefix('+'):0>22}=="


def test_a_broadcast_names_those_whom_it_did_not_reach(bot: Platform) -> None:
    bot.world.chats.text(ADA, bot.account, "Hello")
    bot.world.chats.open(GRACE, bot.account)  # opened the conversation, and said nothing

    assert kinds(bot, person(ADA), person(GRACE), person("+12025550199")) == [
        None,
        ErrorKind.OPTED_OUT,
        ErrorKind.OPTED_OUT,
    ]
    assert (bot.shown(ADA), bot.shown(GRACE)) == (["Hello"], [])


def test_each_delivery_is_told_with_the_messages_token_and_signed(bot: Platform) -> None:
    bot.world.chats.text(ADA, bot.account, "Hello")
    heard: list[HookRequest] = []

    def hear(url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        heard.append(HookRequest(method, url, {name.lower(): value for name, value in headers.items()}, body))
        return Answer(200, b"")

    bot.world.wire.send = hear  # type: ignore[method-assign]
    (outcome,) = bot.send(person(ADA))
    bot.tell_later()

    bot.gateway.verify(heard[0])
    told = json.loads(heard[0].body)
    assert (told["event"], told["user_id"]) == ("delivered", person(ADA))
    assert outcome.provider_id == found_by(str(told["message_token"]), person(ADA))


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("0403", [ErrorKind.OPTED_OUT] * 2),
        ("0404", [ErrorKind.INVALID] * 2),
        ("0429", [ErrorKind.RATE_LIMITED, None]),
        ("0500", [ErrorKind.TEMPORARY, None]),
    ],
)
def test_some_people_misbehave(bot: Platform, digits: str, expected: list[ErrorKind | None]) -> None:
    bot.world.chats.text(f"+44770090{digits}", bot.account, "Hello")

    assert [kinds(bot, person(f"+44770090{digits}"))[0] for _ in range(2)] == expected


def test_what_viber_cannot_read_is_refused_with_a_status_and_200(bot: Platform) -> None:
    def status(path: str, token: str = SETTINGS["token"], **changes: object) -> int:
        body = {"type": "text", "text": "Hello", "sender": {"name": "City"}, "receiver": person(ADA)}
        answer = bot.client.post(
            f"/pa/{path}", json={**body, **changes}, headers={"X-Viber-Auth-Token": token}
        )
        assert answer.status_code == 200
        return answer.get_json()["status"]

    assert status("send_message", token="wrong") == 2
    assert status("send_message", sender={"name": "x" * 29}) == 3
    assert status("send_message", text="x" * 7001) == 3
    assert status("send_message", receiver=7) == 3
    assert status("broadcast_message", broadcast_list=[person(ADA)] * 301) == 3
    found = {status("broadcast_message", broadcast_list=[person(ADA)]) for _ in range(120)}
    assert found == {0, 12}
