"""Changing what stands on a phone: what each gateway asks for, and how it reads the answers."""

import json
import re
from typing import Any

import pytest

from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.in_place import InPlace, changes_named
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Outcome, Recipient, Standing
from app.gateways.base import Call, Reply
from app.gateways.registry import GATEWAYS, build
from tests.gateways.samples import SAMPLES

WRONG, RIGHT = 7, 8


def person(
    gateway: str, number: int, act: InPlace | None, provider_id: str = "17", rich: Rich | None = None
) -> Recipient:
    stands = Standing(act, DeliveryRef(WRONG, number), provider_id) if act else None
    address = Address(GATEWAYS[gateway].channel, SAMPLES[gateway].addresses[0])
    return Recipient(DeliveryRef(RIGHT, number), address, "It is closed.", "!room:x", rich, stands)


def calls(gateway: str, *people: Recipient) -> list[Call]:
    bound = build(gateway, SAMPLES[gateway].settings, None)
    return list(bound.encode(Batch(people, "https://news.example.org/hooks/city")))


def one_call(gateway: str, act: InPlace, provider_id: str = "17", rich: Rich | None = None) -> Call:
    (call,) = calls(gateway, person(gateway, 1, act, provider_id, rich))
    return call


def read(gateway: str, call: Call, reply: Reply) -> Outcome:
    (outcome,) = build(gateway, SAMPLES[gateway].settings, None).decode(call, reply)
    return outcome


def asked(call: Call) -> tuple[str, Any]:
    return call.url.rpartition("/")[2], json.loads(call.body)


def refusal(words: str) -> Reply:
    return Reply(400, json.dumps({"ok": False, "error_code": 400, "description": words}).encode())


@pytest.mark.parametrize("gateway", sorted(GATEWAYS))
def test_a_gateway_can_do_what_editors_are_told(gateway: str) -> None:
    assert GATEWAYS[gateway].capabilities().changes == changes_named(gateway)


@pytest.mark.parametrize(
    ("act", "provider_id", "method", "content"),
    [
        (InPlace.EDIT, "17", "editMessageText", {"message_id": 17, "text": "It is closed."}),
        (InPlace.EDIT, "17:caption", "editMessageCaption", {"message_id": 17, "caption": "It is closed."}),
        (InPlace.DELETE, "17", "deleteMessage", {"message_id": 17}),
        (InPlace.DELETE, "17:caption", "deleteMessage", {"message_id": 17}),
    ],
)
def test_telegram_is_told_which_message_and_its_words(
    act: InPlace, provider_id: str, method: str, content: dict[str, Any]
) -> None:
    assert asked(one_call("telegram", act, provider_id)) == (method, {"chat_id": "4242", **content})


def test_new_words_on_telegram_bring_their_buttons_and_nothing_else_has_any() -> None:
    rich = Rich((Button(ButtonKind.LINK, "Read on", "https://news.example.org/"),))

    assert "reply_markup" in asked(one_call("telegram", InPlace.EDIT, rich=rich))[1]
    assert "reply_markup" not in asked(one_call("telegram", InPlace.DELETE, rich=rich))[1]


@pytest.mark.parametrize("provider_id", ["17", "17:caption"])
def test_a_message_on_telegram_keeps_its_id_when_its_words_change(provider_id: str) -> None:
    call = one_call("telegram", InPlace.EDIT, provider_id)
    field = "caption" if "caption" in provider_id else "text"
    yes = {"ok": True, "result": {"message_id": 17, field: "It is closed."}}

    assert read("telegram", call, Reply(200, json.dumps(yes).encode())).provider_id == provider_id
    again = read("telegram", call, refusal("Bad Request: message is not modified: exactly the same"))
    assert (again.provider_id, again.error) == (provider_id, None)


@pytest.mark.parametrize(
    "reply",
    [Reply(200, b'{"ok": true, "result": true}'), refusal("Bad Request: message to delete not found")],
)
def test_what_is_no_more_on_telegram_has_no_id(reply: Reply) -> None:
    outcome = read("telegram", one_call("telegram", InPlace.DELETE), reply)

    assert (outcome.provider_id, outcome.error) == (None, None)


