"""Providers as data files: what a slip in one is answered with, and how texts and nested fields are written."""

import json
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from app.domain.addresses import Address
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Outcome,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.gateways.base import Call, Reply
from app.gateways.http_sms import descriptions
from app.gateways.http_sms.description import BadDescription, read
from app.gateways.paths import at, filled, holds, items
from app.gateways.registry import build
from tests.gateways.sample import HOOK, REF
from tests.gateways.samples.http_sms import (
    SAMPLES,
    SECRET,
    clickatell_one,
    clickatell_one_refuses,
    infobip_takes,
)

GOOD = """
title = "Test"
source = "a page"
base_url = "https://sms.example.org"
settings = { from = { example = "+12025550100" } }
request = { method = "POST", path = "/send", body = "json", fields = { to = "{to}" } }
reply = { id = "id" }
inbound = { format = "json", when = "text", id = "id", from = "from", text = "text" }
"""


def call_of(name: str, text: str) -> Call:
    person = Recipient(DeliveryRef.parse(REF), Address("sms", "+12025550123"), text)
    (call,) = build(name, SAMPLES[name].settings, None).encode(Batch((person,), HOOK))
    return call


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ('title = "Test"', "", "title"),
        ('body = "json"', 'body = "xml"', "form, json, text"),
        ('format = "json"', 'format = "xml"', "form, json, query"),
        ('reply = { id = "id" }', 'reply = { id = "id" }\ncodes = { annoyed = [1] }', "annoyed"),
        ("title", "title title", "line 2"),
    ],
)
def test_a_slip_in_a_file_is_named_with_the_file(before: str, after: str, word: str) -> None:
    assert read("acme", GOOD).title == "Test"
    with pytest.raises(BadDescription, match=rf"acme\.toml: .*{word}"):
        read("acme", GOOD.replace(before, after, 1))


def test_every_provider_says_where_its_description_comes_from() -> None:
    assert {name for name, one in descriptions().items() if len(one.source) < 20} == set()
    assert len(descriptions()) == 11


def test_a_form_names_the_encoding_that_the_text_needs() -> None:
    plain, emoji = (parse_qs(call_of("vonage", text).body.decode()) for text in ("Grüße", "Hi 🌍"))

    assert (plain["type"], plain["text"]) == (["text"], ["Grüße"])
    assert (emoji["type"], emoji["text"]) == (["unicode"], ["Hi 🌍"])
    assert plain["client-ref"] == [REF]
    assert plain["callback"] == [f"{HOOK}?key={SECRET}&d={REF}"]


def test_nested_fields_are_written_where_they_belong() -> None:
    (message,) = json.loads(call_of("infobip", 'a "quoted" {to} text').body)["messages"]

    assert message["destinations"] == [{"to": "12025550123"}]
    assert message["content"] == {"text": 'a "quoted" {to} text'}
    assert message["webhooks"]["callbackData"] == REF


def test_a_text_for_kannel_is_the_body_and_all_else_are_headers() -> None:
    call = call_of("kannel", "Привет")

    assert call.body == "Привет".encode()
    assert call.headers["X-Kannel-To"] == "+12025550123"
    assert call.headers["X-Kannel-Coding"] == "2"
    assert "X-Kannel-SMSC" not in call.headers


def test_paths_lead_into_documents_and_nowhere_else() -> None:
    document = {"a": [{"b": 7, "yes": True}], "list": [1]}

    assert [at(document, path) for path in ("a.0.b", "a.0.yes", "a.1.b", "a.x", "a", "")] == [
        "7",
        "true",
        "",
        "",
        "",
        "",
    ]
    assert items(document, "list") == [1]
    assert items([1, 2], "") == [1, 2]
    assert items(document, "nothing") == []
    assert [holds(document, rule) for rule in ("a.0.b", "a.0.b=7", "a.0.b=8", "z")] == [
        True,
        True,
        False,
        False,
    ]
    assert filled({"n": 1, "l": ["{x}"]}, {"x": "{y}"}) == {"n": 1, "l": ["{y}"]}


def failure(name: str, **changes: str) -> SendError:
    """What a provider's report of a failure says, with some of its values changed."""
    report = SAMPLES[name].receipts[ReceiptStatus.FAILED]
    (event,) = build(name, SAMPLES[name].settings, None).parse(
        replace(report, query={**report.query, **changes})
    )
    assert event.receipt is not None
    assert event.receipt.error is not None
    return event.receipt.error


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ("NACK/0x0000000b/Invalid Destination Address", ErrorKind.INVALID, "0x0000000b"),
        ("NACK/0x00000045/Submit Failed", ErrorKind.TEMPORARY, "0x00000045"),
        ("id:01 stat:UNDELIV err:001", ErrorKind.TEMPORARY, "16"),
    ],
)
def test_why_a_centre_refused_a_message_stands_in_kannels_answer(
    answer: str, kind: ErrorKind, code: str
) -> None:
    error = failure("kannel", answer=answer)

    assert (error.kind, error.code) == (kind, code)


def test_a_number_that_opted_out_at_messagebird_is_told_by_a_report() -> None:
    assert failure("messagebird", statusErrorCode="103").kind is ErrorKind.OPTED_OUT


def test_a_dead_number_is_one_at_telnyx_too() -> None:
    assert descriptions()["telnyx"].codes["40012"] is ErrorKind.INVALID


