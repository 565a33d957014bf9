"""Twilio as a table: what we send equals what its SDK sends, and what comes back is read as its pages say."""

import hashlib
import logging
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import pytest
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from app.domain.addresses import Address
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    EventKind,
    HookRequest,
    InboundMessage,
    ProviderSignal,
    ReceiptStatus,
    Recipient,
)
from app.gateways.base import BadSetting, BadSignature, Call, Malformed, Reply
from app.gateways.look_ups import Question
from app.gateways.twilio import TwilioGateway

ACCOUNT = "AC" + "1" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
SETTINGS = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+12025550100"}
REF = DeliveryRef(12, 345, 0)
HOOK = "https://news.example.org/hooks/city-desk"


def gateway(**more: str) -> TwilioGateway:
    return TwilioGateway(SETTINGS | more)


def encode(text: str = "Grüße 🌍 & more", **more: str) -> Call:
    batch = Batch((Recipient(REF, Address("sms", "+12025550123"), text),), HOOK)
    (call,) = gateway(**more).encode(batch)
    return call


class Recorder(HttpClient):
    """Takes the SDK's request instead of sending it."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=False)

    def request(self, method, url, params=None, data=None, headers=None, auth=None, **_):
        self.seen, self.params = (method, url, data, headers, auth), params
        return Response(200 if method == "GET" else 201, '{"sid": "SM1"}')


@pytest.mark.parametrize("more", [{}, {"messaging_service_sid": "MG" + "2" * 32}])
def test_our_request_is_the_one_the_sdk_would_send(more: dict[str, str]) -> None:
    recorder = Recorder()
    sender = {"messaging_service_sid": more["messaging_service_sid"]} if more else {"from_": "+12025550100"}
    Client(ACCOUNT, TOKEN, http_client=recorder).messages.create(
        to="+12025550123", body="Grüße 🌍 & more", status_callback=f"{HOOK}?d=12.345.0", **sender
    )
    method, url, data, headers, auth = recorder.seen

    call = encode(**more)

    assert (call.method, call.url) == (method, url)
    assert dict(parse_qsl(call.body.decode())) == data
    assert call.headers["Content-Type"] == headers["Content-Type"]
    assert call.basic_auth == tuple(auth)


def test_a_base_url_points_the_gateway_elsewhere() -> None:
    batch = Batch((Recipient(REF, Address("sms", "+12025550123"), "x"),), HOOK)

    (call,) = TwilioGateway(SETTINGS, "http://127.0.0.1:8001/").encode(batch)

    assert call.url == f"http://127.0.0.1:8001/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


REPLIES = [
    ("accepted", Reply(201, b'{"sid": "SM9"}'), None),
    ("a 2xx that Twilio did not write", Reply(200, b"<html>"), ErrorKind.UNKNOWN),
    ("number does not exist", Reply(400, b'{"code": 21211}'), ErrorKind.INVALID),
    ("landline", Reply(400, b'{"code": 21614}'), ErrorKind.INVALID),
    ("opted out at Twilio", Reply(400, b'{"code": 21610}'), ErrorKind.OPTED_OUT),
    ("text too long", Reply(400, b'{"code": 21617}'), ErrorKind.CONTENT),
    ("sender is not ours", Reply(400, b'{"code": 21606}'), ErrorKind.CONFIG),
    ("queue of the sender full", Reply(429, b'{"code": 21611}'), ErrorKind.RATE_LIMITED),
    ("wrong token", Reply(401, b'{"code": 20003}'), ErrorKind.AUTH),
    ("wrong token without a body", Reply(401), ErrorKind.AUTH),
    ("too many requests", Reply(429, b'{"code": 20429}'), ErrorKind.RATE_LIMITED),
    ("fault at Twilio", Reply(500, b""), ErrorKind.TEMPORARY),
    ("busy", Reply(503, b""), ErrorKind.TEMPORARY),
    ("a proxy gave up waiting", Reply(504, b""), ErrorKind.UNKNOWN),
    ("a proxy got nonsense", Reply(502, b""), ErrorKind.UNKNOWN),
    ("a page that is not Twilio's", Reply(404, b"<html>"), ErrorKind.CONFIG),
    ("a code that is not in the table", Reply(400, b'{"code": 99999}'), ErrorKind.TEMPORARY),
    ("the request left and no answer came", Reply(0, left=True, reason="curl_28"), ErrorKind.UNKNOWN),
    ("nothing left us", Reply(0, left=False, reason="curl_7"), ErrorKind.TEMPORARY),
]


@pytest.mark.parametrize(("reply", "kind"), [row[1:] for row in REPLIES], ids=[row[0] for row in REPLIES])
def test_replies_are_read_into_the_family_of_errors(reply: Reply, kind: ErrorKind | None) -> None:
    (outcome,) = gateway().decode(encode(), reply)

    assert outcome.ref == REF
    assert (outcome.error.kind if outcome.error else None) == kind
    assert outcome.provider_id == ("SM9" if kind is None else None)


def test_retry_after_is_kept() -> None:
    (outcome,) = gateway().decode(encode(), Reply(429, b'{"code": 20429}', {"retry-after": "2"}))

    assert outcome.error is not None
    assert outcome.error.retry_after == 2.0


def test_a_code_that_is_not_in_the_table_is_worth_two_tries() -> None:
    (outcome,) = gateway().decode(encode(), Reply(400, b'{"code": 99999}'))

    assert outcome.error is not None
    assert outcome.error.tries == 2


def hook(
    fields: dict[str, str], url: str = HOOK, token: str = TOKEN, query: dict[str, str] | None = None
) -> HookRequest:
    signature = RequestValidator(token).compute_signature(url, fields)
    return HookRequest(
        "POST", url, {"x-twilio-signature": signature}, urlencode(fields).encode(), query or {}
    )


INBOUND = {
    "MessageSid": "SM00000000000000000000000000000a01",
    "AccountSid": ACCOUNT,
    "From": "+12025550123",
    "To": "+12025550100",
    "Body": "STOP",
    "NumMedia": "0",
}


def test_twilios_own_signature_example_is_accepted() -> None:
    """The conformance vector of our design notes, checked there with Twilio's validator."""
    fields = {
        "MessageSid": "SM" + "1" * 32,
        "AccountSid": "AC" + "2" * 32,
        "From": "+14155550100",
        "To": "+14155550101",
        "Body": "STOP",
        "NumMedia": "0",
        "OptOutType": "STOP",
    }
    request = HookRequest(
        "POST",
        "https://news.example.org/hooks/twilio/ch1?x=1",
        {"x-twilio-signature": "W65aniKizmqj4E+Vjj2ff7tXE4o="},
        urlencode(fields).encode(),
    )

    assert gateway().verify(request) is None


