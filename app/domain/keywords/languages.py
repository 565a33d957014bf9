"""Loads what a language knows about free text: its word lists and the phrases made of them."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from operator import attrgetter
from typing import Final

from app.domain.keywords.frames import Frame, Vocabulary, any_of, first_match
from app.domain.keywords.normalise import fold

UNSPACED: Final = frozenset({"ja", "zh"})
KINDS: Final = (
    "ask", "refuse", "whole", "hold", "whole_hold", "guard", "about", "question", "narrow", "sure", "subject",
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

    def possible(self, present: frozenset[str], kinds: tuple[str, ...]) -> Mapping[str, list[Frame]]:
        """By kind, the phrases that a clause with these word lists may hold, in the order of the data file."""
        return {kind: found for kind in kinds if (found := self._of_kind(kind, present))}

    def _of_kind(self, kind: str, present: frozenset[str]) -> list[Frame]:
        by_need = self._by_need[kind]
        found = [*by_need.get("", ())]
        for name in by_need.keys() & present:
            found += by_need[name]
        return sorted((frame for frame in found if frame.needs <= present), key=attrgetter("number"))

    def first(self, kind: str, words: Iterable[str], text: str) -> tuple[Frame, re.Match[str]] | None:
        """The first phrase of one kind that occurs in `text`, which is `words` joined, with the place."""
        return first_match(self._of_kind(kind, self.present(words, text)), text)

    @cached_property
    def _by_need(self) -> Mapping[str, Mapping[str, list[Frame]]]:
        """By kind, and by the shortest list that a phrase needs ("" when it needs none): the phrases."""
        index: dict[str, dict[str, list[Frame]]] = {kind: {} for kind in KINDS}
        for kind, frames in self._frames.items():
            for frame in frames:
                need = min(sorted(frame.needs), key=lambda name: len(self._lists[name]), default="")
                index[kind].setdefault(need, []).append(frame)
        return index

    @cached_property
    def _frames(self) -> Mapping[str, tuple[Frame, ...]]:
        return {
            kind: tuple(
                Frame(
                    f"{self.code}.{kind}:{number}", number, source, self.vocabulary, self.spaced, self.prefix
                )
                for number, source in enumerate(self.sources.get(kind, ()), start=1)
            )
            for kind in KINDS
        }

    def present(self, tokens: Iterable[str], text: str) -> frozenset[str]:
        """The word lists that may occur in a clause; those of several words are judged by their first.

        Words that phrases spell out count as lists too (`Frame.spelt_out`).
        """
        if not self.spaced:
            return frozenset(name for name, found in self._searches.items() if found.search(text))
        return frozenset().union(*map(self._lists_of.__getitem__, tokens))

    @cached_property
    def _searches(self) -> Mapping[str, re.Pattern[str]]:
        return {name: re.compile(any_of(entries)) for name, entries in self.vocabulary.items()}

    @cached_property
    def _lists(self) -> Vocabulary:
        spelt_out = (frame.spelt_out for frames in self._frames.values() for frame in frames)
        return {**dict(item for each in spelt_out for item in each.items()), **self.vocabulary}

    @cached_property
    def _index(self) -> Mapping[str, frozenset[str]]:
        """First words, with their `~`, and the lists they stand in."""
        index: dict[str, set[str]] = {}
        for name, entries in self._lists.items():
            for entry in entries:
                first = entry.partition(" ")[0]
                for word in {first.replace("'", ""), first.partition("'")[0]} - {""}:
                    index.setdefault(word, set()).add(name)
        return {word: frozenset(names) for word, names in index.items()}

    @cached_property
    def _lists_of(self) -> "_Remembered":
        return _Remembered(self._look_up)

    def _look_up(self, token: str) -> frozenset[str]:
        names = set(self._index.get(token, ()))
        for end in range(1, len(token) + 1):
            names |= self._index.get(f"{token[:end]}~", frozenset())
        for end in range(1, min(_LONGEST_PREFIX + 1, len(token))) if self.prefix else ():
            if re.fullmatch(self.prefix, token[:end]):
                names |= self._lists_of[token[end:]]
        return frozenset(names)

    def knows(self, token: str) -> bool:
        """Whether the token is a word of any list or phrase; such a word is never taken for a misspelling."""
        listed = not self._lists_of[token].isdisjoint(self.vocabulary)
        return listed or token in self.soft or token in self._in_phrases

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
        listed = self.vocabulary.keys()
        for word, names in self._index.items():
            if not listed.isdisjoint(names) and len(word) >= SHORTEST_REPAIRED and word.isalpha():
                for key in shortened(word):
                    index.setdefault(key, set()).add(word)
        return {key: frozenset(words) for key, words in index.items()}


class _Remembered(dict[str, frozenset[str]]):
    """The lists of each word that was met, up to a number of words."""

    def __init__(self, look_up: Callable[[str], frozenset[str]]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, word: str) -> frozenset[str]:
        found = self._look_up(word)
        if len(self) < _REMEMBERED:
            self[word] = found
        return found


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
