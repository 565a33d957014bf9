"""Holds short texts that no rule decided, when their words together lean towards a stop; it never stops anything.

A logistic model for each language: the score of a text is the sum of the weights of its words, their beginnings and
its pairs of words (in Chinese and Japanese: of its runs of up to three characters). The weights are readable in
`data/weights/<language>.tsv` and come from `python -m bench.keyword_weights`; the same sentences always give the same.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from app.domain.keywords.languages import UNSPACED, free_text
from app.domain.keywords.normalise import Normalised, squeeze
from app.domain.keywords.outcomes import Decision, Outcome
from app.domain.keywords.tables import ENGLISH, as_written

_THRESHOLD: Final = 0.6
_THRESHOLD_OF_SIGNS: Final = 1.1  # without blanks a text has many more parts, and more of them by chance
MIN_WORDS: Final = 3  # fewer say too little, and are nearly all answers
MAX_WORDS: Final = 25
BASE: Final = "*"  # what every text starts from
QUESTION: Final = "?"
_MIN_SIGNS: Final = 4
_MAX_SIGNS: Final = 60
_BEGINNING: Final = 5
_LONGEST_RUN: Final = 3
_NAMED: Final = 4


def leans_to_a_stop(message: Normalised, languages: Collection[str]) -> Decision | None:
    """REVIEW, with the heaviest words and their weights as `words` and the score in the rule; or None."""
    for code in languages:
        weights = weights_of(code)
        if not (names := features(message, code)):
            continue
        found = {each: weights[each] for each in names if each in weights}
        score = weights.get(BASE, 0.0) + sum(found.values())
        if score > threshold(code):
            return Decision(Outcome.REVIEW, "weights", f"{code}.weights:{score:.1f}", words=_heaviest(found))
    return None


def threshold(code: str) -> float:
    """The score from which a text of this language is held."""
    return _THRESHOLD_OF_SIGNS if code in UNSPACED else _THRESHOLD


def features(message: Normalised, code: str) -> frozenset[str]:
    """What is weighed in a text of the language `code`; nothing in a text that is too short or too long."""
    spaced = code not in UNSPACED
    said = [word for word in message.tokens if word not in _courtesies(code)]
    found = _of_words(said) if spaced else _of_signs("".join(said))
    if found and message.text.rstrip().endswith(("?", "？", "؟")):
        found.add(QUESTION)
    return frozenset(found)


def _of_words(tokens: Sequence[str]) -> set[str]:
    if not MIN_WORDS <= len(tokens) <= MAX_WORDS:
        return set()
    pairs = {f"{first} {second}" for first, second in pairwise(tokens)}
    return {*tokens, *pairs, *(f"{word[:_BEGINNING]}~" for word in tokens if len(word) > _BEGINNING)}


def _of_signs(text: str) -> set[str]:
    if not _MIN_SIGNS <= len(text) <= _MAX_SIGNS or text.isascii():
        return set()
    return {text[i : i + n] for n in range(1, _LONGEST_RUN + 1) for i in range(len(text) - n + 1)}


def _heaviest(found: Mapping[str, float]) -> str:
    """The words that made it lean, heaviest first: `mich +1.2, raus~ +0.9`."""
    order = sorted(found, key=lambda each: (-found[each], each))
    return ", ".join(f"{each} {found[each]:+.1f}" for each in order[:_NAMED] if found[each] > 0)


@cache
def _courtesies(code: str) -> frozenset[str]:
    """Polite and angry words: opt-outs are full of them, but so is what people ask of a newsroom."""
    polite = {squeeze(word) for each in (ENGLISH, code) for word in as_written("polite", each)}
    return free_text(code).soft | free_text(ENGLISH).soft | polite


@cache
def weights_of(code: str) -> Mapping[str, float]:
    """The weights of one language by word; none where there is no file."""
    source = files("app.domain.keywords").joinpath("data", "weights", f"{code}.tsv")
    if not source.is_file():
        return {}
    rows = (line.split("\t") for line in source.read_text(encoding="utf-8").splitlines())
    return {name: float(weight) for name, weight in rows}
