"""Operators' own words: they add to ours, take none of them, and are refused with the reason."""

import pytest

from app.domain.keywords import Outcome, classify
from app.domain.keywords.own_words import OwnWord, clash, words_with

OWN = (
    OwnWord("Tschüss", "stop", "de"),
    OwnWord("Los geht's", "start", "de"),
    OwnWord("Obavijest", "help", "en"),
)


@pytest.mark.parametrize(
    ("text", "outcome", "rule"),
    [
        ("tschuss!", Outcome.STOP, "own.de.stop:tschuss"),
        ("LOS GEHTS", Outcome.START, "own.de.start:losgehts"),
        ("obavijest", Outcome.HELP, "own.en.help:obavijest"),
        ("bitte tschüss", Outcome.STOP_FUZZY, "own.de.stop:tschuss"),
        ("STOP", Outcome.STOP, "en.stop:stop"),
    ],
)
def test_own_words_count_like_ours(text: str, outcome: Outcome, rule: str) -> None:
    read = classify(text, languages=("de",), words=words_with(("en", "de"), OWN))

    assert (read.outcome, read.rule) == (outcome, rule)


def test_own_words_count_in_their_language_only() -> None:
    assert classify("tschüss", words=words_with(("en",), OWN)).outcome is Outcome.NONE


def test_no_own_word_takes_ours_away() -> None:
    words = words_with(("en",), (OwnWord("stop", "start", "en"), OwnWord("help", "stop", "en")))

    assert classify("stop", words=words).outcome is Outcome.STOP
    assert classify("help", words=words).outcome is Outcome.HELP


@pytest.mark.parametrize(
    ("word", "meaning", "why"),
    [
        ("STOP", "start", "means STOP already (en.stop:stop)"),
        ("Abmelden", "stop", "cannot be removed"),
        ("oui", "help", "means YES already (fr.yes:oui)"),
        ("stpo", "start", "is read as STOP FUZZY already: “stpo” is a misspelt command"),
        ("Bonjour", "stop", "a word of everyday talk"),
        ("tutti", "start", "a word of everyday talk"),
        ("ab", "stop", "needs 3 to 40 letters"),
        ("1234", "stop", "not digits alone"),
        ("River-News", "stop", "the keyword of a list"),
        ("tschuss", "start", "means STOP already, by your own words in “de”"),
        ("Feierabend", "stop", None),
    ],
)
def test_a_word_that_cannot_be_taken_is_refused_with_the_reason(
    word: str, meaning: str, why: str | None
) -> None:
    reason = clash(word, meaning, "de", own=OWN, list_words=("rivernews",))

    assert (reason is None) if why is None else (reason is not None and why in reason)


def test_a_word_can_be_shorter_where_words_are_not_spaced() -> None:
    assert clash("謝絶", "stop", "ja") is None


@pytest.mark.parametrize(("meaning", "language"), [("yes", "en"), ("stop", "xx")])
def test_only_commands_of_languages_that_we_read_can_be_added(meaning: str, language: str) -> None:
    with pytest.raises(ValueError, match="Words can mean stop, start, help"):
        clash("word", meaning, language)
