"""SMPP as a table: what our units say, what a centre's mean, and how ids in two spellings are one."""

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, EventKind, HookRequest, Recipient, SendError
from app.gateways.base import Call
from app.gateways.smpp import LATE_ANSWER, REF, SmppGateway
from app.gateways.smpp_pdu import MESSAGE_PAYLOAD, RECEIPTED_MESSAGE_ID, Message, Party, all_pdus
from app.gateways.smpp_text import Header, decoded, split_header
from tests.gateways.sample import HOOK
from tests.gateways.samples.smpp import (
    ADA,
    FROM_ADA,
    SETTINGS,
    TO_US,
    answered,
    delivered,
    in_fields,
    in_words,
    report,
    text,
)

ADAS = DeliveryRef(12, 345)
LONG = "Grüße: " + "the bridge is open. " * 20


def gateway(**settings: str) -> SmppGateway:
    return SmppGateway(SETTINGS | settings)


def call(words: str, ref: DeliveryRef = ADAS, **settings: str) -> Call:
    (found,) = gateway(**settings).encode(Batch((Recipient(ref, Address("sms", ADA), words),), HOOK))
    return found


def units(words: str, ref: DeliveryRef = ADAS, **settings: str) -> list[Message]:
    return [Message.decode(one.body) for one in all_pdus(call(words, ref, **settings).body)]


def test_a_short_text_is_one_unit_that_asks_for_a_report() -> None:
    (unit,) = units("Grüße [all] €")

    assert (unit.source, unit.destination) == (TO_US, FROM_ADA)
    assert (unit.data_coding, unit.esm_class, unit.registered_delivery) == (0, 0, 1)
    assert decoded(unit.payload, 0, "gsm") == "Grüße [all] €"


def test_other_letters_go_as_ucs_2_and_a_short_code_is_the_networks_own_number() -> None:
    (unit,) = units("Привет 🌍", **{"from": "12345"})

    assert (unit.data_coding, unit.payload.decode("utf_16_be")) == (8, "Привет 🌍")
    assert unit.source == Party(3, 0, "12345")


def test_a_long_text_goes_in_parts_of_one_reference_and_its_last_asks_for_the_report() -> None:
    parts = units(LONG)

    headers, texts = zip(*(split_header(one.payload) for one in parts), strict=True)
    assert headers == (Header(12, 3, 1), Header(12, 3, 2), Header(12, 3, 3))
    assert decoded(b"".join(texts), 0, "gsm") == LONG
    assert [one.esm_class for one in parts] == [0x40] * 3
    assert [one.registered_delivery for one in parts] == [0, 0, 1]
    assert all(len(one.short_message) <= 159 for one in parts)


def test_the_next_broadcast_has_another_reference_and_a_second_try_the_same() -> None:
    first, again, following = (
        split_header(units(LONG, DeliveryRef(id_, 345))[0].payload)[0] for id_ in (12, 12, 13)
    )

    assert first == again != following


def test_a_centre_that_cuts_by_itself_gets_one_unit() -> None:
    (unit,) = units(LONG, long="payload")

    assert unit.short_message == b""
    assert decoded(unit.options[MESSAGE_PAYLOAD], 0, "gsm") == LONG


def test_a_text_is_read_from_either_field_and_from_its_parts() -> None:
    in_payload = text(b"", options={MESSAGE_PAYLOAD: b"STOP all"})
    halves = "Привет 🌍".encode("utf_16_be")
    parts = [
        text(Header(9, 2, number).encode() + half, 8, 0x40)  # cut in the middle of the emoji
        for number, half in ((1, halves[:-2]), (2, halves[-2:]))
    ]

    assert [said(delivered(in_payload)), said(delivered(*parts))] == ["STOP all", "Привет 🌍"]


def said(request: HookRequest) -> str:
    (event,) = gateway().parse(request)
    assert event.message is not None
    return event.message.text


def test_a_picture_is_media_and_names_and_short_codes_are_nobody_to_answer() -> None:
    (picture,) = gateway().parse(delivered(text(b"\x89PNG", 4)))
    others = [
        gateway().parse(delivered(Message(party, TO_US, b"STOP")))[0].kind
        for party in (Party(5, 0, "INFO"), Party(3, 0, "12345"))
    ]

    assert picture.message is not None
    assert (picture.message.text, picture.message.media_count) == ("", 1)
    assert others == [EventKind.IGNORED] * 2


