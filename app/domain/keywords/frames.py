"""Phrases as data: short templates over word lists, compiled to linear-time patterns when first needed.

A template is a regular expression over the words of a clause joined by single blanks, with four additions:
`{name}` is any entry of that word list, `~` any ending of a word, ` .. ` up to two and ` ... ` up to five words
between, and an apostrophe may be a blank or nothing (m'écrire, m ecrire, mecrire). In Japanese and Chinese,
which have no blanks, ` .. ` and ` ... ` are up to three and ten characters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from app.domain.keywords.normalise import fold

Vocabulary = Mapping[str, tuple[str, ...]]

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_PIECE: Final = re.compile(r"\\.|\{([a-z_]+)\}(?![?*{])|[()| ]")
# Words spelt out between two blanks, in brackets or bare, which nothing makes optional.
_SPELT_OUT: Final = re.compile(r"\^?(\([^()]+\)|[^()|]+)(?=$|\$|\( (?!\?)|\(\?[>!] )")
_SPELT: Final = r"(?:[^\W\d_]|[\u0300-\u036f\u0900-\u097f'])+~?(?: [^{}\[\]?*+.\\|$^]+)?"
_ENTRIES: Final = re.compile(rf"(?:{_SPELT}|\{{[a-z_]+\}})(?:\|(?:{_SPELT}|\{{[a-z_]+\}}))*")
_OPTIONAL: Final = ("?", "*", "+", "{0,")
_POSSESSIVE: Final = re.compile(r"(?<!\\)\)[*+?]\+")
_WORD_ENDS: Final = re.compile(r"$|[ )|$]|\( ")
_SPACED: Final = {" ... ": "(?: [^ ]+){0,5}? ", " .. ": "(?: [^ ]+){0,2}? ", "'": " ?", "~": "[^ ]*"}
_UNSPACED: Final = {" ... ": ".{0,10}?", " .. ": ".{0,3}?", "'": "", "~": ""}


@dataclass(frozen=True)
class Frame:
    """One template of one language, known by its rule id."""

    rule: str
    number: int
    source: str
    vocabulary: Vocabulary
    spaced: bool
    prefix: str = ""  # what may be joined to the front of a listed word, such as the article in Arabic

    @cached_property
    def needs(self) -> frozenset[str]:
        """The word lists without which it cannot match: those outside of brackets, and not optional."""
        names = {piece.group(1) for piece in _outside_brackets(self.source) if piece.group(1)}
        return frozenset(names | self.spelt_out.keys())

    @cached_property
    def spelt_out(self) -> Vocabulary:
        """Words that it cannot do without either, each such `a|b c|{name}` as a list of that name."""
        source = fold(self.source)
        outside = list(_outside_brackets(source))
        if not self.spaced or any(found.group() == "|" for found in outside):
            return {}
        blanks = [found.start() for found in outside if found.group() == " "]
        pieces = [source[start + 1 : end] for start, end in pairwise([-1, *blanks, len(source)])]
        found: dict[str, tuple[str, ...]] = {}
        for piece, after in zip(pieces, [*pieces[1:], ""], strict=True):
            words = _SPELT_OUT.match(piece)
            if words and _ENTRIES.fullmatch(words.group(1).strip("()")) and not after.startswith(_OPTIONAL):
                found[f"={words.group(1)}"] = tuple(self._entries(words.group(1).strip("()")))
        return found

    def _entries(self, words: str) -> Iterator[str]:
        for each in words.split("|"):
            yield from self.vocabulary[each[1:-1]] if each.startswith("{") else (each,)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        body = _NAME.sub(self._listed, fold(self.source))
        for short, long in (_SPACED if self.spaced else _UNSPACED).items():
            body = body.replace(short, long)
        body = _atomic(body)
        return re.compile(rf"(?<![^ ])(?:{body})(?![^ ])" if self.spaced else body)

    def _listed(self, name: re.Match[str]) -> str:
        """Any word of a list; a whole one, unless the template goes on with an ending."""
        whole = "(?![^ ])" if self.spaced and _WORD_ENDS.match(name.string, name.end()) else ""
        return self.prefix + any_of(self.vocabulary[name.group(1)]) + whole


def first_match(candidates: Iterable[Frame], text: str) -> tuple[Frame, re.Match[str]] | None:
    """The first template that occurs in `text`, with the place."""
    for frame in candidates:
        if found := frame.pattern.search(text):
            return frame, found
    return None


def _outside_brackets(source: str) -> Iterator[re.Match[str]]:
    """The names of lists, the blanks and the bars of a template that stand outside of brackets."""
    depth = 0
    for piece in _PIECE.finditer(source):
        depth += {"(": 1, ")": -1}.get(piece.group(), 0)
        if depth == 0:
            yield piece


def _atomic(pattern: str) -> str:
    """Write each possessive repeat `(...)*+` as `(?>(...)*)`, which means the same.

    Before 3.11.5 Python goes wrong when what is repeated could itself have matched in two ways
    (github.com/python/cpython/issues/106052).
    """
    while found := _POSSESSIVE.search(pattern):
        start = _opening(pattern, found.start())
        pattern = f"{pattern[:start]}(?>{pattern[start : found.end() - 1]}){pattern[found.end() :]}"
    return pattern


def _opening(pattern: str, end: int) -> int:
    """Return where the group begins whose closing bracket stands at `end`."""
    depth = 0
    for place in range(end, -1, -1):
        if pattern[place] in "()" and pattern[place - 1 : place] != "\\":
            depth += 1 if pattern[place] == ")" else -1
            if depth == 0:
                return place
    raise ValueError(f"No group ends at {end} of {pattern}")


def any_of(entries: Iterable[str]) -> str:
    """An alternation in which a longer entry is tried before its own beginning."""
    return f"(?:{'|'.join(sorted(set(entries), key=len, reverse=True))})"
