"""Files are told by their bytes, cleaned of what tells about a place, and measured against what platforms carry."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.media.attached import Otherwise, instead_of
from app.domain.media.cleaning import cleaned, seconds_of
from app.domain.media.kinds import TYPES, DamagedMedia, UnknownMedia, type_of
from app.domain.media.limits import (
    LARGEST,
    Misfit,
    fit,
    media_of,
    media_of_sender,
)
from app.gateways.registry import GATEWAYS
from tests.support import media

SAMPLES: dict[str, Callable[[], bytes]] = {
    "image/jpeg": media.jpeg,
    "image/png": media.png,
    "image/gif": media.gif,
    "audio/mpeg": media.mp3,
    "audio/mp4": lambda: media.mp4(b"M4A "),
    "video/mp4": media.mp4,
    "application/pdf": media.pdf,
}
cleanable = pytest.mark.parametrize("mime", [one for one in SAMPLES if one != "application/pdf"])


def test_every_type_that_we_take_is_told_by_its_bytes() -> None:
    assert set(SAMPLES) == set(TYPES)
    assert {mime: type_of(make()) for mime, make in SAMPLES.items()} == {mime: mime for mime in SAMPLES}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"\0\0\0\x20ftypqt  ",
        b"RIFF\0\0\0\0WEBP",
        b"\0\0\0\x18ftypheic",
        b"MZ\x90",
        b"\xff\xff",
    ],
    ids=["nothing", "page", "quicktime", "webp", "heic", "program", "padding"],
)
def test_everything_else_is_unknown_whatever_it_is_called(data: bytes) -> None:
    with pytest.raises(UnknownMedia):
        type_of(data)


@cleanable
def test_nothing_of_the_place_is_left(mime: str) -> None:
    assert media.PLACE in SAMPLES[mime]()
    assert media.PLACE not in cleaned(SAMPLES[mime](), mime)


@cleanable
def test_a_clean_file_is_of_the_same_type_and_stays_as_it_is(mime: str) -> None:
    once = cleaned(SAMPLES[mime](), mime)

    assert type_of(once) == mime
    assert cleaned(once, mime) == once


def test_a_picture_keeps_its_colours_its_scan_and_how_it_is_turned() -> None:
    clean = cleaned(media.jpeg(turned=6), "image/jpeg")

    assert b"ICC_PROFILE\0\1\1colours" in clean
    assert b"JFIF\0" in clean
    assert b"\x12\x34\xff\0\x56\xff\xd0\x78\xff\xd9" in clean
    assert clean.endswith(b"\xff\xd9")
    exif = clean[clean.index(b"Exif\0\0") + 6 :]
    assert struct.unpack_from(">HHIHHI", exif, 10) == (0x0112, 3, 1, 6, 0, 0)


def test_a_picture_that_stands_upright_needs_no_word_about_it() -> None:
    assert b"Exif" not in cleaned(media.jpeg(turned=1), "image/jpeg")


def test_a_film_keeps_its_length_and_the_place_of_its_data() -> None:
    film = media.mp4(seconds=3)

    clean = cleaned(film, "video/mp4")

    assert len(clean) == len(film)
    assert clean.index(b"mdat") == film.index(b"mdat")
    assert seconds_of(clean, "video/mp4") == 3.0
    assert seconds_of(media.mp3(), "audio/mpeg") is None


@cleanable
@given(data=st.data())
def test_a_file_that_was_cut_is_damaged_or_shorter_and_nothing_worse(mime: str, data: st.DataObject) -> None:
    whole = SAMPLES[mime]()
    part = whole[: data.draw(st.integers(12, len(whole)))]
    try:
        assert len(cleaned(part, mime)) <= len(whole) + 40
    except DamagedMedia:
        return


@cleanable
@given(noise=st.binary(max_size=300))
def test_noise_behind_a_good_beginning_is_damaged_or_clean_and_nothing_worse(mime: str, noise: bytes) -> None:
    try:
        cleaned(SAMPLES[mime]()[:24] + noise, mime)
    except DamagedMedia:
        return


def test_every_rule_is_about_types_that_we_take_and_says_where_it_comes_from() -> None:
    for gateway in GATEWAYS:
        for rule in media_of(gateway):
            assert set(rule.types) <= set(TYPES), gateway
            assert rule.source.startswith("https://"), gateway
            assert rule.read.year >= 2025, gateway
            assert rule.most > 0, gateway
            assert rule.caption > 0, gateway


def test_no_type_of_a_gateway_has_two_rules() -> None:
    for gateway in GATEWAYS:
        types = [one for rule in media_of(gateway) for one in rule.types]
        assert len(types) == len(set(types)), gateway


@pytest.mark.parametrize(
    ("gateway", "mime", "size", "text", "misfit"),
    [
        ("telegram", "image/jpeg", 5_242_880, 1024, None),
        ("telegram", "image/jpeg", 5_242_881, 10, Misfit.SIZE),
        ("telegram", "image/jpeg", 100, 1025, Misfit.CAPTION),
        ("line", "application/pdf", 100, 10, Misfit.TYPE),
        ("wechat", "image/jpeg", 100, 10, Misfit.CHANNEL),
        ("smpp", "image/jpeg", 100, 10, Misfit.CHANNEL),
        ("matrix", "application/pdf", LARGEST, 10, None),
    ],
)
def test_a_file_fits_or_it_is_said_why_not(
    gateway: str, mime: str, size: int, text: int, misfit: Misfit | None
) -> None:
    assert fit(mime, size, text, media_of(gateway)).misfit is misfit


def test_an_mms_goes_only_from_where_there_are_any() -> None:
    american = media_of_sender("twilio", "+12025550100", template=None)
    british = media_of_sender("twilio", "+447700900100", template=None)

    assert [rule.reaches("+12025550101") for rule in american] == [True, True]
    assert not any(rule.reaches("+447700900101") for rule in american)
    assert british == ()


def test_a_text_that_the_platform_approved_has_room_for_the_file_that_it_was_approved_with() -> None:
    def types(template: str | None) -> list[str]:
        rules = media_of_sender("whatsapp", "+12025550100", template=template)
        return [mime for rule in rules for mime in rule.types]

    assert types(None) == ["image/jpeg", "image/png", "video/mp4", "application/pdf"]
    assert types("") == []
    assert types("image") == ["image/jpeg", "image/png"]


def test_what_stands_in_place_of_a_file_is_what_the_editor_chose() -> None:
    assert instead_of(Otherwise.LINK, "A bridge", "https://x/m/1") == "\nA bridge: https://x/m/1"
    assert instead_of(Otherwise.LINK, "", "https://x/m/1") == "\nhttps://x/m/1"
    assert instead_of(Otherwise.WORDS, "A bridge", "https://x/m/1") == "\n[A bridge]"
    assert instead_of(Otherwise.WORDS, "", "https://x/m/1") == ""
    assert instead_of(Otherwise.NOTHING, "A bridge", "https://x/m/1") == ""
