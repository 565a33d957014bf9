"""Facts about SMS parts: the counts that providers bill, checked against known vectors and an oracle."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from app.domain.parts import GSM7_BASIC, GSM7_EXTENSION, measure, offenders, plain_quotes

GSM_TEXT = st.text(alphabet=GSM7_BASIC + GSM7_EXTENSION, max_size=700)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400)
WIDE_TEXT = st.text(alphabet="aЯ€😀👩🏽\u200d", max_size=300)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("Я" * 70, "UCS-2", 70, 1),
        ("Я" * 71, "UCS-2", 71, 2),
        ("Я" * 134, "UCS-2", 134, 2),
        ("Я" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("Я" * 66 + "😀" + "Я" * 66, "UCS-2", 134, 3),
        ("it’s", "UCS-2", 4, 1),
        ("àèéìòùÇØøÅåÄÖÑÜ§¿äöñü", "GSM-7", 21, 1),
        ("`", "UCS-2", 1, 1),
        ("ç", "UCS-2", 1, 1),
        ("\t", "UCS-2", 1, 1),
        ("\x1b", "UCS-2", 1, 1),
    ],
)
def test_known_vectors(text: str, encoding: str, units: int, count: int) -> None:
    parts = measure(text)

    assert (parts.encoding, parts.units, parts.count) == (encoding, units, count)


def test_an_empty_text_has_no_part() -> None:
    parts = measure("")

    assert (parts.count, parts.chunks, parts.left) == (0, (), 160)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a" * 143, 17),
        ("a" * 160, 0),
        ("a" * 161, 145),
        ("Я", 69),
        ("Я" * 71, 63),
        ("a" * 152 + "€" * 8, 137),
    ],
)
def test_what_is_left_is_the_room_before_one_more_part(text: str, left: int) -> None:
    assert measure(text).left == left


@given(GSM_TEXT | ANY_TEXT | WIDE_TEXT)
def test_filling_what_is_left_keeps_the_count_and_one_more_raises_it(text: str) -> None:
    text = text or "a"
    count, left = measure(text).count, measure(text).left

    assert measure(text + "a" * left).count == count
    assert measure(text + "a" * left + "a").count == count + 1


@given(GSM_TEXT | ANY_TEXT | WIDE_TEXT)
def test_the_chunks_are_the_text_and_each_fits_its_part(text: str) -> None:
    parts = measure(text)

    assert "".join(parts.chunks) == text
    assert len(parts.chunks) == parts.count
    limit = (
        (160 if parts.count == 1 else 153) if parts.encoding == "GSM-7" else (70 if parts.count == 1 else 67)
    )
    assert all(_units(chunk, parts.encoding) <= limit for chunk in parts.chunks)


@given(GSM_TEXT | ANY_TEXT | WIDE_TEXT)
def test_an_independent_library_counts_the_same_parts(text: str) -> None:
    # Of an empty text the oracle says that it is not GSM-7. The escape to the second table it takes for a letter.
    text = text.replace("\x1b", "") or "a"
    oracle = smsutil.split(text)

    parts = measure(text)

    assert parts.encoding == ("GSM-7" if smsutil.is_valid_gsm(text) else "UCS-2")
    assert list(parts.chunks) == [part.content for part in oracle.parts]


def test_an_escape_character_is_no_letter_of_gsm() -> None:
    assert (measure("\x1b").encoding, measure("a\x1be").encoding) == ("UCS-2", "UCS-2")


def test_offenders_are_named_once_in_order() -> None:
    assert offenders("“it’s” 5 € – “ok” 😀") == ("“", "’", "”", "–", "😀")


def test_a_plain_text_has_no_offenders() -> None:
    assert offenders("It's 5 € [ok]\n") == ()


@given(ANY_TEXT)
def test_a_text_has_offenders_exactly_when_it_is_ucs2(text: str) -> None:
    assert bool(offenders(text)) == (measure(text).encoding == "UCS-2")


@pytest.mark.parametrize(
    ("fancy", "plain"),
    [
        ("“it’s” – ‘ok’…", "\"it's\" - 'ok'..."),
        ("„Hallo“", '"Hallo"'),
        ("5\u00a0km\u202fweit\tweg", "5 km weit weg"),
        ("a\u0308", "ä"),
        ("soft\u00adhyphen\ufeff", "softhyphen"),
        ("`´", "''"),
    ],
)
def test_look_alikes_become_plain(fancy: str, plain: str) -> None:
    assert plain_quotes(fancy) == plain
    assert measure(plain).encoding == "GSM-7"


@pytest.mark.parametrize("text", ["façade", "👩\u200d🚀", "می\u200cخواهم", "Привет"])
def test_letters_and_emoji_are_never_changed(text: str) -> None:
    assert plain_quotes(text) == text


def _units(text: str, encoding: str) -> int:
    if encoding == "UCS-2":
        return len(text.encode("utf-16-be")) // 2
    return sum(2 if ch in GSM7_EXTENSION else 1 for ch in text)
