"""Every command of every language, as keyboards, phones and people in a hurry write it."""

import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

import app.domain.keywords as package
from app.domain.keywords import LANGUAGES, Outcome, classify, squeeze
from app.domain.keywords.tables import words_for

DATA = Path(package.__file__).parent / "data"
MEANT = {"stop": Outcome.STOP, "start": Outcome.START, "help": Outcome.HELP}
# Latin letters and the Cyrillic ones that look the same.
TWINS = str.maketrans("aceopxy", "асеорху")


def commands(language: str) -> Iterator[tuple[str, Outcome]]:
    table = tomllib.loads((DATA / f"{language}.toml").read_text(encoding="utf-8"))
    return ((word, outcome) for kind, outcome in MEANT.items() for word in table[kind])


def bare(word: str) -> str:
    """Without accents, where a reader overlooks them."""
    marks = unicodedata.normalize("NFD", word)
    return "".join(ch for ch in marks if unicodedata.category(ch) != "Mn") if word[0].isascii() else word


def same_to_a_reader(word: str) -> Iterator[str]:
    yield from (
        word,
        word.upper(),
        word.title(),
        f" “{word}!” ",
        f"{word}.",
        f"({word})",
        f"{word}\n\n-- \nAnna",
    )
    yield from (
        f"{word} 🙏🏽",
        f"👍 {word}",
        "\u200b".join(word),
        f"\ufeff{word}\u00ad",
        f"{word}\r\n> Reply STOP",
    )
    yield from (bare(word), unicodedata.normalize("NFD", word), "".join(map(wide, word)))
    if word.isascii() and not set(word[1:]) <= set("aceopxy"):
        yield word[0] + word[1:].translate(TWINS)


def wide(ch: str) -> str:
    return chr(ord(ch) + 0xFEE0) if "!" <= ch <= "~" else ch


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_command_is_read_however_it_is_written(language: str) -> None:
    wrong = [
        (written, classify(written, languages=(language,)))
        for word, outcome in commands(language)
        for written in same_to_a_reader(word)
        if classify(written, languages=(language,)).outcome is not outcome
    ]

    assert wrong == []


def slips(word: str) -> Iterator[str]:
    """One slip of the hand: the last letter doubled, two letters in the middle swapped, one left out."""
    yield word + word[-1]
    if len(word) >= 6:
        yield word[:2] + word[3] + word[2] + word[4:]
        yield word[:3] + word[4:]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_slip_in_a_stop_word_still_stops(language: str) -> None:
    words = words_for((language,))
    promised = [word for word in words.stop if len(word) >= 4 and word.isalpha()]
    missed = [
        (word, slip)
        for word in promised
        for slip in slips(word)
        if classify(slip, languages=(language,)).outcome not in (Outcome.STOP, Outcome.STOP_FUZZY)
    ]

    assert missed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_slip_never_starts_anything(language: str) -> None:
    words = words_for((language,))
    slipped = [slip for word in words.start for slip in slips(word) if slip not in words.start]

    assert {classify(slip, languages=(language,)).outcome for slip in slipped} <= {
        Outcome.NONE,
        Outcome.STOP_FUZZY,
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stop_among_polite_words_stops(language: str) -> None:
    for word in words_for((language,)).stop:
        said = classify(f"{word}, please! Thank you", languages=(language,))
        assert said.outcome is Outcome.STOP_FUZZY, word
        assert squeeze(word) in said.rule
