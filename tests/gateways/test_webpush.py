"""Web Push where it differs from the others: encrypted for one browser, services that strangers chose, routes."""

from dataclasses import replace

import pytest

from app.domain.addresses import Address
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Event, EventKind, Recipient
from app.domain.push import read_subscription
from app.gateways.base import BadSetting, Call, Reply
from app.gateways.registry import build, gateway_class
from app.gateways.vapid import new_private_key
from app.gateways.webpush import MAX_TEXT, WebPushGateway
from tests.gateways.sample import HOOK
from tests.gateways.samples.webpush import ADA, BROWSERS, PUBLIC, ROUTES, SETTINGS, said
from tests.support.push_peer import Browser, claims

ELSEWHERE = Browser("https://push.example.net/s/1?token=abc")


def gateway(**settings: str) -> WebPushGateway:
    return WebPushGateway({**SETTINGS, **settings})


def to(browser: Browser, words: str = "hello", number: int = 1, key: str = PUBLIC) -> Recipient:
    route = read_subscription(browser.subscription, key)
    return Recipient(DeliveryRef(12, number), Address("webpush", route.name), words, route.as_text())


def call_to(browser: Browser, words: str = "hello") -> Call:
    (call,) = gateway().encode(Batch((to(browser, words),), HOOK))
    return call


def kind_of(call: Call, status: int, **headers: str) -> ErrorKind | None:
    (outcome,) = gateway().decode(call, Reply(status, headers=headers))
    return outcome.error.kind if outcome.error else None


def test_the_browser_reads_the_text_and_what_its_script_needs() -> None:
    call = call_to(BROWSERS[0], "Grüße 🌍\nzweite Zeile")

    line, words = BROWSERS[0].read(call.body)

    assert words == "Grüße 🌍\nzweite Zeile"
    assert line == {
        "to": ADA,
        "ref": "12.1.0",
        "hook": "/hooks/city-desk",
        "proof": gateway().proof(ADA, "12.1.0"),
    }
    with pytest.raises(Exception, match=r"^$"):  # the tag does not fit
        BROWSERS[1].read(call.body)


def test_the_request_is_as_the_rfcs_want_it() -> None:
    call = call_to(ELSEWHERE)

    assert (call.method, call.url) == ("POST", ELSEWHERE.endpoint)
    assert (call.headers["Content-Encoding"], call.headers["TTL"]) == ("aes128gcm", "86400")
    assert call.headers["Urgency"] == "normal"
    assert claims(call.headers["Authorization"], PUBLIC)["aud"] == "https://push.example.net"
    assert call.public_only


def test_a_topic_makes_a_second_copy_take_the_place_of_the_first_and_of_nothing_else() -> None:
    def topic(number: int, hook: str = HOOK) -> str:
        (call,) = gateway().encode(Batch((to(BROWSERS[0], number=number),), hook))
        return call.headers["Topic"]

    assert topic(1) == topic(1)
    assert len({topic(1), topic(2), topic(1, "https://other.example.org/hooks/city-desk")}) == 3
    assert len(topic(1)) == 32


def test_the_longest_text_that_editors_may_write_fits_whatever_its_letters() -> None:
    longest = Recipient(
        DeliveryRef(2**63 - 1, 2**63 - 1, -(2**63)),
        Address("webpush", ADA),
        '"' * MAX_TEXT,
        ROUTES[0].as_text(),
    )
    (call,) = gateway().encode(Batch((longest,), f"https://news.example.org/{'x' * 60}/hooks/{'y' * 40}"))

    assert len(call.body) <= 4096


def test_a_picture_is_named_to_the_script_and_the_longest_text_beside_one_fits() -> None:
    link = f"https://news.example.org/{'x' * 60}/m/1000000.abcdefghijklmnopqrstuv.jpg"
    picture = Media(1, "ab" * 32, "image/jpeg", 1000, "b.jpg", "A bridge", link)
    longest = to(BROWSERS[0], "x" * media_of("webpush")[0].caption)

    (call,) = gateway().encode(Batch((longest,), f"https://news.example.org/hooks/{'y' * 40}", picture))

    line, words = BROWSERS[0].read(call.body)
    assert (line["image"], words) == (link, longest.text)
    assert len(call.body) <= 4096


