"""Viber where it differs from the others: failures inside a yes, and a welcome in the answer to a webhook."""

import json

from app.domain.addresses import Address, canonical
from app.domain.messages import Batch, DeliveryRef, ErrorKind, EventKind, Recipient, found_by
from app.gateways.base import Gateway
from app.gateways.registry import build
from tests.gateways.sample import HOOK, REF, post
from tests.gateways.samples.viber import ADA, GRACE, JEAN, SETTINGS, reply, text, told


def gateway(**more: str) -> Gateway:
    return build("viber", {**SETTINGS, **more}, None)


def to(number: int, user: str, words: str = "hello") -> Recipient:
    return Recipient(DeliveryRef(12, number), Address("viber", user), words)


def test_people_of_one_text_share_a_broadcast_and_the_failed_list_names_who_did_not_get_it() -> None:
    people = (to(1, ADA), to(2, GRACE), to(3, JEAN))
    (call,) = gateway().encode(Batch(people, HOOK))
    failed = [{"receiver": GRACE, "status": 6, "status_message": "Not subscribed"}]

    outcomes = gateway().decode(call, reply(0, message_token=7, failed_list=failed))

    assert call.url.endswith("/pa/broadcast_message")
    assert json.loads(call.body)["broadcast_list"] == [ADA, GRACE, JEAN]
    assert [one.error and one.error.kind for one in outcomes] == [None, ErrorKind.OPTED_OUT, None]
    assert [one.provider_id for one in outcomes] == [found_by("7", ADA), None, found_by("7", JEAN)]


def test_a_person_who_answered_none_of_a_hundred_waits_an_hour_and_nobody_else_does() -> None:
    (call,) = gateway().encode(Batch((to(1, ADA), to(2, GRACE)), HOOK))
    failed = [{"receiver": GRACE, "status": 12, "status_message": "tooManyRequests"}]

    taken, limited = gateway().decode(call, reply(0, message_token=7, failed_list=failed))

    assert taken.error is None
    assert limited.error is not None
    assert (limited.error.kind, limited.error.retry_after) == (ErrorKind.PAIR_LIMITED, 3600)


def test_one_person_gets_a_message_with_our_reference() -> None:
    (call,) = gateway().encode(Batch((to(345, ADA),), HOOK))

    sent = json.loads(call.body)

    assert call.url.endswith("/pa/send_message")
    assert (sent["receiver"], sent["tracking_data"], sent["sender"]) == (ADA, REF, {"name": "City Desk"})
    assert call.headers["X-Viber-Auth-Token"] == "vibertoken"


def test_an_opened_conversation_is_no_consent_and_is_welcomed_in_the_answer() -> None:
    opened = told("conversation_started", context="weekly_poster7", subscribed=False, user={"id": ADA})

    (event,) = gateway().parse(opened)
    welcome = gateway().acknowledge(opened)

    assert event.kind is EventKind.IGNORED
    said = json.loads(welcome.body)
    assert (welcome.status, said["text"]) == (200, "Press START for our news.")
    assert said["tracking_data"] == "opened:weekly_poster7"
    assert said["keyboard"]["Buttons"] == [
        {"ActionType": "reply", "ActionBody": "weekly_poster7", "Text": "START"}
    ]


def test_a_bot_without_words_of_its_own_welcomes_too_so_that_the_link_is_not_lost() -> None:
    opened = told("conversation_started", context="weekly_poster7", user={"id": ADA})

    said = json.loads(gateway(welcome="").acknowledge(opened).body)

    assert said["text"] == "City Desk: press START for our news. STOP ends it."
    assert said["keyboard"]["Buttons"][0]["ActionBody"] == "weekly_poster7"


def test_without_a_link_of_ours_the_welcome_says_no_more_than_it_can() -> None:
    strange = told("conversation_started", context="<a href>", user={"id": ADA})

    said = json.loads(gateway().acknowledge(strange).body)
    assert "tracking_data" not in said
    assert said["keyboard"]["Buttons"][0]["ActionBody"] == "START"


def test_other_words_than_the_buttons_are_words() -> None:
    (event,) = gateway().parse(text("no thanks", "opened:weekly_poster7"))

    assert event.message is not None
    assert (event.message.text, event.message.payload) == ("no thanks", "")


def test_a_report_finds_its_delivery_by_token_and_person_and_to_have_seen_it_is_to_have_it() -> None:
    reports = [told(kind, user_id=GRACE, message_token=7) for kind in ("delivered", "seen", "failed")]

    found = [event.receipt for request in reports for event in gateway().parse(request)]

    assert [one and (one.ref, one.provider_id) for one in found] == [(None, found_by("7", GRACE))] * 3
    assert [one and one.status for one in found] == ["delivered", "delivered", "failed"]


def test_a_report_without_a_person_is_of_no_interest() -> None:
    (event,) = gateway().parse(told("delivered"))

    assert event.kind is EventKind.IGNORED


def test_the_event_that_checks_the_address_is_taken_and_the_signature_is_the_vectors() -> None:
    signature = "ca3dc298f92eeb58990acd889e70a3de6980685cc8850217e0eeaf7efc02a3c8"
    gateway().verify(post(b'{"event":"unsubscribed"}', {"x-viber-content-signature": signature}))

    assert gateway().parse(told("webhook"))[0].kind is EventKind.IGNORED
    assert gateway().acknowledge(told("webhook")).status == 200


def test_a_vibers_address_is_an_id_and_no_number() -> None:
    assert canonical("viber", ADA) == Address("viber", ADA)
