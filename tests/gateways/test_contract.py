"""The contract of `app.gateways.base`, tried on every gateway in the registry."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.addresses import canonical
from app.domain.buttons import Button, ButtonKind, Rich, limits_named
from app.domain.channels import CHANNELS
from app.domain.links import read_written
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    EventKind,
    HookRequest,
    PlatformSignal,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.domain.pace import PAIRS
from app.domain.policy.proactive import window_of
from app.domain.quotas import QUOTAS
from app.domain.small_lists import MOST_PEOPLE
from app.gateways.allowances import CannotSay, TellsAllowance
from app.gateways.base import (
    Accounted,
    BadSetting,
    BadSignature,
    Call,
    Gateway,
    GatewayClass,
    Malformed,
    Reply,
)
from app.gateways.code_tables import codes_of, version_of
from app.gateways.common import PERSONAL, TRIES_IF_UNLISTED
from app.gateways.http_sms import descriptions
from app.gateways.registry import GATEWAYS, build
from tests.gateways.sample import HOOK, PRESSED, REF, Sample
from tests.gateways.samples import SAMPLES

TEXT = 'Grüße 🌍 & <more> "quoted"\nsecond line'
every_gateway = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())

_TELLERS = [one for one in SAMPLES.values() if hasattr(GATEWAYS[one.name], "allowance_calls")]
every_teller = pytest.mark.parametrize("sample", _TELLERS, ids=[one.name for one in _TELLERS])


def bound(sample: Sample) -> Gateway:
    return build(sample.name, sample.settings, None)


def class_of(sample: Sample) -> GatewayClass:
    return GATEWAYS[sample.name]


def batch(sample: Sample, count: int, text: str = TEXT) -> Batch:
    channel = bound(sample).capabilities().channel
    people = [canonical(channel, sample.addresses[i % len(sample.addresses)]) for i in range(count)]
    return Batch(
        tuple(
            Recipient(DeliveryRef(12, 345 + i), person, text, sample.routes.get(person.value, ""))
            for i, person in enumerate(people)
        ),
        HOOK,
    )


def first_call(sample: Sample, count: int = 1) -> Call:
    return bound(sample).encode(batch(sample, count))[0]


@every_gateway
def test_settings_make_the_senders_address_and_what_is_missing_wrong_or_unknown_is_named(
    sample: Sample,
) -> None:
    check = class_of(sample).check_settings

    assert check(sample.settings) == sample.sender
    with pytest.raises(BadSetting, match="no setting of"):
        check({**sample.settings, "colour": "red"})
    for spec in class_of(sample).settings:
        if spec.required:
            with pytest.raises(BadSetting, match=f"{spec.name} is missing"):
                check({**sample.settings, spec.name: ""})
    for change, word in sample.wrong_settings:
        with pytest.raises(BadSetting, match=word):
            check({**sample.settings, **change})


@every_gateway
def test_what_its_channel_carries_is_what_editors_are_told(sample: Sample) -> None:
    can = bound(sample).capabilities()
    told = CHANNELS[can.channel]

    assert (can.max_text, can.text_unit) == (told.longest, told.unit)


@every_gateway
def test_its_window_is_what_the_gate_keeps(sample: Sample) -> None:
    can = bound(sample).capabilities()

    assert can.window == window_of(can.channel)


@every_gateway
def test_a_quota_is_what_editors_and_the_gate_are_told(sample: Sample) -> None:
    assert class_of(sample).capabilities().quota == QUOTAS.get(sample.name)
    assert class_of(sample).capabilities().most_people == MOST_PEOPLE.get(sample.name)


@every_teller
@pytest.mark.parametrize(
    "reply", [Reply(0, left=False), Reply(401, b"{}"), Reply(200, b"no JSON"), Reply(200, b"[]")]
)
def test_what_a_sender_may_still_send_is_asked_harmlessly_and_never_guessed(
    sample: Sample, reply: Reply
) -> None:
    gateway = bound(sample)
    assert isinstance(gateway, TellsAllowance)
    calls = gateway.allowance_calls()

    assert {(one.method, one.body, one.refs) for one in calls} == {("GET", b"", ())}
    with pytest.raises(CannotSay):
        gateway.allowance_of([reply for _ in calls])


@every_gateway
def test_the_name_of_its_account_holds_no_secret(sample: Sample) -> None:
    gateway = bound(sample)
    if not isinstance(gateway, Accounted):
        pytest.skip("its settings name no account that several senders have")
    secrets = [
        sample.settings[spec.name] for spec in class_of(sample).settings if spec.secret and spec.required
    ]

    assert re.fullmatch(r"[a-z]+:\S{1,110}", gateway.provider_account)
    assert not [one for one in secrets if one in gateway.provider_account]


@every_gateway
def test_a_limit_of_one_person_is_that_of_the_channel(sample: Sample) -> None:
    can = class_of(sample).capabilities()

    assert can.pair == PAIRS.get(can.channel)
    assert can.pair is None or can.max_batch == 1  # who shares a request cannot rest alone


@every_gateway
def test_its_requests_cover_everybody_once_and_no_more_than_fit_in_one(sample: Sample) -> None:
    gateway = bound(sample)
    limit = gateway.capabilities().max_batch
    for count in (1, 2, limit + 1):
        whole = batch(sample, count)

        calls = gateway.encode(whole)

        assert sorted(ref for call in calls for ref in call.refs) == sorted(
            one.ref for one in whole.recipients
        )
        assert all(1 <= len(call.refs) <= limit for call in calls)


@every_gateway
def test_people_with_texts_of_their_own_share_a_request_only_where_each_has_a_result(sample: Sample) -> None:
    one, two = (batch(sample, 1, text).recipients[0] for text in ("for Ada", "for Grace"))
    both = Batch((one, two._replace(ref=DeliveryRef(12, 999))), HOOK)

    calls = bound(sample).encode(both)

    if bound(sample).capabilities().own_results:
        assert [call.refs for call in calls] == [(one.ref, DeliveryRef(12, 999))]
        assert all(words in sample.plain(calls[0]) for words in ("for Ada", "for Grace"))
        return
    assert [call.refs for call in calls] == [(one.ref,), (DeliveryRef(12, 999),)]


@every_gateway
def test_a_base_url_points_every_request_elsewhere(sample: Sample) -> None:
    connection = bound(sample).capabilities().connection
    if connection == "store" or (connection == "stream" and "host" in sample.settings):
        return
    gateway = build(sample.name, sample.settings, "http://127.0.0.1:8001/")

    assert all(call.url.startswith("http://127.0.0.1:8001/") for call in gateway.encode(batch(sample, 1)))
    assert not first_call(sample).url.startswith("http://127.0.0.1:8001/")


@every_gateway
def test_a_yes_gives_each_of_them_the_providers_id(sample: Sample) -> None:
    count = min(3, bound(sample).capabilities().max_batch)
    call = first_call(sample, count)

    outcomes = bound(sample).decode(call, sample.accepted(count))

    assert [(one.ref, one.error) for one in outcomes] == [(ref, None) for ref in call.refs]
    ids = list(sample.provider_ids[:count]) or [sample.provider_id] * count
    assert [one.provider_id for one in outcomes] == ids


@every_gateway
def test_each_no_is_read_into_the_family_of_errors(sample: Sample) -> None:
    call = first_call(sample)

    read = [bound(sample).decode(call, reply)[0].error for reply, _ in sample.failures]

    assert [error.kind if error else None for error in read] == [kind for _, kind in sample.failures]
    waits = [error.retry_after for error in read if error and error.kind is ErrorKind.RATE_LIMITED]
    assert all(wait is not None and wait > 0 for wait in waits)


@every_gateway
def test_each_kind_that_its_table_has_is_shown_by_an_example(sample: Sample) -> None:
    shown = {kind for _, kind in (*sample.failures, *sample.failed_later)}
    has_table = version_of(sample.name) and sample.name not in descriptions()

    assert shown
    assert shown >= set(codes_of(sample.name).values() if has_table else ())
    assert bool(has_table) <= bool(sample.unlisted)


@every_gateway
def test_each_failure_that_is_told_later_is_read_into_the_family_of_errors(sample: Sample) -> None:
    read = [later(sample, request) for request, _ in sample.failed_later]

    assert [error.kind for error in read] == [kind for _, kind in sample.failed_later]


@every_gateway
def test_a_code_that_no_table_has_is_a_passing_fault_and_tried_twice_at_most(sample: Sample) -> None:
    call = first_call(sample)
    at_once = [bound(sample).decode(call, reply)[0].error for reply in sample.unlisted]

    for error in (*at_once, *(later(sample, request) for request in sample.unlisted_later)):
        assert error is not None
        assert error.kind is ErrorKind.TEMPORARY
        assert error.tries <= TRIES_IF_UNLISTED


def later(sample: Sample, request: HookRequest) -> SendError:
    """The error that a webhook reports."""
    bound(sample).verify(request)
    (event,) = bound(sample).parse(request)
    assert event.receipt is not None
    assert event.receipt.status is ReceiptStatus.FAILED
    assert event.receipt.error is not None
    return event.receipt.error


@every_gateway
def test_a_no_about_one_person_is_not_believed_of_all_who_shared_the_request(sample: Sample) -> None:
    gateway = bound(sample)
    if gateway.capabilities().max_batch == 1:
        return
    call = first_call(sample, 3)
    assert len(call.refs) == 3

    kinds = {
        one.error.kind if one.error else None
        for reply, _ in sample.failures
        for one in gateway.decode(call, reply)
    }

    if not gateway.capabilities().own_results:
        assert not kinds & PERSONAL


@every_gateway
def test_where_each_has_a_result_of_their_own_everybody_else_keeps_theirs(sample: Sample) -> None:
    gateway = bound(sample)
    if not gateway.capabilities().own_results:
        return
    call = first_call(sample, 3)
    refs = set(call.refs)

    # Samples of failures name the first person alone.
    for reply, kind in sample.failures:
        first, *others = gateway.decode(call, reply)
        assert {first.ref, *(one.ref for one in others)} == refs
        assert first.error is not None
        if kind in PERSONAL:
            assert first.error.kind is kind
            assert {one.error.kind for one in others if one.error} == {ErrorKind.UNKNOWN}
    one, two, three = gateway.decode(call, sample.accepted(2))
    assert (one.error, two.error) == (None, None)
    assert three.error is not None
    assert three.error.kind is ErrorKind.UNKNOWN


@every_gateway
def test_a_repeated_request_is_the_same_request_and_its_yes_the_same_yes(sample: Sample) -> None:
    gateway = bound(sample)
    assert gateway.capabilities().idempotent == (sample.repeated is not None)
    if sample.repeated is None:
        return
    call, again = first_call(sample, 3), first_call(sample, 3)
    one, two = (gateway.encode(batch(sample, 3, f"{which} text"))[0] for which in ("one", "two"))

    outcomes = gateway.decode(again, sample.repeated)

    assert (call.url, call.headers, call.body) == (again.url, again.headers, again.body)
    # Beside the words, which differ, the key that stands in address, headers or body does.
    same_words = two.body.replace(b"two text", b"one text")
    assert (one.url, one.headers, one.body) != (two.url, two.headers, same_words)
    if gateway.capabilities().max_batch > 1:
        assert call.body != first_call(sample, 2).body
    assert [(one.error, one.provider_id) for one in outcomes] == [(None, sample.provider_id)] * len(call.refs)


@every_gateway
def test_silence_is_unknown_when_the_request_may_have_left_and_temporary_when_not(sample: Sample) -> None:
    gateway, call = bound(sample), first_call(sample)

    (left,) = gateway.decode(call, Reply(0, left=True, reason="curl_28"))
    (kept,) = gateway.decode(call, Reply(0, left=False, reason="curl_7"))

    assert left.error is not None
    assert kept.error is not None
    assert (left.error.kind, kept.error.kind) == (ErrorKind.UNKNOWN, ErrorKind.TEMPORARY)


@every_gateway
@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_any_reply_gives_everybody_one_outcome(sample: Sample, status: int, body: bytes) -> None:
    call = first_call(sample, min(2, bound(sample).capabilities().max_batch))

    outcomes = bound(sample).decode(call, Reply(status, body))

    assert [one.ref for one in outcomes] == list(call.refs)
    assert all((one.error is None) == (one.provider_id is not None) for one in outcomes)


@every_gateway
def test_a_stop_is_heard_with_an_id_that_stays_the_same(sample: Sample) -> None:
    gateway = bound(sample)
    gateway.verify(sample.stop)

    (event,) = gateway.parse(sample.stop)
    (again,) = gateway.parse(sample.stop)

    assert event.kind is EventKind.MESSAGE
    assert event.message is not None
    assert event.message.text == "STOP"
    assert event.message.address == canonical(gateway.capabilities().channel, sample.addresses[0])
    assert event.message.external_id
    assert event == again
    assert 200 <= gateway.acknowledge(sample.stop).status < 300


@every_gateway
def test_what_the_provider_did_not_sign_is_refused(sample: Sample) -> None:
    unsigned = HookRequest("POST", HOOK, {}, sample.stop.body)

    for request in (sample.tampered, unsigned):
        with pytest.raises(BadSignature):
            bound(sample).verify(request)


@every_gateway
@given(body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_a_body_that_makes_no_sense_is_malformed_or_of_no_interest_and_nothing_worse(
    sample: Sample, body: bytes
) -> None:
    try:
        events = bound(sample).parse(HookRequest("POST", HOOK, {}, body))
    except Malformed:
        return
    assert all(event.kind is not EventKind.RECEIPT for event in events)


@every_gateway
def test_malformed_webhooks_are_named_so(sample: Sample) -> None:
    for request in sample.malformed:
        with pytest.raises(Malformed):
            bound(sample).parse(request)


@every_gateway
def test_of_several_events_in_one_post_none_is_lost_for_another(sample: Sample) -> None:
    if sample.several is None:
        return
    gateway = bound(sample)
    gateway.verify(sample.several)

    events = [one for one in gateway.parse(sample.several) if one.kind is not EventKind.IGNORED]

    ids = [found.external_id for one in events if (found := one.message or one.signal) is not None]
    assert len(set(ids)) == len(events) == 3


@every_gateway
def test_the_question_whose_address_this_is_gets_its_answer_and_a_stranger_none(sample: Sample) -> None:
    gateway = bound(sample)
    if sample.handshake is not None:
        question, answer = sample.handshake
        reply = gateway.handshake(question)
        assert reply is not None
        assert (reply.status, reply.body) == (200, answer)
        with pytest.raises(BadSignature):
            gateway.handshake(replace(question, query=dict.fromkeys(question.query, "wrong")))

    nothing = gateway.handshake(HookRequest("GET", HOOK, {}, b""))
    assert nothing is None or nothing.status == 405


@every_gateway
def test_it_hears_exactly_the_signals_that_it_says(sample: Sample) -> None:
    gateway = bound(sample)

    heard: dict[PlatformSignal, str] = {}
    for expected, request in sample.signals.items():
        gateway.verify(request)
        (event,) = gateway.parse(request)
        assert event.signal is not None
        assert event.signal.signal is expected
        heard[expected] = event.signal.external_id

    assert set(heard) == gateway.capabilities().signals
    assert len(set(heard.values())) == len(heard)


@every_gateway
def test_news_of_the_account_is_neutral_says_why_and_is_of_nobody(sample: Sample) -> None:
    gateway = bound(sample)

    for request, expected in sample.news:
        gateway.verify(request)
        (event,) = gateway.parse(request)
        assert event.news is not None
        assert event.news.news is expected
        assert event.news.why
        assert event.at is not None
        assert (event.message, event.receipt, event.signal) == (None, None, None)
        assert gateway.parse(request) == [event]


@every_gateway
def test_it_reads_exactly_the_receipts_that_it_says(sample: Sample) -> None:
    gateway = bound(sample)

    for expected, request in sample.receipts.items():
        gateway.verify(request)
        (event,) = gateway.parse(request)
        assert event.receipt is not None
        assert event.receipt.status == expected
        if event.receipt.ref is None:  # found by the id that the provider gave with its yes
            assert event.receipt.provider_id == sample.provider_id
        else:
            assert str(event.receipt.ref) == REF
        assert (event.receipt.error is not None) == (expected == "failed")

    assert set(sample.receipts) == gateway.capabilities().receipts


@every_gateway
def test_a_deep_link_brings_its_payload(sample: Sample) -> None:
    gateway = bound(sample)
    if sample.deep_link is None:
        link = unquote(str(gateway.link("weekly_poster7")))
        carries_nothing = link == unquote(str(gateway.link("daily_poster7")))
        # Where it is written for the person to send, it must be all that they send.
        assert carries_nothing or re.search(r"[=?/:]weekly_poster7$", link)
        assert carries_nothing or read_written("weekly_poster7", {"weekly": "1"}) is not None
        return

    (event,) = gateway.parse(sample.deep_link)

    link = gateway.link("weekly_poster7")
    assert (
        link is None or "weekly_poster7" in link
    )  # None where the provider alone can draw one, as WeChat does
    carried = (
        event.message.payload if event.message else event.signal.evidence["payload"] if event.signal else ""
    )
    assert carried == "weekly_poster7"


@every_gateway
def test_no_secret_shows_in_what_is_logged(sample: Sample) -> None:
    names = [spec.name for spec in class_of(sample).settings if spec.secret]
    secrets = [sample.settings[name] for name in names if name in sample.settings]

    shown = repr(bound(sample)) + repr(first_call(sample))

    assert secrets
    assert not any(secret in shown for secret in secrets)


YES = Button(ButtonKind.REPLY, "Yes", PRESSED)
NO = Button(ButtonKind.REPLY, "No", "bt-" + "n" * 26)
MORE = Button(ButtonKind.LINK, "More", "https://news.example.org/more")


def with_buttons(sample: Sample, count: int, *buttons: Button) -> Batch:
    plain = batch(sample, count)
    people = [one._replace(rich=Rich(buttons)) for one in plain.recipients]
    return Batch(tuple(people), HOOK)


def sets_that_fit(sample: Sample) -> list[tuple[Button, ...]]:
    every = [(YES,), (YES, NO), (MORE,), (YES, MORE)]
    limits = bound(sample).capabilities().buttons
    return [one for one in every if limits.carry(one)]


@every_gateway
def test_its_buttons_are_what_editors_are_told(sample: Sample) -> None:
    assert bound(sample).capabilities().buttons == limits_named(sample.name)


@every_gateway
def test_each_button_that_fits_goes_out_with_its_label_and_what_a_press_brings(sample: Sample) -> None:
    for buttons in sets_that_fit(sample):
        shown = sample.plain(bound(sample).encode(with_buttons(sample, 1, *buttons))[0])
        for one in buttons:
            assert one.label in shown
            assert one.value in shown


@every_gateway
def test_people_with_other_buttons_never_share_a_request(sample: Sample) -> None:
    one, two = (with_buttons(sample, 1, button).recipients[0] for button in (YES, NO))
    both = Batch((one, two._replace(ref=DeliveryRef(12, 999))), HOOK)

    calls = bound(sample).encode(both)

    if bound(sample).capabilities().own_results:
        assert [call.refs for call in calls] == [(one.ref, DeliveryRef(12, 999))]
        return
    assert [call.refs for call in calls] == [(one.ref,), (DeliveryRef(12, 999),)]


@every_gateway
def test_a_press_brings_the_id_of_the_button(sample: Sample) -> None:
    gateway = bound(sample)
    assert (sample.press is not None) == (gateway.capabilities().buttons.replies > 0)
    if sample.press is None:
        return
    gateway.verify(sample.press)

    (event,) = gateway.parse(sample.press)

    assert event.message is not None
    assert event.message.payload == YES.value
    assert event.message.address == canonical(gateway.capabilities().channel, sample.addresses[0])
    assert event.message.external_id
    assert 200 <= gateway.acknowledge(sample.press).status < 300