def test_with_a_base_url_everything_goes_there_and_speaks_to_the_service_that_is_meant() -> None:
    other = build("webpush", SETTINGS, "http://127.0.0.1:8001/")

    (call,) = other.encode(Batch((to(ELSEWHERE),), HOOK))

    assert call.url == "http://127.0.0.1:8001/s/1?token=abc"
    assert claims(call.headers["Authorization"], PUBLIC)["aud"] == "https://push.example.net"
    assert not call.public_only


@pytest.mark.parametrize(
    "lost",
    [
        to(BROWSERS[0])._replace(route=""),
        to(BROWSERS[0])._replace(route='{"endpoint": "https://push.example.net/"}'),
        to(BROWSERS[0])._replace(route=replace(ROUTES[0], p256dh="AAAA").as_text()),
        to(BROWSERS[0], key="the key before the last rotation"),
    ],
    ids=["no route", "half a route", "no point", "another key"],
)
def test_who_cannot_be_reached_any_more_is_gone_and_costs_nobody_else(lost: Recipient) -> None:
    both = Batch((lost, to(BROWSERS[1], number=2)), HOOK)

    gone, good = gateway().encode(both)

    (outcome,) = gateway().decode(gone, Reply(0, left=False, reason="curl_3"))
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.GONE
    assert BROWSERS[1].read(good.body)[1] == "hello"


def test_a_service_that_nobody_knows_is_not_believed_about_the_sender() -> None:
    """Its host was chosen by whoever signed up: a 401 of theirs must not close the sender, a 429 not let it rest."""
    known, unknown = call_to(BROWSERS[0]), call_to(ELSEWHERE)
    alike = call_to(Browser("https://fcm.googleapis.com.example.net/x"))

    assert [kind_of(known, status) for status in (401, 429)] == [ErrorKind.AUTH, ErrorKind.RATE_LIMITED]
    for call in (unknown, alike):
        kinds = [kind_of(call, status) for status in (401, 403, 429, 410)]
        assert kinds == [ErrorKind.INVALID, ErrorKind.INVALID, ErrorKind.TEMPORARY, ErrorKind.GONE]


def test_a_known_service_that_is_too_busy_says_for_how_long() -> None:
    (outcome,) = gateway().decode(call_to(BROWSERS[0]), Reply(429, headers={"retry-after": "120"}))

    assert outcome.error is not None
    assert outcome.error.retry_after == 120


def test_a_key_pair_is_made_for_a_new_sender_and_a_proof_is_worth_nothing_under_another() -> None:
    made = gateway_class("webpush").generated()

    address = gateway_class("webpush").check_settings({**made, "subject": "mailto:desk@example.org"})

    assert len(address) == 87
    assert gateway(**made).proof(ADA) != gateway().proof(ADA)
    with pytest.raises(BadSetting, match="subject is missing"):
        gateway_class("webpush").check_settings({"private_key": new_private_key()})


def test_the_buttons_of_our_page_and_of_a_notification_are_messages() -> None:
    events = [
        gateway().parse(said(ADA, event="message", text="STOP NEWS", payload="stop-news", id="1")),
        gateway().parse(said(ADA, event="message", ref="12.1.0", text="STOP", id="2")),
        gateway().parse(said(ADA, event="clicked", id="3")),
    ]

    messages = [event.message for (event,) in events]
    assert [(m.text, m.payload, m.external_id) for m in messages if m] == [
        ("STOP NEWS", "stop-news", f"{ADA}:1"),
        ("STOP", "", f"{ADA}:2"),
    ]
    assert events[2] == [Event(EventKind.IGNORED)]
