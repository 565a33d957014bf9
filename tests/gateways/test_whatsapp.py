"""WhatsApp where it differs from the others, by Meta and by Twilio: windows, templates, ids instead of numbers."""

import hashlib
import hmac
import json
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import pytest

from app.domain.addresses import Address, BadAddress, canonical, mask
from app.domain.media.attached import Media
from app.domain.messages import Batch, DeliveryRef, ErrorKind, EventKind, HookRequest, Recipient
from app.gateways.base import Gateway
from app.gateways.registry import build
from tests.gateways.sample import HOOK, REF, post
from tests.gateways.samples.whatsapp import (
    ADA,
    GRACE,
    ID_ONLY,
    SAMPLE,
    SETTINGS,
    account_news,
    alert_news,
    ban_news,
    changed,
    failure,
    number_news,
    preference,
    status,
    template_news,
    text,
    told,
)

BROADCAST, ANSWER = DeliveryRef(12, 345), DeliveryRef(12, 345, 7)


def gateway(**more: str) -> Gateway:
    return build("whatsapp", {**SETTINGS, **more}, None)


def body(bound: Gateway, ref: DeliveryRef, person: str = "+" + ADA) -> dict[str, object]:
    one = Recipient(ref, Address("whatsapp", person), "Line one\n\nline two")
    (call,) = bound.encode(Batch((one,), HOOK))
    found: dict[str, object] = json.loads(call.body)
    return found


def test_a_template_carries_what_answers_nobody_and_free_text_answers_a_person() -> None:
    with_template = gateway(template="newsletter:en_US")

    sent, answered = body(with_template, BROADCAST), body(with_template, ANSWER)

    assert sent["template"] == {
        "name": "newsletter",
        "language": {"policy": "deterministic", "code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Line one line two"}]}],
    }
    assert answered["text"] == body(gateway(), BROADCAST)["text"] == {"body": "Line one\n\nline two"}


def test_a_template_that_has_room_for_a_picture_carries_it_above_its_text() -> None:
    bound = gateway(template="newsletter:en_US", template_header="image")
    picture = Media(1, "ab" * 32, "image/jpeg", 9, "b.jpg", "A bridge", "https://x/m/1", handle="77")
    person = Recipient(BROADCAST, Address("whatsapp", "+" + ADA), "Hello")

    (call,) = bound.encode(Batch((person,), HOOK, picture))

    header, words = json.loads(call.body)["template"]["components"]
    assert header == {"type": "header", "parameters": [{"type": "image", "image": {"id": "77"}}]}
    assert words["parameters"] == [{"type": "text", "text": "Hello"}]
    assert (bound.has_template, bound.template_file) == (True, "image")


def test_a_number_and_an_id_are_addressed_each_in_its_field_and_our_reference_goes_along() -> None:
    number, id_only = body(gateway(), BROADCAST), body(gateway(), BROADCAST, ID_ONLY)

    assert (number["to"], "recipient" in number) == (ADA, False)
    assert (id_only["recipient"], "to" in id_only) == (ID_ONLY, False)
    assert number["biz_opaque_callback_data"] == REF


def test_a_business_scoped_id_is_an_address_on_whatsapp_only_and_is_masked() -> None:
    assert canonical("whatsapp", f" {ID_ONLY} ") == Address("whatsapp", ID_ONLY)
    assert mask(ID_ONLY) == "US.***547"
    for channel, wrong in (("sms", ID_ONLY), ("whatsapp", "US.ENT.123"), ("whatsapp", "us.123")):
        with pytest.raises(BadAddress):
            canonical(channel, wrong)


def test_who_shows_no_number_is_heard_by_id() -> None:
    (event,) = gateway().parse(told(messages=[text("JOIN weekly", from_user_id=ID_ONLY)]))

    assert event.message is not None
    assert event.message.address == Address("whatsapp", ID_ONLY)


