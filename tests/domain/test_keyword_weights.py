"""Short texts that no rule decides are held when their words lean to a stop, and say which words did."""

import pytest

from app.domain.keywords import LANGUAGES, Outcome, classify
from app.domain.keywords.normalise import normalise
from app.domain.keywords.weights import BASE, MAX_WORDS, features, weights_of


def test_a_text_that_leans_to_a_stop_is_held_and_names_its_words_and_weights() -> None:
    read = classify("these texts need to end", state="active")

    assert (read.outcome, read.tier) == (Outcome.REVIEW, "weights")
    assert read.rule.startswith("en.weights:")
    assert "texts +" in read.explain()
    assert read.matcher_version == "tolerant-4"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ich habe eine neue Nummer, bitte speichern", "de"),
        ("Please send me the list of polling stations", "en"),
        ("請再發一次地址給我", "zh"),
    ],
)
def test_what_people_ask_of_a_newsroom_is_not_held(text: str, language: str) -> None:
    assert classify(text, languages=(language,), state="active").outcome is Outcome.NONE


def test_one_word_two_words_and_long_texts_are_not_weighed() -> None:
    long = "these texts need to end " * 6

    assert len(normalise(long).tokens) > MAX_WORDS
    assert [features(normalise(text), "en") for text in ("texts", "texts end", long)] == [frozenset()] * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_unknown_words_starts_well_below_a_hold(language: str) -> None:
    assert weights_of(language)[BASE] < -1