@pytest.mark.parametrize(
    ("act", "words", "kind"),
    [
        (InPlace.EDIT, "message to edit not found", ErrorKind.UNCHANGEABLE),
        (InPlace.EDIT, "message can't be edited", ErrorKind.UNCHANGEABLE),
        (InPlace.EDIT, "there is no text in the message to edit", ErrorKind.UNCHANGEABLE),
        (InPlace.EDIT, "MESSAGE_ID_INVALID", ErrorKind.UNCHANGEABLE),
        (InPlace.EDIT, "message is too long", ErrorKind.CONTENT),
        (InPlace.DELETE, "message can't be deleted for everyone", ErrorKind.UNCHANGEABLE),
        (InPlace.DELETE, "message is not modified", ErrorKind.TEMPORARY),
        (InPlace.DELETE, "chat not found", ErrorKind.INVALID),
    ],
)
def test_each_no_of_telegram_has_its_meaning(act: InPlace, words: str, kind: ErrorKind) -> None:
    error = read("telegram", one_call("telegram", act), refusal(f"Bad Request: {words}")).error

    assert error is not None
    assert error.kind is kind


def test_a_yes_without_a_message_is_no_answer_to_new_words() -> None:
    outcome = read(
        "telegram", one_call("telegram", InPlace.EDIT), Reply(200, b'{"ok": true, "result": true}')
    )

    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.UNKNOWN


def test_matrix_replaces_the_first_event_with_words_for_old_clients_beside() -> None:
    call = one_call("matrix", InPlace.EDIT, "$first")
    _, content = asked(call)

    assert "/send/m.room.message/" in call.url
    assert content == {
        "msgtype": "m.text",
        "body": "* It is closed.",
        "m.new_content": {"msgtype": "m.text", "body": "It is closed."},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$first"},
    }
    assert read("matrix", call, Reply(200, b'{"event_id": "$second"}')).provider_id == "$first"


def test_matrix_redacts_what_goes_and_a_missing_event_says_nothing_of_the_person() -> None:
    call = one_call("matrix", InPlace.DELETE, "$first")
    missing = Reply(404, b'{"errcode": "M_NOT_FOUND", "error": "Event not found."}')

    assert "/rooms/%21room%3Ax/redact/%24first/" in call.url
    assert json.loads(call.body) == {}
    assert read("matrix", call, Reply(200, b'{"event_id": "$gone"}')) == Outcome(DeliveryRef(RIGHT, 1))
    error = read("matrix", call, missing).error
    assert error is not None
    assert error.kind is ErrorKind.UNCHANGEABLE


def test_in_the_inbox_a_request_changes_messages_or_brings_some_never_both() -> None:
    people = [person("inapp", 1, InPlace.EDIT), person("inapp", 2, None), person("inapp", 3, InPlace.EDIT)]

    changing, bringing = calls("inapp", *people)

    assert json.loads(changing.body)["replaces"] == ["7.1.0", "7.3.0"]
    assert json.loads(changing.body)["act"] == "edit"
    assert "act" not in json.loads(bringing.body)


def test_in_the_inbox_whose_message_is_no_more_is_told_apart() -> None:
    (call,) = calls("inapp", *(person("inapp", number, InPlace.EDIT) for number in (1, 2)))
    reply = Reply(201, json.dumps({"id": "abc", "gone": [], "missing": ["8.2.0"]}).encode())

    first, second = build("inapp", SAMPLES["inapp"].settings, None).decode(call, reply)

    assert (first.provider_id, first.error) == ("abc", None)
    assert second.error is not None
    assert second.error.kind is ErrorKind.UNCHANGEABLE


def test_xmpp_names_the_stanza_that_its_words_replace() -> None:
    (old,) = calls(
        "xmpp", Recipient(DeliveryRef(WRONG, 1), Address("xmpp", SAMPLES["xmpp"].addresses[0]), "Old")
    )
    (first_id,) = re.findall(rb"<message [^>]* id='([^']+)'", old.body)

    stanza = one_call("xmpp", InPlace.EDIT).body

    assert b"<replace xmlns='urn:xmpp:message-correct:0' id='" + first_id + b"'/>" in stanza
    assert b" id='8.1.0." in stanza
    assert b"<request xmlns='urn:xmpp:receipts'/>" in stanza