def test_the_id_beside_a_number_is_told_wherever_a_post_shows_both() -> None:
    contacts = [{"wa_id": ADA, "user_id": ID_ONLY}]
    number, id_ = Address("whatsapp", "+" + ADA), Address("whatsapp", ID_ONLY)
    posts = [
        told(messages=[text("STOP")], contacts=contacts),
        told(messages=[text("STOP", from_user_id=ID_ONLY)], contacts=contacts),
        told(messages=[{**text("STOP"), "from_user_id": ID_ONLY}]),
        preference("stop", user_id=ID_ONLY),
    ]

    events = [event for post_ in posts for event in gateway().parse(post_)]
    (report,) = gateway().parse(status("delivered", recipient_user_id=ID_ONLY))
    (alone,) = gateway().parse(told(messages=[text("STOP")], contacts=[{"wa_id": GRACE, "user_id": ID_ONLY}]))

    told_ = [event.message or event.signal for event in events]
    assert [(one.address, one.also_at) for one in told_ if one] == [(number, id_)] * 4
    assert report.receipt is not None
    assert report.receipt.shows == (number, id_)
    assert alone.message is not None
    assert alone.message.also_at is None


def test_twilio_tells_the_id_beside_the_number() -> None:
    twilio = build(
        "twilio_whatsapp", {"account_sid": "AC" + "0" * 32, "auth_token": "t", "from": "+12025550100"}, None
    )
    form = {"MessageSid": "SM1", "From": f"whatsapp:+{ADA}", "Body": "STOP", "ExternalUserId": ID_ONLY}

    (event,) = twilio.parse(post(urlencode(form).encode(), {}))

    assert event.message is not None
    assert event.message.also_at == Address("whatsapp", ID_ONLY)


def test_user_preferences_are_heard_and_131050_is_an_opt_out() -> None:
    """Comparable software ignores both, and goes on sending to people who switched marketing off."""
    (event,) = gateway().parse(preference("stop"))
    (other,) = gateway().parse(preference("stop", category="something_else"))
    (report,) = gateway().parse(status("failed", errors=[{"code": 131050}]))

    assert event.signal is not None
    assert event.signal.evidence["value"] == "stop"
    assert other.kind is EventKind.IGNORED
    assert report.receipt is not None
    assert report.receipt.error is not None
    assert report.receipt.error.kind is ErrorKind.OPTED_OUT


def test_a_changed_number_or_id_is_the_same_person_elsewhere() -> None:
    both = changed(wa_id=GRACE, user_id="US.2", previous_user_id="US.1")
    ids = told(
        messages=[
            {
                "id": "wamid.T5",
                "type": "system",
                "system": {"type": "user_changed_user_id", "user_id": "US.2", "previous_user_id": "US.1"},
            }
        ]
    )

    id_beside_a_number = changed(type="user_changed_user_id", user_id="US.2", previous_user_id="US.1")

    moves = [
        event.signal for request in (both, ids, id_beside_a_number) for event in gateway().parse(request)
    ]

    assert [(move.address.value, move.new_address.value) for move in moves if move and move.new_address] == [
        ("+" + ADA, "+" + GRACE),
        ("US.1", "US.2"),
        ("+" + ADA, "US.2"),
    ]
    assert moves[0] is not None
    assert moves[0].also_at == Address("whatsapp", "US.2")


def test_buttons_carry_their_payload_beside_what_the_person_saw() -> None:
    pressed = {**text(""), "type": "button", "button": {"text": "Stop", "payload": "stop-weekly"}}
    chosen = {"type": "button_reply", "button_reply": {"id": "weekly", "title": "Weekly"}}

    first, second = gateway().parse(
        told(messages=[pressed, {**text("", 2), "type": "interactive", "interactive": chosen}])
    )

    said = [(event.message.text, event.message.payload) for event in (first, second) if event.message]
    assert said == [("Stop", "stop-weekly"), ("Weekly", "weekly")]


def test_what_is_said_to_another_number_of_the_account_is_not_ours_nor_are_others_receipts() -> None:
    elsewhere = told(number="900002", messages=[text("STOP")])
    foreign = status("delivered", biz_opaque_callback_data="d:42:7")

    events = [event for request in (elsewhere, foreign) for event in gateway().parse(request)]

    assert [event.kind for event in events] == [EventKind.IGNORED] * 2


@pytest.mark.parametrize(
    ("code", "kind", "tries", "bounces_after", "wait"),
    [
        (131049, ErrorKind.PREFERENCE_CAP, 3, 1, None),
        (130472, ErrorKind.PREFERENCE_CAP, 1, 1, None),
        (131026, ErrorKind.INVALID, 5, 2, None),
        (131056, ErrorKind.PAIR_LIMITED, 5, 1, 6.0),
    ],
)
def test_some_codes_are_worth_more_or_fewer_tries(
    code: int, kind: ErrorKind, tries: int, bounces_after: int, wait: float | None
) -> None:
    (call,) = gateway().encode(Batch((Recipient(BROADCAST, Address("whatsapp", "+" + ADA), "x"),), HOOK))

    (outcome,) = gateway().decode(call, failure(code))

    error = outcome.error
    assert error is not None
    assert (error.kind, error.tries, error.bounces_after, error.retry_after) == (
        kind,
        tries,
        bounces_after,
        wait,
    )


