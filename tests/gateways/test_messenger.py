"""Messenger where it differs from the others: links opened and pressed, echoes, and reports without our reference."""

import json

import pytest

from app.domain.addresses import Address
from app.domain.media.attached import Media
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    EventKind,
    PlatformSignal,
    ReceiptStatus,
    Recipient,
    found_by,
)
from app.gateways.base import Gateway, Reply
from app.gateways.registry import build
from tests.gateways.sample import HOOK, REF
from tests.gateways.samples.messenger import ADA, REFERRAL, SAMPLE, echo, event, told


def gateway() -> Gateway:
    return build("messenger", SAMPLE.settings, None)


def test_an_answer_is_a_response_and_the_token_is_not_in_the_address() -> None:
    people = tuple(
        Recipient(ref, Address("messenger", ADA), "x") for ref in (DeliveryRef(12, 345), DeliveryRef(1, 2, 3))
    )

    first, second = gateway().encode(Batch(people, HOOK))

    assert json.loads(first.body) == {
        "recipient": {"id": ADA},
        "messaging_type": "UPDATE",
        "message": {"text": "x", "metadata": f"tidings:{REF}"},
    }
    assert json.loads(second.body)["messaging_type"] == "RESPONSE"
    assert first.headers["Authorization"] == "Bearer a-pages-token"
    assert first.url.endswith("/v25.0/102030405060708/messages")


def test_a_link_that_was_only_opened_is_no_word_of_the_person() -> None:
    (heard,) = gateway().parse(told(REFERRAL))

    assert heard.signal is not None
    assert heard.signal.signal is PlatformSignal.FOLLOWED
    assert heard.signal.evidence["payload"] == "weekly"


def test_get_started_without_a_link_opens_the_contact_and_other_buttons_carry_their_payload() -> None:
    start = event(7, postback={"title": "Get Started", "payload": "GET_STARTED"})
    button = event(8, postback={"title": "Stop", "payload": "stop-weekly"})

    first, second = gateway().parse(told(start, button))

    assert first.signal is not None
    assert first.signal.signal is PlatformSignal.FOLLOWED
    assert second.message is not None
    assert (second.message.text, second.message.payload) == ("Stop", "stop-weekly")


def test_one_report_says_of_several_messages_that_they_arrived() -> None:
    events = gateway().parse(told(event(1, delivery={"mids": ["m_1", "m_2"], "watermark": 1795370000400})))

    found = [one.receipt and (one.receipt.provider_id, one.receipt.status) for one in events]
    assert found == [(found_by(one), ReceiptStatus.DELIVERED) for one in ("m_1", "m_2")]


def test_copies_of_what_others_sent_and_moments_without_a_message_are_ignored() -> None:
    foreign = [
        echo("another program"),
        echo(REF),
        event(1, delivery={"watermark": 1795370000400}),
        event(2, read={"watermark": 1795370000800}),
    ]

    events = gateway().parse(told(*foreign))

    assert [found.kind for found in events] == [EventKind.IGNORED] * 4


def test_what_is_said_to_another_page_is_not_ours() -> None:
    (heard,) = gateway().parse(told(event(message={"mid": "m_1", "text": "STOP"}), page="1"))

    assert heard.kind is EventKind.IGNORED


def half(file: int, words: int | None) -> Reply:
    """The answer to a file and words: their statuses."""
    known = {200: '{"message_id": "m_1"}', 400: '{"error": {"code": 551, "message": "gone"}}'}
    steps = [None if one is None else {"code": one, "body": known[one]} for one in (file, words)]
    return Reply(200, json.dumps(steps).encode())


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (half(200, 200), None),
        (half(400, None), ErrorKind.BLOCKED),
        (half(200, 400), ErrorKind.UNKNOWN),
        (half(200, None), ErrorKind.UNKNOWN),
        (Reply(200, b"[null, null]"), ErrorKind.UNKNOWN),
        (Reply(200, b"[]"), ErrorKind.UNKNOWN),
    ],
)
def test_of_a_file_and_its_words_nobody_gets_either_twice(reply: Reply, kind: ErrorKind | None) -> None:
    file = Media(1, "ab" * 32, "image/png", 9, "b.png", "A bridge", "https://x/m/1", handle="77")
    person = Recipient(DeliveryRef(1, 2), Address("messenger", "psid7"), "Hello")
    (call,) = gateway().encode(Batch((person,), HOOK, file))

    (outcome,) = gateway().decode(call, reply)

    assert (outcome.error.kind if outcome.error else None) == kind
