"""Telegram in the simulator: our gateway and its Bot API understand each other, blocks and limits included."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.domain.addresses import Address
from app.domain.in_place import InPlace
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    EventKind,
    HookRequest,
    Outcome,
    PlatformSignal,
    Recipient,
    Standing,
)
from app.gateways.base import Reply
from app.gateways.telegram import TelegramGateway
from app.simulator.application import create_app
from app.simulator.messengers import Account, BadAccount, read_account
from app.simulator.snapshot import load, save
from app.simulator.world import World
from tests.gateways.samples.telegram import SETTINGS

ADA = "+12025550143"
CHAT = ADA.removeprefix("+")


class Hook:
    """The product's end: what was posted, in the shape that a gateway reads."""

    def __init__(self) -> None:
        self.requests: list[HookRequest] = []

    def send(self, url: str, body: bytes, headers: dict[str, str], method: str):
        lower = {name.lower(): value for name, value in headers.items()}
        self.requests.append(HookRequest(method, url, lower, body))
        return type("Answer", (), {"status": 200, "taken": True, "body": b""})()


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def world(hook: Hook) -> World:
    world = World()
    world.wire.send = hook.send  # type: ignore[method-assign]
    settings = {"token": SETTINGS["token"], "secret": SETTINGS["secret"]}
    world.chats.put(Account("telegram", "@CityDeskBot", "http://127.0.0.1:9/hooks/bot", settings=settings))
    return world


def gateway() -> TelegramGateway:
    return TelegramGateway(SETTINGS, "http://simulator")


def send(world: World, chat: str, text: str = "Hello", client: FlaskClient | None = None) -> Outcome:
    """Hand a message over as our lane does."""
    person = Recipient(DeliveryRef(1, 2), Address("telegram", chat), text)
    return hand_over(client or create_app(world).test_client(), person)


def change(client: FlaskClient, act: InPlace, provider_id: str | None, text: str = "") -> Outcome:
    """Change a message as our lane does."""
    stands = Standing(act, DeliveryRef(1, 2), provider_id or "")
    person = Recipient(DeliveryRef(3, 2), Address("telegram", CHAT), text, replaces=stands)
    return hand_over(client, person)


def hand_over(client: FlaskClient, person: Recipient) -> Outcome:
    (call,) = gateway().encode(Batch((person,), ""))
    answer = client.post(
        call.url.removeprefix("http://simulator"), data=call.body, headers=dict(call.headers)
    )
    (outcome,) = gateway().decode(call, Reply(answer.status_code, answer.data))
    return outcome


def open_chat(world: World) -> None:
    world.chats.text(ADA, world.chats.accounts["@CityDeskBot"], "/start city_poster7")


def test_whoever_starts_the_bot_gets_messages_once_each(world: World, hook: Hook) -> None:
    assert send(world, CHAT).error.kind is ErrorKind.INVALID  # type: ignore[union-attr]
    open_chat(world)

    gateway().verify(hook.requests[0])
    (event,) = gateway().parse(hook.requests[0])
    assert event.kind is EventKind.MESSAGE
    assert event.message is not None
    assert (event.message.address.value, event.message.payload) == (CHAT, "city_poster7")
    outcomes = [send(world, CHAT, f"News {number}") for number in (1, 2)]
    assert [one.error for one in outcomes] == [None, None]
    shown = [(one.kind, one.channel, one.text) for one in world.conversations.bubbles(ADA)]
    assert shown[1:] == [("in", "telegram", "News 1"), ("in", "telegram", "News 2")]
    assert world.chats.counts() == {"total": 2, "distinct": 1, "duplicates": 0}


def test_a_block_is_told_and_holds_until_it_is_lifted(world: World, hook: Hook) -> None:
    open_chat(world)
    account = world.chats.accounts["@CityDeskBot"]

    world.chats.block(ADA, account, True)
    blocked = send(world, CHAT)
    world.chats.block(ADA, account, False)

    assert blocked.error is not None
    assert blocked.error.kind is ErrorKind.BLOCKED
    assert send(world, CHAT).error is None
    signals = [gateway().parse(request)[0].signal for request in hook.requests[1:]]
    assert [one.signal for one in signals if one] == [PlatformSignal.LEFT, PlatformSignal.CAME_BACK]