def test_a_json_body_is_signed_by_its_hash_in_the_address() -> None:
    def posted(body: bytes) -> HookRequest:
        digest = hashlib.sha256(b'{"a":1}').hexdigest()
        url = f"https://news.example.org/hooks/twilio/ch1?x=1&bodySHA256={digest}"
        return HookRequest("POST", url, {"x-twilio-signature": "WhZdnQ5yRQJFVqlNNWHg/QDh/Fg="}, body)

    assert gateway().verify(posted(b'{"a":1}')) is None
    with pytest.raises(BadSignature):
        gateway().verify(posted(b'{"a":2}'))


@pytest.mark.parametrize(
    "request_",
    [
        hook(INBOUND, token="another token"),
        hook(INBOUND, url="https://news.example.org/hooks/other"),
        HookRequest("POST", HOOK, {}, urlencode(INBOUND).encode()),
        HookRequest("POST", HOOK, {"x-twilio-signature": "sïgnëd"}, urlencode(INBOUND).encode()),
        HookRequest("POST", HOOK, hook(INBOUND).headers, urlencode(INBOUND | {"Body": "START"}).encode()),
    ],
    ids=[
        "another token",
        "another address",
        "no signature",
        "letters that no signature has",
        "changed words",
    ],
)
def test_what_twilio_did_not_sign_is_refused(request_: HookRequest) -> None:
    moved = HookRequest("POST", HOOK, request_.headers, request_.body)

    with pytest.raises(BadSignature):
        gateway().verify(moved)


def test_an_address_that_was_signed_with_its_port_is_ours_too() -> None:
    with_port = hook(INBOUND, url=HOOK.replace("example.org", "example.org:443"))

    assert gateway().verify(HookRequest("POST", HOOK, with_port.headers, with_port.body)) is None


def test_an_inbound_text_becomes_a_message() -> None:
    (event,) = gateway().parse(hook(INBOUND | {"OptOutType": "STOP", "NumMedia": "2"}))

    assert event.kind is EventKind.MESSAGE
    assert event.message is not None
    assert (event.message.address.value, event.message.text) == ("+12025550123", "STOP")
    assert (event.message.signal, event.message.media_count) == (ProviderSignal.STOP, 2)


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("STOP", "stop"),
        (" optout ", "stop"),
        ("Cancel", "stop"),
        ("info", "help"),
        ("STOP PLEASE", ""),
        ("START", ""),
        ("YES", ""),
    ],
)
def test_the_words_that_twilio_answers_by_default_are_marked_as_answered(text: str, signal: str) -> None:
    def heard(**settings: str) -> InboundMessage:
        (event,) = gateway(**settings).parse(hook(INBOUND | {"Body": text}))
        assert event.message is not None
        return event.message

    assert heard().signal == heard(stop_answered_by="provider").signal == signal
    assert heard(stop_answered_by="us").signal == ""