def test_metas_signature_is_the_one_that_the_vector_says() -> None:
    raw = b'{"object":"page","entry":[]}'
    expected = "sha256=0e9e0080a310f376450c46d999aa4d49ed772bfe43c13205f38a3a6e6611ed2b"

    gateway().verify(post(raw, {"x-hub-signature-256": expected}))

    assert hmac.new(b"appsecret", raw, hashlib.sha256).hexdigest() == expected.removeprefix("sha256=")


def test_a_challenge_is_repeated_only_to_a_question_of_subscription() -> None:
    assert SAMPLE.handshake is not None
    question, _ = SAMPLE.handshake

    assert gateway().handshake(replace(question, query={})) == gateway().handshake(
        replace(question, query={"x": "1"})
    )


def test_twilio_sends_whatsapp_addresses_and_a_content_sid_for_what_answers_nobody() -> None:
    settings = {"account_sid": "AC1", "auth_token": "t", "from": "+12025550100", "content_sid": "HX1"}
    bound = build("twilio_whatsapp", settings, None)
    people = (
        Recipient(BROADCAST, Address("whatsapp", "+" + ADA), "one\ntwo"),
        Recipient(ANSWER, Address("whatsapp", ID_ONLY), "one\ntwo"),
    )

    sent, answered = (parse_qs(call.body.decode()) for call in bound.encode(Batch(people, HOOK)))

    assert (sent["To"], sent["From"]) == (["whatsapp:+" + ADA], ["whatsapp:+12025550100"])
    assert (sent["ContentSid"], sent["ContentVariables"]) == (["HX1"], ['{"1": "one two"}'])
    assert "Body" not in sent
    assert (answered["To"], answered["Body"]) == ([f"whatsapp:{ID_ONLY}"], ["one\ntwo"])


def test_twilio_tells_an_id_and_the_payload_of_a_button() -> None:
    form = f"MessageSid=SM1&From=whatsapp:{ID_ONLY}&Body=&ButtonText=Subscribe&ButtonPayload=weekly"
    bound = build("twilio_whatsapp", {"account_sid": "AC1", "auth_token": "t", "from": "+12025550100"}, None)

    (event,) = bound.parse(post(form.encode(), {}))

    assert event.message is not None
    assert event.message.address == Address("whatsapp", ID_ONLY)
    assert (event.message.text, event.message.payload) == ("Subscribe", "weekly")


def test_news_names_the_template_says_why_and_whether_it_is_the_usual_one() -> None:
    request = template_news("PAUSED", "LOW_QUALITY")

    (other,) = gateway(template="poll:en").parse(request)
    (usual,) = gateway(template="newsletter:en_US").parse(request)

    assert usual.news is not None
    assert other.news == replace(usual.news, usual=False)
    assert (usual.news.subject, usual.news.why) == ("newsletter:en_US", "PAUSED, LOW_QUALITY")
    assert usual.news.usual


@pytest.mark.parametrize(
    "request_",
    [
        template_news("PENDING"),
        account_news("message_template_status_update", {"event": "PAUSED"}),
        account_news("account_update", {"event": "PARTNER_ADDED"}),
        account_news("a_field_of_next_year", {"event": "PAUSED"}),
        number_news("DOWNGRADE", "TIER_250", number="12025550199"),
        alert_news(entity="900002"),
    ],
)
def test_news_that_says_nothing_about_us_is_ignored(request_: HookRequest) -> None:
    (event,) = gateway().parse(request_)

    assert event.kind is EventKind.IGNORED


def test_news_of_another_account_of_the_app_is_left_alone_where_ours_is_named() -> None:
    (foreign,) = gateway(business_account_id="700002").parse(ban_news("DISABLE"))
    (own,) = gateway(business_account_id="700001").parse(ban_news("DISABLE"))

    assert (foreign.kind, own.kind) == (EventKind.IGNORED, EventKind.NEWS)