@pytest.mark.parametrize(
    ("chat", "first", "second"),
    [
        ("10404", ErrorKind.INVALID, ErrorKind.INVALID),
        ("10403", ErrorKind.BLOCKED, ErrorKind.BLOCKED),
        ("10429", ErrorKind.RATE_LIMITED, ErrorKind.INVALID),
        ("10500", ErrorKind.TEMPORARY, ErrorKind.INVALID),
    ],
)
def test_some_chats_misbehave(world: World, chat: str, first: ErrorKind, second: ErrorKind) -> None:
    app = create_app(world)
    person = Recipient(DeliveryRef(1, 2), Address("telegram", chat), "Hello")
    (call,) = gateway().encode(Batch((person,), ""))
    kinds = []
    for _ in range(2):
        answer = app.test_client().post(
            call.url.removeprefix("http://simulator"), data=call.body, headers=dict(call.headers)
        )
        (outcome,) = gateway().decode(call, Reply(answer.status_code, answer.data))
        kinds.append(outcome.error.kind if outcome.error else None)

    assert kinds == [first, second]


def test_too_long_too_fast_and_a_wrong_token_are_refused(world: World) -> None:
    open_chat(world)
    app = create_app(world)

    def status(text: str, token: str = SETTINGS["token"]) -> int:
        body = {"chat_id": CHAT, "text": text}
        return app.test_client().post(f"/bot{token}/sendMessage", json=body).status_code

    assert [status("x" * 4097), status(" "), status("x", "1:wrong")] == [400, 400, 401]
    assert {status(f"x{number}") for number in range(60)} == {200, 429}


def test_an_account_that_cannot_be_is_named() -> None:
    world = World()

    for wrong, word in (
        ({"channel": "pigeon", "address": "x"}, "not simulated"),
        ({"channel": "telegram"}, "address"),
        (
            {"channel": "telegram", "address": "@x", "webhook_url": "https://example.org"},
            "not on this machine",
        ),
        ({"channel": "telegram", "address": "@x", "settings": {"token": 7}}, "settings"),
    ):
        with pytest.raises(BadAccount, match=word):
            world.chats.put(read_account(wrong))


def test_a_message_is_edited_and_deleted_on_the_phone_and_the_page_says_so(world: World) -> None:
    open_chat(world)
    client = create_app(world).test_client()
    first, second = (send(world, CHAT, f"News {number}", client).provider_id for number in (1, 2))

    edited = change(client, InPlace.EDIT, first, "Better news")
    again = change(client, InPlace.EDIT, first, "Better news")
    deleted = change(client, InPlace.DELETE, second)
    late = change(client, InPlace.EDIT, second, "Too late")

    assert edited == again == Outcome(DeliveryRef(3, 2), first)
    assert deleted == change(client, InPlace.DELETE, second) == Outcome(DeliveryRef(3, 2))
    assert late.error is not None
    assert late.error.kind is ErrorKind.UNCHANGEABLE
    shown = [(one.text, one.mark) for one in world.conversations.bubbles(ADA)][1:]
    assert shown == [("Better news", "edited"), ("", "deleted")]
    for language, words in (
        ("en", ("edited", "This message was deleted")),
        ("de", ("bearbeitet", "gelöscht")),
    ):
        page = client.get(f"/?lang={language}").text
        assert [one in page for one in words] == [True, True]
        assert "News 2" not in page


def test_a_blocked_bot_changes_nothing_and_a_changed_phone_outlives_a_restart(
    world: World, tmp_path: Path
) -> None:
    open_chat(world)
    client = create_app(world).test_client()
    first = send(world, CHAT, "News", client).provider_id
    change(client, InPlace.EDIT, first, "Better news")
    world.chats.block(ADA, world.chats.accounts["@CityDeskBot"], True)

    blocked = change(client, InPlace.EDIT, first, "Best news")
    save(world, tmp_path / "phones.json")
    load(restarted := World(), tmp_path / "phones.json")

    assert blocked.error is not None
    assert blocked.error.kind is ErrorKind.BLOCKED
    bubble = restarted.conversations.bubbles(ADA)[1]
    assert (bubble.text, bubble.mark, bubble.name) == ("Better news", "edited", first)