def test_what_twilio_tells_beats_its_default_words() -> None:
    (event,) = gateway(stop_answered_by="us").parse(hook(INBOUND | {"Body": "ARRET", "OptOutType": "STOP"}))

    assert event.message is not None
    assert (event.message.signal, event.message.signal_from) == (ProviderSignal.STOP, "OptOutType")


@pytest.mark.parametrize(
    ("status", "code", "expected", "kind"),
    [
        ("sent", "", ReceiptStatus.SENT, None),
        ("delivered", "", ReceiptStatus.DELIVERED, None),
        ("read", "", ReceiptStatus.DELIVERED, None),
        ("undelivered", "30005", ReceiptStatus.FAILED, ErrorKind.INVALID),
        ("failed", "21610", ReceiptStatus.FAILED, ErrorKind.OPTED_OUT),
        ("undelivered", "30007", ReceiptStatus.FAILED, ErrorKind.CONTENT),
    ],
)
def test_a_status_callback_becomes_a_receipt(status, code, expected, kind) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code, "To": "+12025550123"}

    (event,) = gateway().parse(hook(fields, f"{HOOK}?d=12.345.0", query={"d": "12.345.0"}))

    assert event.receipt is not None
    assert (event.receipt.ref, event.receipt.status) == (REF, expected)
    assert (event.receipt.error.kind if event.receipt.error else None) == kind


@pytest.mark.parametrize("status", ["queued", "sending", "accepted", "scheduled", "a-new-one"])
def test_a_status_that_tells_nothing_new_is_ignored(status: str) -> None:
    (event,) = gateway().parse(hook({"MessageSid": "SM1", "MessageStatus": status}))

    assert event.kind is EventKind.IGNORED


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        ({"From": "+12025550123"}, {}),
        (INBOUND | {"From": ""}, {}),
        (INBOUND | {"From": "a newspaper"}, {}),
        (INBOUND | {"NumMedia": "many"}, {}),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, {}),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, {"d": "1.2"}),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, {"d": "1.2.x3"}),
        ({"MessageStatus": "sent"}, {"d": "1.2.0"}),
    ],
)
def test_a_signed_webhook_that_makes_no_sense_is_malformed(fields, query) -> None:
    with pytest.raises(Malformed):
        gateway().parse(hook(fields, query=query))


def test_bytes_that_are_no_text_are_malformed() -> None:
    with pytest.raises(Malformed):
        gateway().parse(HookRequest("POST", HOOK, {}, b"Body=%ff%fe"))


def test_the_acknowledgement_is_empty_twiml() -> None:
    reply = gateway().acknowledge(hook(INBOUND))

    assert (reply.status, reply.content_type) == (200, "text/xml; charset=utf-8")
    assert reply.body.endswith("<Response/>")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, "account_sid"),
        ({"account_sid": ACCOUNT}, "auth_token"),
        (SETTINGS | {"account_sid": "SK1"}, "must begin with AC"),
        (SETTINGS | {"from": "city desk"}, "from"),
        (SETTINGS | {"colour": "red"}, "colour"),
        (SETTINGS | {"stop_answered_by": "nobody"}, "stop_answered_by is provider or us"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], names: str) -> None:
    with pytest.raises(BadSetting, match=names):
        TwilioGateway.check_settings(settings)


QUESTION = Question(REF, Address("sms", "+12025550123"), "Grüße", datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.mark.parametrize("more", [{}, {"messaging_service_sid": "MG" + "2" * 32}])
def test_we_ask_for_messages_as_the_sdk_would(more: dict[str, str]) -> None:
    recorder = Recorder()
    sender = {} if more else {"from_": "+12025550100"}
    Client(ACCOUNT, TOKEN, http_client=recorder).messages.page(to="+12025550123", page_size=50, **sender)
    method, url, _, _, auth = recorder.seen

    call = gateway(**more).look_up(QUESTION)

    asked, _, query = call.url.partition("?")
    assert (call.method, asked, call.basic_auth) == (method, url, tuple(auth))
    assert dict(parse_qsl(query)) == {
        k: str(v) for k, v in recorder.params.items() if isinstance(v, (str, int))
    }
