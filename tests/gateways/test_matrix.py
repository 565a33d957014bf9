"""Matrix where it differs from the others: rooms as routes, invitations, transactions, and what a chat is not."""

import json
from typing import Any

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Event, EventKind, PlatformSignal, Recipient
from app.gateways.base import BadSignature, Call, Errand, Gateway
from app.gateways.matrix import MatrixGateway
from app.gateways.registry import build
from tests.gateways.sample import HOOK
from tests.gateways.samples.matrix import (
    ADA,
    AS_TOKEN,
    BOT,
    GRACE,
    HS_TOKEN,
    INVITED,
    LEFT,
    ROOM,
    SETTINGS,
    asked,
    event,
    member,
    said,
    transaction,
)

ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


def gateway() -> Gateway:
    return build("matrix", SETTINGS, None)


def parsed(*events: object) -> list[Event]:
    return list(gateway().parse(transaction(*events)))


def words(found: dict[str, Any]) -> str | None:
    (event,) = parsed(found)
    return event.message.text if event.message else None


def asks(call: Call) -> tuple[str, str, object]:
    return call.method, call.url, json.loads(call.body)


def test_a_message_goes_into_the_persons_room_under_a_transaction_of_the_delivery() -> None:
    def calls(text: str, callback: str = HOOK, room: str = ROOM) -> Call:
        one = Recipient(DeliveryRef(12, 345), Address("matrix", ADA), text, room)
        (call,) = gateway().encode(Batch((one,), callback))
        return call

    call = calls("Hello")

    start = (
        "https://matrix.example.org/_matrix/client/v3/rooms/%21chat-of-ada%3Aexample.org/send/m.room.message/"
    )
    assert call.url.startswith(start + "12.345.0-")
    assert asks(call)[::2] == ("PUT", {"msgtype": "m.text", "body": "Hello"})
    assert call.headers["Authorization"] == f"Bearer {AS_TOKEN}"
    again = [calls("Hello").url, calls("Hello!").url, calls("Hello", "https://other.example.org/hooks/x").url]
    assert [url == call.url for url in again] == [True, False, False]


