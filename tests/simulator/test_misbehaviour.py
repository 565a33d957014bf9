"""Planned faults and the list of messages hold for every provider, not for Twilio alone."""

import time
from collections.abc import Iterator

import pytest
import requests

from app.domain.messages import ErrorKind
from app.simulator.application import create_app
from app.simulator.server import Server
from app.simulator.telegram_api import TelegramMessenger
from tests.gateways.samples.line import SETTINGS as LINE
from tests.gateways.samples.telegram import SETTINGS as TELEGRAM
from tests.support.chat_city import ADA, Platform


@pytest.fixture
def bot() -> Platform:
    platform = Platform("telegram", f"@{TELEGRAM['bot']}", TELEGRAM)
    platform.world.chats.opened.add((ADA, platform.account.address))
    return platform


@pytest.fixture
def address(bot: Platform) -> Iterator[str]:
    server = Server("127.0.0.1", 0, create_app(bot.world))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    bot.world.stopping.set()
    server.stop()


def plan(bot: Platform, **faults: float) -> None:
    assert bot.client.post("/control/failures", json=faults).status_code == 200


def chat() -> str:
    return TelegramMessenger().id_of(ADA)


def send(bot: Platform) -> ErrorKind | None:
    (outcome,) = bot.send(chat())
    return outcome.error.kind if outcome.error else None


def test_a_messenger_refuses_and_limits_as_planned_and_nothing_arrives(bot: Platform) -> None:
    plan(bot, error_rate=1)
    assert send(bot) is ErrorKind.TEMPORARY
    plan(bot, throttle_rate=1)
    assert send(bot) is ErrorKind.RATE_LIMITED
    assert bot.shown(ADA) == []

    plan(bot)
    assert send(bot) is None
    assert bot.shown(ADA) == ["Hello"]


@pytest.mark.parametrize(("fault", "arrived"), [("drop_rate", 0), ("lost_reply_rate", 1)])
def test_a_cut_connection_is_cut_before_or_after_the_message_was_taken(
    bot: Platform, address: str, fault: str, arrived: int
) -> None:
    plan(bot, **{fault: 1})
    body = {"chat_id": chat(), "text": "Hello"}

    with pytest.raises(requests.ConnectionError):
        requests.post(f"{address}/bot{TELEGRAM['token']}/sendMessage", json=body, timeout=10)
    assert len(bot.shown(ADA)) == arrived
    assert requests.get(f"{address}/control/state", timeout=10).status_code == 200


def test_the_control_api_lists_what_reached_people_on_a_messenger(bot: Platform) -> None:
    send(bot)
    found = bot.client.get("/control/messages", query_string={"account": bot.account.address}).get_json()

    (message,) = found["messages"]
    assert (message["to"], message["body"], message["has_file"]) == (ADA, "Hello", False)
    other = {"account": bot.account.address, "to": "+447700900118"}
    assert bot.client.get("/control/messages", query_string=other).get_json() == {"messages": []}
    unknown = bot.client.get("/control/messages", query_string={"account": LINE["id"]})
    assert unknown.status_code == 404
    assert "PUT /control/accounts" in unknown.get_json()["error"]


@pytest.mark.parametrize(("ending", "seconds"), [("0408", 2.9), ("0504", 0.0)])
def test_a_number_asks_for_an_answer_that_is_late_or_never_comes(
    bot: Platform, address: str, ending: str, seconds: float
) -> None:
    phone = f"+44770090{ending}"
    bot.world.chats.opened.add((phone, bot.account.address))
    body = {"chat_id": TelegramMessenger().id_of(phone), "text": "Hello"}
    began = time.monotonic()

    try:
        answer = requests.post(f"{address}/bot{TELEGRAM['token']}/sendMessage", json=body, timeout=4)
    except requests.exceptions.ReadTimeout:
        assert ending == "0504"
    else:
        assert (answer.status_code, ending) == (200, "0408")
    assert time.monotonic() - began > seconds
    assert [one.text for one in bot.world.chats.arrived(number=phone)] == ["Hello"]  # it came all the same


def test_a_reset_makes_what_fails_once_fail_anew(bot: Platform) -> None:
    phone = "+447700900500"

    def ends() -> list[ErrorKind | None]:
        bot.world.chats.opened.add((phone, bot.account.address))
        outcomes = [bot.send(TelegramMessenger().id_of(phone))[0] for _ in range(2)]
        return [one.error.kind if one.error else None for one in outcomes]

    first = ends()
    bot.client.post("/control/reset", json={})
    assert (first, ends()) == ([ErrorKind.TEMPORARY, None], [ErrorKind.TEMPORARY, None])