def test_a_code_pattern_must_find_a_code() -> None:
    receipt = (
        'receipt = { format = "query", when = "st", ref = "d", id = "i", status = "st", code_pattern = "%s" }'
    )
    for pattern, word in (("(", "no regular expression"), ("NACK", "no group")):
        with pytest.raises(BadDescription, match=word):
            read("acme", GOOD + receipt % pattern)


def several(*numbers: str, provider: str = "infobip") -> Call:
    people = tuple(
        Recipient(DeliveryRef(12, at), Address("sms", one), f"Hello {at}")
        for at, one in enumerate(numbers, 1)
    )
    (call,) = build(provider, SAMPLES[provider].settings, None).encode(Batch(people, HOOK))
    return call


ADA, GRACE, HEDY = "+12025550123", "+447700900118", "+12025550124"


def test_each_person_in_a_request_has_text_reference_and_callback_of_their_own() -> None:
    messages = json.loads(several(ADA, GRACE).body)["messages"]

    assert [one["content"]["text"] for one in messages] == ["Hello 1", "Hello 2"]
    assert [one["webhooks"]["callbackData"] for one in messages] == ["12.1.0", "12.2.0"]
    assert [one["destinations"] for one in messages] == [[{"to": "12025550123"}], [{"to": "447700900118"}]]


def test_results_are_matched_by_number_and_not_by_place() -> None:
    outcomes = decoded(several(ADA, GRACE, HEDY), infobip_takes([HEDY, GRACE]))

    ids = [(one.provider_id, one.error and one.error.kind) for one in outcomes]
    assert ids == [(None, ErrorKind.UNKNOWN), ("IB2", None), ("IB1", None)]


def test_two_messages_to_one_number_have_a_result_each() -> None:
    outcomes = decoded(several(ADA, ADA, ADA), infobip_takes([ADA, ADA]))

    assert [one.provider_id for one in outcomes] == ["IB1", "IB2", None]


def test_a_request_refused_as_a_whole_is_everybodys_outcome() -> None:
    said = {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}}
    outcomes = decoded(several(ADA, GRACE), Reply(401, json.dumps(said).encode()))

    assert [one.error and one.error.kind for one in outcomes] == [ErrorKind.AUTH] * 2


def test_clickatell_says_of_each_what_became_of_it_in_a_refusal_too() -> None:
    call = several(ADA, GRACE, HEDY, provider="clickatell_one")
    messages = json.loads(call.body)["messages"]

    some = clickatell_one(207, [HEDY, ADA, GRACE], n447700900118=25)
    none = clickatell_one(400, [ADA, GRACE, HEDY], n12025550123=26, n447700900118=25, n12025550124=73999)

    assert call.url.endswith("/v1/message")
    assert [(one["to"], one["content"], one["clientMessageId"]) for one in messages] == [
        ("12025550123", "Hello 1", "12.1.0"),
        ("447700900118", "Hello 2", "12.2.0"),
        ("12025550124", "Hello 3", "12.3.0"),
    ]
    found = decoded(call, some)
    assert [one.provider_id for one in found] == ["CO2", None, "CO1"]
    assert kinds(found) == [None, ErrorKind.INVALID, None]
    assert kinds(decoded(call, none)) == [ErrorKind.OPTED_OUT, ErrorKind.INVALID, ErrorKind.TEMPORARY]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (402, 20, ErrorKind.QUOTA),
        (401, 1, ErrorKind.AUTH),
        (400, 43, ErrorKind.RATE_LIMITED),
        (400, 22, ErrorKind.TEMPORARY),
        (400, 25, ErrorKind.TEMPORARY),  # about one of them, and nobody knows which
        (503, 18, ErrorKind.TEMPORARY),
    ],
)
def test_a_code_beside_the_list_is_about_everybody(status: int, code: int, kind: ErrorKind) -> None:
    call = several(ADA, GRACE, provider="clickatell_one")

    assert kinds(decoded(call, clickatell_one_refuses(status, code))) == [kind] * 2


def kinds(outcomes: Sequence[Outcome]) -> list[ErrorKind | None]:
    return [one.error.kind if one.error else None for one in outcomes]


def decoded(call: Call, reply: Reply) -> Sequence[Outcome]:
    name = "clickatell_one" if call.url.endswith("/v1/message") else "infobip"
    return build(name, SAMPLES[name].settings, None).decode(call, reply)


BATCH = """
[batch]
most = 10
list = "people"
number = "to"
answers = "results"
answered = "to"
"""
TOGETHER = GOOD.replace(
    'fields = { to = "{to}" }', 'fields = { people = [{ to = "{to}" }], by = "{from}" }'
).replace('reply = { id = "id" }', 'reply = { id = "results.0.id" }')


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("most = 10", "most = 1", r"batch\.most"),
        ('list = "people"', 'list = "persons"', r"batch\.list"),
        ('by = "{from}"', 'by = "{ref}"', r"\{ref\} stands outside of people"),
        ("results.0.id", "id", "does not lead there"),
        ('answered = "to"', "", "'answered' is missing"),
    ],
)
def test_a_slip_in_how_people_share_a_request_is_named(before: str, after: str, word: str) -> None:
    text = TOGETHER + BATCH
    assert read("acme", text).together is not None
    with pytest.raises(BadDescription, match=rf"acme\.toml: .*{word}"):
        read("acme", text.replace(before, after, 1))
