"""Holds short texts that no rule decided, when their words together lean towards a stop; it never stops anything.

A logistic model for each language: the score of a text is the sum of the weights of its words, their beginnings and
its pairs of words (in Chinese and Japanese: of its runs of up to three characters). The weights are readable in
`data/weights/<language>.tsv` and come from `python -m bench.keyword_weights`; the same sentences always give the same.
"""

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from app.domain.keywords.languages import UNSPACED
from app.domain.keywords.normalise import Normalised
from app.domain.keywords.outcomes import Decision, Outcome

THRESHOLD: Final = 0.5
MAX_WORDS: Final = 25
BASE: Final = "*"  # what every text starts from
QUESTION: Final = "?"
_MAX_SIGNS: Final = 60
_BEGINNING: Final = 5
_LONGEST_RUN: Final = 3
_NAMED: Final = 4


def leans_to_a_stop(message: Normalised, languages: Collection[str]) -> Decision | None:
    """REVIEW, with the heaviest words and their weights as `words` and the score in the rule; or None."""
    for code in languages:
        weights = weights_of(code)
        found = {each: weights[each] for each in features(message, code) if each in weights}
        score = weights.get(BASE, 0.0) + sum(found.values())
        if score > THRESHOLD:
            return Decision(Outcome.REVIEW, "weights", f"{code}.weights:{score:.1f}", words=_heaviest(found))
    return None


def features(message: Normalised, code: str) -> frozenset[str]:
    """What is weighed in a text of the language `code`; nothing in a text that is too long."""
    spaced = code not in UNSPACED
    found = _of_words(message.tokens) if spaced else _of_signs(message.squeezed)
    if found and message.text.rstrip().endswith(("?", "？", "؟")):
        found.add(QUESTION)
    return frozenset(found)


def _of_words(tokens: tuple[str, ...]) -> set[str]:
    if len(tokens) > MAX_WORDS:
        return set()
    pairs = {f"{first} {second}" for first, second in zip(tokens, tokens[1:], strict=False)}
    return {*tokens, *pairs, *(f"{word[:_BEGINNING]}~" for word in tokens if len(word) > _BEGINNING)}


def _of_signs(text: str) -> set[str]:
    if len(text) > _MAX_SIGNS:
        return set()
    return {text[i : i + n] for n in range(1, _LONGEST_RUN + 1) for i in range(len(text) - n + 1)}


def _heaviest(found: Mapping[str, float]) -> str:
    """The words that made it lean, heaviest first: `mich +1.2, raus~ +0.9`."""
    order = sorted(found, key=lambda each: (-found[each], each))
    return ", ".join(f"{each} {found[each]:+.1f}" for each in order[:_NAMED] if found[each] > 0)


@cache
def weights_of(code: str) -> Mapping[str, float]:
    """The weights of one language by word; none where there is no file."""
    source = files("app.domain.keywords").joinpath("data", "weights", f"{code}.tsv")
    if not source.is_file():
        return {}
    rows = (line.split("\t") for line in source.read_text(encoding="utf-8").splitlines())
    return {name: float(weight) for name, weight in rows}