@pytest.mark.parametrize(
    ("ours", "party", "who"),
    [
        ("+447700900180", Party(2, 1, "7700900001"), ADA),
        ("+447700900180", Party(2, 1, "07700900001"), ADA),
        ("+447700900180", Party(0, 0, "07700900001"), ADA),
        ("+12025550180", Party(2, 1, "2025550143"), "+12025550143"),
        ("+12025550180", Party(0, 0, "00447700900001"), ADA),
        ("12345", Party(1, 1, "447700900001"), ADA),
    ],
)
def test_a_number_as_it_is_dialled_at_home_is_of_our_own_country(ours: str, party: Party, who: str) -> None:
    (event,) = gateway(**{"from": ours}).parse(delivered(Message(party, TO_US, b"STOP")))

    assert event.message is not None
    assert event.message.address.value == who


@pytest.mark.parametrize(
    ("message", "status", "error"),
    [
        (in_words("DELIVRD"), "delivered", None),
        (in_words("delivrd"), "delivered", None),
        (in_words("ACCEPTD"), "sent", None),
        (in_words("EXPIRED", error="034"), "failed", SendError(ErrorKind.TEMPORARY, "EXPIRED:034")),
        (
            in_words("UNDELIV", error="001"),
            "failed",
            SendError(ErrorKind.INVALID, "UNDELIV:001", bounces_after=3),
        ),
        (in_words("REJECTD"), "failed", SendError(ErrorKind.TEMPORARY, "REJECTD:000")),
        (in_fields(2), "delivered", None),
        (in_fields(3), "failed", SendError(ErrorKind.TEMPORARY, "EXPIRED")),
        (in_fields(5), "failed", SendError(ErrorKind.INVALID, "UNDELIV", bounces_after=3)),
        (report("id:A7 stat:DELIVRD", 0, {RECEIPTED_MESSAGE_ID: b"A7\0"}), "delivered", None),
    ],
)
def test_reports_are_read_from_fields_and_from_words(
    message: Message, status: str, error: SendError | None
) -> None:
    (event,) = gateway().parse(delivered(message))

    assert event.receipt is not None
    assert (event.receipt.ref, event.receipt.provider_id) == (None, "#a7")
    assert (event.receipt.status, event.receipt.error) == (status, error)


@pytest.mark.parametrize(
    "message", [in_words("ENROUTE"), in_words("UNKNOWN"), in_fields(1), report("no such form")]
)
def test_a_stage_on_the_way_says_nothing(message: Message) -> None:
    assert [one.kind for one in gateway().parse(delivered(message))] == [EventKind.IGNORED]


def test_a_notice_on_the_way_is_no_text_of_a_person() -> None:
    (event,) = gateway().parse(delivered(report("id:A7 stat:ENROUTE err:000", 0x20)))

    assert event.kind is EventKind.IGNORED


def test_a_text_that_the_centre_names_by_the_same_field_is_a_text() -> None:
    assert said(delivered(text(b"STOP", options={RECEIPTED_MESSAGE_ID: b"b1\0"}))) == "STOP"


def test_nobody_can_text_us_a_report() -> None:
    forged = text(b"id:A7 sub:001 dlvrd:001 stat:DELIVRD err:000 text:")

    assert said(delivered(forged)).startswith("id:A7")


@pytest.mark.parametrize(
    ("ids", "answer", "reported"),
    [
        ("same", "00A7", "a7"),
        ("same", "0221067780", "221067780"),
        ("hex-decimal", "33E95179", "0870928761"),
        ("decimal-hex", "870928761", "33e95179"),
        ("hex-decimal", "33E95179", "33e95179"),
        ("hex-decimal", "msg-7", "MSG-7"),
    ],
)
def test_ids_in_two_spellings_are_one(ids: str, answer: str, reported: str) -> None:
    ours = gateway(ids=ids)
    (outcome,) = ours.decode(call("x"), answered(id_=answer))
    (event,) = ours.parse(delivered(in_words("DELIVRD", reported)))

    assert event.receipt is not None
    assert outcome.provider_id == event.receipt.provider_id


def test_a_yes_without_an_id_is_a_yes() -> None:
    (outcome,) = gateway().decode(call("x"), answered(id_=""))

    assert (outcome.provider_id, outcome.error) == ("12.345.0", None)


def test_an_answer_that_came_too_late_tells_of_the_very_delivery() -> None:
    late = [HookRequest(LATE_ANSWER, "", {REF: "12.345.0"}, answered(status).body) for status in (0, 0x0B)]

    taken, refused = (gateway().parse(one)[0].receipt for one in late)

    assert taken is not None
    assert refused is not None
    assert (taken.ref, taken.provider_id, taken.status) == (DeliveryRef(12, 345), "#a7", "sent")
    assert refused.error is not None
    assert (refused.ref, refused.status, refused.error.kind) == (taken.ref, "failed", ErrorKind.INVALID)


def test_the_password_shows_nowhere() -> None:
    assert "a-secret" not in repr(gateway().account)
