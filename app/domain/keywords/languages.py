"""Loads what a language knows about free text: its word lists and the phrases made of them."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Final

from app.domain.keywords.frames import Frame, Vocabulary, any_of
from app.domain.keywords.normalise import fold

UNSPACED: Final = frozenset({"ja", "zh"})
KINDS: Final = (
    "ask", "refuse", "whole", "hold", "whole_hold", "guard", "narrow", "sure", "subject",
    "refuse_subject", "erase", "wrong",
)  # fmt: skip
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LETTERS: Final = re.compile(r"[^\W\d_]+")
SHORTEST_REPAIRED: Final = 6
_LONGEST_PREFIX: Final = 4
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, eq=False)
class Language:
    """The free-text knowledge of one language."""

    code: str
    vocabulary: Vocabulary
    sources: Mapping[str, list[str]]
    soft: frozenset[str]
    prefix: str = ""

    @property
    def spaced(self) -> bool:
        return self.code not in UNSPACED

    def frames(self, kind: str) -> tuple[Frame, ...]:
        """The phrases of one kind, in the order of the data file."""
        return self._frames.get(kind, ())

    @cached_property
    def _frames(self) -> Mapping[str, tuple[Frame, ...]]:
        return {
            kind: tuple(
                Frame(f"{self.code}.{kind}:{number}", source, self.vocabulary, self.spaced, self.prefix)
                for number, source in enumerate(self.sources.get(kind, ()), start=1)
            )
            for kind in KINDS
        }

    def present(self, tokens: Iterable[str], text: str) -> frozenset[str]:
        """The word lists that may occur in a clause; those of several words are judged by their first."""
        if not self.spaced:
            return frozenset(name for name, found in self._searches.items() if found.search(text))
        return frozenset().union(*(self._lists_of(token) for token in tokens))

    @cached_property
    def _searches(self) -> Mapping[str, re.Pattern[str]]:
        return {name: re.compile(any_of(entries)) for name, entries in self.vocabulary.items()}

    @cached_property
    def _index(self) -> Mapping[str, frozenset[str]]:
        """First words, with their `~`, and the lists they stand in."""
        index: dict[str, set[str]] = {}
        for name, entries in self.vocabulary.items():
            for entry in entries:
                first = entry.partition(" ")[0]
                for word in {first.replace("'", ""), first.partition("'")[0]} - {""}:
                    index.setdefault(word, set()).add(name)
        return {word: frozenset(names) for word, names in index.items()}

    @cached_property
    def _seen(self) -> dict[str, frozenset[str]]:
        return {}

    def _lists_of(self, token: str) -> frozenset[str]:
        if (known := self._seen.get(token)) is None:
            known = self._look_up(token)
            if len(self._seen) < _REMEMBERED:
                self._seen[token] = known
        return known

    def _look_up(self, token: str) -> frozenset[str]:
        names = set(self._index.get(token, ()))
        for end in range(1, len(token) + 1):
            names |= self._index.get(f"{token[:end]}~", frozenset())
        for end in range(1, min(_LONGEST_PREFIX + 1, len(token))) if self.prefix else ():
            if re.fullmatch(self.prefix, token[:end]):
                names |= self._lists_of(token[end:])
        return frozenset(names)

    def knows(self, token: str) -> bool:
        """Whether the token is a word of any list or phrase; such a word is never taken for a misspelling."""
        return token in self.soft or token in self._in_phrases or bool(self._lists_of(token))

    @cached_property
    def _in_phrases(self) -> frozenset[str]:
        """The words that templates spell out: *mother* is none of *bother*."""
        return frozenset(
            word
            for sources in self.sources.values()
            for source in sources
            for word in _LETTERS.findall(fold(source))
        )

    @cached_property
    def by_shortened(self) -> Mapping[str, frozenset[str]]:
        """The long words of the lists by what remains of them without one letter, to find misspelt ones."""
        index: dict[str, set[str]] = {}
        for word in self._index:
            if len(word) >= SHORTEST_REPAIRED and word.isalpha():
                for key in shortened(word):
                    index.setdefault(key, set()).add(word)
        return {key: frozenset(words) for key, words in index.items()}


def shortened(word: str) -> Iterator[str]:
    """`word`, and all that remains of it without one letter: words that share one of these are near."""
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


@cache
def free_text(code: str) -> Language:
    """The language's data file `data/free_text/<code>.toml`."""
    source = files("app.domain.keywords").joinpath("data", "free_text", f"{code}.toml")
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    vocabulary = {name: tuple(_spellings(entries)) for name, entries in data["words"].items()}
    return Language(
        code, vocabulary, data["phrases"], frozenset(_spellings(data.get("soft", []))), data.get("prefix", "")
    )


def _spellings(entries: Iterable[str]) -> Iterable[str]:
    """Each entry folded; German umlauts also as two letters, as keyboards without them write."""
    for entry in entries:
        yield fold(entry)
        if (written_out := entry.translate(_UMLAUTS)) != entry:
            yield fold(written_out)
