"""Cuts a message into sentences and clauses, in which words belong together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, TypeVar

from app.domain.keywords.normalise import tokens

MAX_CLAUSES: Final = 24
MAX_CHARACTERS: Final = 280
MAX_WORDS: Final = 80
_SENTENCE_END: Final = re.compile(r"[.!?\n。！？؟।…]+(?=\s|$|[^\x00-\x7f])|\n")
_CLAUSE_END: Final = re.compile(r"[.!?\n。！？؟।…,;:()\"|/*、，；：؛،«»“”„「」『』]+|\s[-–—]+\s|—")
_QUOTED: Final = re.compile(r"[\"«“”„「『‚‘]([^\"«»“”„「」『』‚‘’\n]{2,200})[\"»”“」』’‘]")
_LONGEST_SENTENCE: Final = 30
_QUESTION: Final = re.compile(r"[?？؟]\s*$")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Clause:
    """Words that are read together, and the sentence they stand in; `only` when the message says nothing else.

    `asks` is for a question, `quoted` for words in quotation marks among others that are not.
    """

    tokens: tuple[str, ...]
    sentence: tuple[str, ...]
    only: bool
    asks: bool = False
    quoted: bool = False


def clauses_of(text: str) -> tuple[Clause, ...]:
    """The clauses of a normalised text, and after them each sentence of several clauses as a whole."""
    pieces = pieces_of(text)
    only = len({piece.sentence for piece in pieces}) == 1
    wholes = {
        piece.sentence: Clause(piece.sentence, piece.sentence, only, piece.asks)
        for piece in pieces
        if len(piece.tokens) < len(piece.sentence) <= _LONGEST_SENTENCE
    }
    return (*pieces, *wholes.values())[:MAX_CLAUSES]


def pieces_of(text: str) -> tuple[Clause, ...]:
    """The clauses of a normalised text, in order."""
    sentences = [found for found in map(_cut, _split(_SENTENCE_END, text)) if found[0]]
    quoted = _quoted(text)
    pieces: list[Clause] = []
    for parts, asks in _both_ends(sentences):
        sentence = tuple(islice(chain.from_iterable(parts), MAX_WORDS))
        only = len(sentences) == len(parts) == 1
        pieces += [Clause(part, sentence, only, asks, part in quoted) for part in parts]
    return tuple(_both_ends(pieces))


def _both_ends(items: Sequence[_T]) -> Sequence[_T]:
    """At most 24 of them: of more the first and the last, where wishes stand."""
    half = MAX_CLAUSES // 2
    return items if len(items) <= MAX_CLAUSES else [*items[:half], *items[-half:]]


def _quoted(text: str) -> frozenset[tuple[str, ...]]:
    """The clauses in quotation marks; none when there is nothing else in the text."""
    spans = _QUOTED.findall(text)
    if not spans or not tokens(_QUOTED.sub(" ", text)):
        return frozenset()
    return frozenset(tokens(part) for span in spans for part in _CLAUSE_END.split(span))


def _cut(sentence: str) -> tuple[list[tuple[str, ...]], bool]:
    parts = (tokens(part[:MAX_CHARACTERS]) for part in _CLAUSE_END.split(sentence, maxsplit=MAX_CLAUSES))
    return [part for part in parts if part], _QUESTION.search(sentence) is not None


def _split(end: re.Pattern[str], text: str) -> Iterator[str]:
    """The pieces of `text`, each with the marks that end it."""
    start = 0
    for found in end.finditer(text):
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]
