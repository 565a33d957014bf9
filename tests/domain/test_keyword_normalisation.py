"""Facts about normalisation: what a reader would call the same word is spelt the same."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keywords.normalise import normalise, squeeze
from app.domain.keywords.quoting import author_text
from app.domain.keywords.tables import LANGUAGES, words_for


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("S.T.O.P", "stop"),
        ("  s t o p \r\n", "stop"),
        ("ＳＴＯＰ", "stop"),
        ("ST\u200bO\u00adP\ufeff", "stop"),
        ("STOP \u2066\U0001f6d1\ufe0f", "stop"),
        ("S\u0422\u041eP", "stop"),
        ("\u03a4OP", "top"),
        ("İPTAL", "iptal"),
        ("IPTAL ıptal", "iptaliptal"),
        ("çık", "cik"),
        ("DÉSABONNER", "desabonner"),
        ("rezygnuję ŁØ", "rezygnujelo"),
        ("don't don´t don`t don’t donʼt", "dont" * 5),
        ("إيقاف", "ايقاف"),
        ("إلـغـاء", "الغاء"),
        ("مساعدة", "مساعده"),
        ("Всё", "все"),
        ("Відписка", "відписка"),
        ("ﾃﾞﾊﾞｯｸﾞ", "デバッグ"),
        ("बंद करो", "बंदकरो"),
        ("हिन्दी", "हिन्दी"),
        ("取消订阅。", "取消订阅"),
        ("", ""),
        ("👍 …!?", ""),
    ],
)
def test_words_are_spelt_one_way(raw: str, expected: str) -> None:
    assert squeeze(raw) == expected


def test_the_breve_of_a_cyrillic_letter_is_kept() -> None:
    assert squeeze("Йод") == "йод"


def test_a_word_wholly_in_cyrillic_is_not_read_as_latin() -> None:
    assert squeeze("СТОР") == "стор"


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_gives_the_same_words(text: str) -> None:
    assert normalise(text).tokens == normalise(f"{text} \u2026").tokens


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_normalised_command_stays_as_it_is(language: str) -> None:
    words = words_for((language,))

    assert all(squeeze(word) == word for word in (*words.stop, *words.start, *words.help))


@pytest.mark.parametrize(
    ("raw", "own"),
    [
        ("STOP\n\nSent from my iPhone", "STOP"),
        ("STOP\r\n-- \r\nAnna", "STOP"),
        ("Stopp\nGesendet von meinem Telefon", "Stopp"),
        ("> Reply STOP to end\nthanks!", "thanks!"),
        ("> Reply STOP to end", ""),
        ("On Mon, 3 Aug, Club News wrote:\n> STOP to end\nunsubscribe", "unsubscribe"),
        ("Am 3. August schrieb Club News:\n> STOPP beendet\nabmelden", "abmelden"),
        ("Le lun. 3 août, Club a écrit :\n> ARRET\nmerci", "merci"),
        ("STOP Sent from my iPhone", "STOP"),
        ("STOP On Mon, 3 Aug, Club News wrote: > Reply STOP to end", "STOP"),
        ("Abmelden. Mit freundlichen Grüßen, Karin Weber", "Abmelden."),
        ("Unsubscribe\nKind regards,\nJo", "Unsubscribe"),
        ("Give her my regards when you stop there", "Give her my regards when you stop there"),
        ("停止\n发自我的 iPhone", "停止"),
        ("I wrote: stop\nor not", "I wrote: stop or not"),
    ],
)
def test_only_the_authors_own_lines_count(raw: str, own: str) -> None:
    assert " ".join(author_text(raw).split()) == own


@pytest.mark.parametrize(
    "text",
    [
        "am schrieb " * 20_000,
        "on " * 50_000,
        "\ufdfa" * 10_000,
        "> \n" * 50_000,
        "a\u0308" * 50_000,
        "!1" * 50_000,
    ],
)
def test_no_message_takes_long(text: str) -> None:
    started = time.perf_counter()

    normalise(text)

    assert time.perf_counter() - started < 0.2
