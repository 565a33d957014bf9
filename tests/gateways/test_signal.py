"""What only Signal does; what all gateways do is in the contract."""

import json

import pytest

from app.domain.addresses import Address
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Event,
    EventKind,
    HookRequest,
    Recipient,
    SendError,
)
from app.gateways.base import BadSetting, Call, Malformed, Reply
from app.gateways.connection import StreamRefused
from app.gateways.signal import PROOF_WANTED, SignalGateway, check_server
from app.gateways.signal_stream import EventReader, SignalStream, Told
from tests.gateways.sample import HOOK
from tests.gateways.samples.signal import (
    ADA,
    ADA_ID,
    OURS,
    SENT_AT,
    SETTINGS,
    event,
    failed,
    report,
    result,
    sent,
    text,
)

GATEWAY = SignalGateway(SETTINGS)
REST_OF_PAUSE = 300 - len(f"The provider refused our settings ({PROOF_WANTED}): ")


def call(to: str = ADA) -> Call:
    (found,) = GATEWAY.encode(Batch((Recipient(DeliveryRef(12, 345), Address("signal", to), "Hello"),), HOOK))
    return found


def error_of(reply: Reply) -> SendError:
    (outcome,) = GATEWAY.decode(call(), reply)
    assert outcome.error is not None
    return outcome.error


def heard(request: HookRequest) -> Event:
    (found,) = GATEWAY.parse(request)
    return found


def test_a_request_names_our_account_and_one_person_and_brings_the_proxys_password() -> None:
    found = call(ADA_ID)

    assert found.url == "http://127.0.0.1:8080/api/v1/rpc"
    assert found.basic_auth == ("tidings", "a-proxy-secret")
    assert json.loads(found.body) == {
        "jsonrpc": "2.0",
        "id": "12.345.0",
        "method": "send",
        "params": {"account": OURS, "recipient": [ADA_ID], "message": "Hello"},
    }


def test_without_a_password_nothing_is_signed_in() -> None:
    open_daemon = SignalGateway({**SETTINGS, "password": ""})

    assert open_daemon.events_call().basic_auth is None


@pytest.mark.parametrize("accept", [None, "", "yes"])
def test_it_is_off_until_the_operator_accepts_what_it_means(accept: str | None) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != "accept"}

    with pytest.raises(
        BadSetting, match=r"not by Signal.*forbid bulk messaging.*taken away.*200 people.*accept=community"
    ):
        SignalGateway.check_settings(settings if accept is None else {**settings, "accept": accept})


@pytest.mark.parametrize(
    "server",
    [
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://10.0.0.7",
        "http://signal-cli:8080",
        "https://s.example.org",
    ],
)
def test_a_daemon_is_near_or_reached_by_tls(server: str) -> None:
    check_server(server)


@pytest.mark.parametrize(
    "server", ["http://s.example.org", "http://8.8.8.8", "ftp://127.0.0.1", "http://", "signal"]
)
def test_a_daemon_elsewhere_without_tls_is_refused(server: str) -> None:
    with pytest.raises(BadSetting, match="server"):
        check_server(server)


def test_a_base_url_is_held_to_the_same_before_anything_leaves() -> None:
    with pytest.raises(StreamRefused, match="no private address"):
        SignalStream(SignalGateway(SETTINGS, "http://signal.example.org"))


def test_a_captcha_is_a_question_to_the_operator_whose_words_fit_beside_a_paused_sender() -> None:
    token = "3f2c1a9e-6d4b-4b7e-9a52-0d1f7c8e5b6a"

    error = error_of(failed("RATE_LIMIT_FAILURE", -5, token=token, retryAfterSeconds=86400))

    assert error.kind is ErrorKind.CONFIG
    assert f"signal-cli -a {OURS} submitRateLimitChallenge --challenge {token} --captcha" in error.detail
    assert len(error.detail) <= REST_OF_PAUSE


@pytest.mark.parametrize(("more", "wait"), [({}, 300.0), ({"retryAfterSeconds": 42}, 42.0)])
def test_a_limit_without_a_captcha_is_a_wait(more: dict[str, int], wait: float) -> None:
    error = error_of(failed("RATE_LIMIT_FAILURE", -5, **more))

    assert (error.kind, error.retry_after) == (ErrorKind.RATE_LIMITED, wait)


def test_the_id_of_a_message_is_the_one_that_its_report_names_though_the_number_is_hidden_there() -> None:
    (outcome,) = GATEWAY.decode(call(), sent(result("SUCCESS")))

    found = heard(report(number=None)).receipt

    assert found is not None
    assert found.provider_id == outcome.provider_id
    assert heard(report(number=ADA)).receipt != found  # it shows both addresses


def test_one_report_may_name_several_messages_and_one_that_was_read_came() -> None:
    found = GATEWAY.parse(report("isRead", SENT_AT, SENT_AT + 1))

    assert len({one.receipt.provider_id for one in found if one.receipt is not None}) == 2


def test_who_shows_both_addresses_is_known_by_the_number_and_who_hides_it_by_the_id() -> None:
    shown, hidden = (
        heard(text("STOP")).message,
        heard(event(number=None, dataMessage={"message": "STOP"})).message,
    )

    assert shown is not None
    assert hidden is not None
    assert (shown.address, shown.also_at) == (Address("signal", ADA), Address("signal", ADA_ID))
    assert (hidden.address, hidden.also_at) == (Address("signal", ADA_ID), None)
    assert shown.external_id == hidden.external_id


def test_words_that_were_changed_to_stop_say_stop() -> None:
    edited = event(editMessage={"targetSentTimestamp": 1, "dataMessage": {"timestamp": 2, "message": "STOP"}})

    found = heard(edited).message

    assert found is not None
    assert found.text == "STOP"


def test_a_picture_without_words_is_a_message_with_a_file() -> None:
    found = heard(text(None, attachments=[{"contentType": "image/jpeg"}])).message

    assert found is not None
    assert (found.text, found.media_count) == ("", 1)


@pytest.mark.parametrize(
    "nothing",
    [
        text("STOP", groupInfo={"groupId": "a-group"}),
        text(None, reaction={"emoji": "👍"}),
        event(typingMessage={"action": "STARTED"}),
        event(syncMessage={"sentMessage": {"message": "STOP"}}),
        event(receiptMessage={"when": SENT_AT, "timestamps": [SENT_AT]}),
        event(account="+12025550199", dataMessage={"message": "STOP"}),
        event(number="no number", sourceUuid=None, dataMessage={"message": "STOP"}),
    ],
    ids=["group", "reaction", "typing", "our own phone", "no kind", "another account", "nobody"],
)
def test_what_is_no_word_of_a_person_to_us_is_nothing(nothing: HookRequest) -> None:
    assert heard(nothing).kind is EventKind.IGNORED


def test_a_text_without_a_moment_cannot_be_told_from_its_repetition() -> None:
    with pytest.raises(Malformed, match="timestamp"):
        GATEWAY.parse(event(timestamp=None, dataMessage={"message": "STOP"}))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_events_are_read_wherever_the_network_cuts_them(size: int) -> None:
    raw = b':\n\nid:7\r\nevent:receive\r\ndata: {"a":\r\ndata: "\xc3\xbc"}\r\n\r\n:\ndata:{}\n\nevent: x\n\ndata:rest'
    reader = EventReader()

    found = [told for start in range(0, len(raw), size) for told in reader.feed(raw[start : start + size])]

    assert found == [Told("7", '{"a":\n"ü"}'), Told("7", "{}")]
    assert reader.waiting == len(b"data:rest")