def test_the_longest_text_fits_into_an_event_whatever_it_is_made_of() -> None:
    longest = gateway().capabilities().max_text

    for sign in ("\n", '"', "ü", "🌍"):
        text = sign * (longest // len(sign.encode()))
        event = json.dumps({"content": {"msgtype": "m.text", "body": text}}, ensure_ascii=False)
        assert len(event.encode()) < 65_536 - 1_000


def test_an_invitation_into_a_room_for_two_is_accepted_before_it_counts() -> None:
    (invited,) = parsed(INVITED)

    assert isinstance(invited, Errand)
    assert invited.signal is not None
    assert (invited.signal.signal, invited.signal.address.value) == (PlatformSignal.FOLLOWED, ADA)
    assert invited.signal.route == ROOM
    rooms = "https://matrix.example.org/_matrix/client/v3/rooms/%21chat-of-ada%3Aexample.org"
    assert [asks(call) for call in invited.first] == [("POST", f"{rooms}/join", {})]
    assert invited.then == ()


@pytest.mark.parametrize(
    "invitation",
    [member(2, "invite", BOT), member(2, "invite", BOT, is_direct=True, state=[ENCRYPTED])],
    ids=["room for many", "encrypted"],
)
def test_rooms_in_which_we_are_wrong_are_declined_with_the_reason(invitation: dict[str, Any]) -> None:
    (declined,) = parsed(invitation)

    assert isinstance(declined, Errand)
    assert (declined.kind, declined.signal) == (EventKind.IGNORED, None)
    ((method, url, body),) = [asks(call) for call in declined.first]
    assert (method, url.endswith("/leave")) == ("POST", True)
    assert "direct chat without encryption" in json.dumps(body)


def test_whoever_leaves_or_puts_us_out_has_left_and_we_do_not_stay_alone() -> None:
    left, put_out, banned = parsed(LEFT, member(4, "leave", BOT), member(5, "ban", GRACE, sender=ADA))

    signals = [one.signal for one in (left, put_out, banned) if one.signal]
    assert [(one.signal, one.address.value) for one in signals] == [
        (PlatformSignal.LEFT, ADA),
        (PlatformSignal.LEFT, ADA),
        (PlatformSignal.LEFT, GRACE),
    ]
    assert isinstance(left, Errand)
    assert isinstance(put_out, Errand)
    assert [call.url.rpartition("/")[2] for call in left.then] == ["leave"]
    assert (left.first, put_out.then) == ((), ())


def test_our_own_deeds_and_what_is_no_text_of_a_person_are_of_no_interest() -> None:
    ours = [
        said(1, "Hello", sender=BOT),
        member(2, "join", BOT, sender=BOT),
        member(3, "leave", BOT, sender=BOT),
    ]
    theirs = [
        member(4, "join", ADA, displayname="Ada Okafor"),
        member(5, "invite", GRACE),
        event(6, "m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "key": "👍"}}),
        event(7, "m.room.topic", {"topic": "STOP"}, state_key=""),
        said(8, "I am a machine, too", msgtype="m.notice"),
        said(9, "STOP", sender="@" + "a" * 200 + ":example.org"),
        {**said(10, "STOP"), "room_id": "!\ud800"},
        {**said(11, "STOP"), "event_id": 7},
        "STOP",
    ]

    assert {one.kind for one in parsed(*ours, *theirs)} == {EventKind.IGNORED}


def test_the_words_that_count_are_the_persons_own() -> None:
    quoting = {"m.relates_to": {"m.in_reply_to": {"event_id": "$ours"}}}
    edit = {"m.relates_to": {"rel_type": "m.replace"}, "m.new_content": {"msgtype": "m.text", "body": "STOP"}}

    assert (
        words(said(1, "> <@city:example.org> Reply STOP to end.\n> HELP for help.\n\nThanks", **quoting))
        == "Thanks"
    )
    assert words(said(2, "> 3 is my guess")) == "> 3 is my guess"
    assert words(said(3, "* STOP", **edit)) == "STOP"
    assert words(said(4, "waves", msgtype="m.emote")) == "waves"
    assert words(said(5, "cat.jpg", msgtype="m.image", url="mxc://x/y")) == ""
    assert words(said(6, "STOP", msgtype="m.image", filename="cat.jpg")) == "STOP"
    assert words(event(7, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2"})) == ""
    assert words(said(8, "ST\x00OP \ud83d")) == "STOP ?"


def test_a_message_tells_when_and_where_it_was_said_and_a_long_id_is_shortened() -> None:
    (told,) = parsed({**said(1, "Hello"), "event_id": "$" + "x" * 240 + ":example.org"})

    assert told.message is not None
    assert told.message.route == ROOM
    assert told.message.sent_at is not None
    assert told.message.sent_at.year == 2026
    assert len(told.message.external_id) == 64


def test_the_server_may_ask_for_the_bot_and_for_nobody_else() -> None:
    def status(path: str) -> int:
        answer = gateway().handshake(asked("GET", f"_matrix/app/v1/{path}"))
        assert answer is not None
        return answer.status

    assert [status(f"users/{BOT}"), status(f"users/{ADA}"), status("rooms/#city:example.org")] == [
        200,
        404,
        404,
    ]
    with pytest.raises(BadSignature):
        gateway().handshake(asked("GET", f"_matrix/app/v1/users/{BOT}", token=AS_TOKEN))


def test_it_takes_what_an_application_service_is_asked_and_nothing_else() -> None:
    takes = gateway().takes

    assert takes("PUT", "_matrix/app/v1/transactions/7")
    assert takes("POST", "_matrix/app/v1/ping")
    assert takes("GET", f"_matrix/app/v1/users/{BOT}")
    refused = [
        ("POST", ""),
        ("POST", "_matrix/app/v1/transactions/7"),
        ("GET", "_matrix/app/v1/thirdparty/protocol/x"),
    ]
    assert not any(takes(method, path) for method, path in refused)
    assert gateway().parse(asked("POST", "_matrix/app/v1/ping", b'{"transaction_id": "t1"}')) == []


def test_the_registration_names_the_hook_both_tokens_and_the_bots_name_alone() -> None:
    registration = MatrixGateway({**SETTINGS, "bot": "@city.desk:Example.org"}).registration(HOOK)

    assert registration.splitlines() == [
        'id: "tidings-city.desk"',
        f'url: "{HOOK}"',
        f'as_token: "{AS_TOKEN}"',
        f'hs_token: "{HS_TOKEN}"',
        'sender_localpart: "city.desk"',
        "rate_limited: false",
        "receive_ephemeral: false",
        "namespaces:",
        "  users:",
        "    - exclusive: true",
        '      regex: "^@city\\\\.desk:example\\\\.org$"',
    ]
