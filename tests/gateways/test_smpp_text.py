"""Alphabets and parts of SMPP: what people write is read, and our texts are cut as `app.domain.parts` counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.parts import GSM7_BASIC, GSM7_EXTENSION, measure
from app.gateways.smpp_text import Header, coded, decoded, gsm_decode, gsm_encode, sar_header, split_header

FITTING = st.text(GSM7_BASIC + GSM7_EXTENSION, max_size=400)


# 3GPP TS 23.038, 6.2.1: some corners of the table, and the extension of 6.2.1.1.
@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@£$¥", "00010203"),
        ("Ç\nØø\rÅå", "090a0b0c0d0e0f"),
        ("Δ_ΦΓΛΩΠΨΣΘΞ", "101112131415161718191a"),
        ("ÆæßÉ !", "1c1d1e1f2021"),
        ("¡AZÄÖÑÜ§¿azäöñüà", "40415a5b5c5d5e5f60617a7b7c7d7e7f"),
        ("\f^{}\\[~]|€", "1b0a1b141b281b291b2f1b3c1b3d1b3e1b401b65"),
    ],
)
def test_the_default_alphabet_is_one_octet_a_septet(text: str, octets: str) -> None:
    assert gsm_encode(text).hex() == octets
    assert gsm_decode(bytes.fromhex(octets)) == text


@given(FITTING)
def test_what_fits_the_alphabet_comes_back(text: str) -> None:
    assert gsm_decode(gsm_encode(text)) == text


@given(st.binary(max_size=200))
def test_no_octets_stop_the_reading(data: bytes) -> None:
    assert isinstance(gsm_decode(data), str)


def test_an_escape_before_what_nobody_knows_shows_the_plain_character() -> None:
    assert gsm_decode(b"\x1bA\x1b\x1b\x1b") == "A "


@pytest.mark.parametrize(
    ("data", "coding", "text"),
    [
        (b"\x00 caf\x05", 0x00, "@ café"),
        (b"STOP", 0x01, "STOP"),
        (b"caf\xe9", 0x03, "café"),
        ("СТОП 🌍".encode("utf_16_be"), 0x08, "СТОП 🌍"),
        ("СТОП".encode("iso8859_5"), 0x06, "СТОП"),
        (b"flash\x00", 0xF0, "flash@"),
        (b"flash\x00", 0x10 | 0xF0, "flash@"),
        (b"\x89PNG", 0x04, None),
        (b"\x89PNG", 0xF5, None),
        (b"?", 0x0C, None),
    ],
)
def test_texts_of_people_are_read_by_their_coding(data: bytes, coding: int, text: str | None) -> None:
    assert decoded(data, coding, "gsm") == text


def test_a_centre_whose_default_is_latin_1_is_read_and_written_so() -> None:
    assert decoded(b"caf\xe9", 0, "latin1") == "café"
    assert coded("café", "latin1") == (0, [b"caf\xe9"])
    assert coded("5 €", "latin1") == (8, ["5 €".encode("utf_16_be")])


@given(st.text(max_size=500), st.sampled_from(["gsm", "latin1"]))
def test_parts_are_those_that_are_counted_and_none_is_too_long(text: str, alphabet: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    coding, parts = coded(text, alphabet)

    if alphabet == "gsm":
        assert len(parts) == max(1, measure(text).count)
    longest = 140 if len(parts) == 1 else 134
    assert all(len(part) <= (longest if coding == 8 else longest * 8 // 7) for part in parts)
    assert decoded(b"".join(parts), coding, alphabet) == text
    assert all("\ufffd" not in str(decoded(part, coding, alphabet)) for part in parts if "\ufffd" not in text)


def test_the_header_of_a_part_is_read_in_both_sizes_and_stands_among_others() -> None:
    assert Header(7, 3, 2).encode().hex() == "050003070302"
    assert split_header(bytes.fromhex("050003070302") + b"text") == (Header(7, 3, 2), b"text")
    assert split_header(bytes.fromhex("06080412340201") + b"text") == (Header(0x1234, 2, 1), b"text")
    ports_first = bytes.fromhex("0b 0504 15820000 0003 070302")
    assert split_header(ports_first + b"text") == (Header(7, 3, 2), b"text")


@pytest.mark.parametrize(
    "header", ["050003070300", "050003070304", "050003070101", "020000", "00", "0500", ""]
)
def test_a_header_that_makes_no_sense_is_none(header: str) -> None:
    assert split_header(bytes.fromhex(header))[0] is None


def test_parts_are_told_by_optional_fields_too() -> None:
    fields = {0x20C: b"\x12\x34", 0x20E: b"\2", 0x20F: b"\1"}

    assert sar_header(fields, 0x20C, 0x20E, 0x20F) == Header(0x1234, 2, 1)
    assert sar_header({0x20C: b"\1"}, 0x20C, 0x20E, 0x20F) is None
