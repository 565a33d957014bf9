"""Phrases as data: short templates over word lists, compiled to linear-time patterns when first needed.

A template is a regular expression over the words of a clause joined by single blanks, with four additions:
`{name}` is any entry of that word list, `~` any ending of a word, ` .. ` up to two and ` ... ` up to five words
between, and an apostrophe may be a blank or nothing (m'écrire, m ecrire, mecrire). In Japanese and Chinese,
which have no blanks, ` .. ` and ` ... ` are up to three and ten characters.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from app.domain.keywords.normalise import fold

Vocabulary = Mapping[str, tuple[str, ...]]

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_PIECE: Final = re.compile(r"\\.|\{([a-z_]+)\}(?![?*{])|[()]")
_WORD_ENDS: Final = re.compile(r"$|[ )|$]|\( ")
_SPACED: Final = {" ... ": "(?: [^ ]+){0,5}? ", " .. ": "(?: [^ ]+){0,2}? ", "'": " ?", "~": "[^ ]*"}
_UNSPACED: Final = {" ... ": ".{0,10}?", " .. ": ".{0,3}?", "'": "", "~": ""}


@dataclass(frozen=True)
class Frame:
    """One template of one language, known by its rule id."""

    rule: str
    source: str
    vocabulary: Vocabulary
    spaced: bool
    prefix: str = ""  # what may be joined to the front of a listed word, such as the article in Arabic

    @cached_property
    def needs(self) -> frozenset[str]:
        """The word lists without which it cannot match: those outside of brackets, and not optional."""
        depth, needed = 0, set()
        for piece in _PIECE.finditer(self.source):
            depth += {"(": 1, ")": -1}.get(piece.group(), 0)
            if depth == 0 and piece.group(1):
                needed.add(piece.group(1))
        return frozenset(needed)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        body = _NAME.sub(self._listed, fold(self.source))
        for short, long in (_SPACED if self.spaced else _UNSPACED).items():
            body = body.replace(short, long)
        return re.compile(rf"(?<![^ ])(?:{body})(?![^ ])" if self.spaced else body)

    def _listed(self, name: re.Match[str]) -> str:
        """Any word of a list; a whole one, unless the template goes on with an ending."""
        whole = "(?![^ ])" if self.spaced and _WORD_ENDS.match(name.string, name.end()) else ""
        return self.prefix + any_of(self.vocabulary[name.group(1)]) + whole

    def find(self, text: str, present: Collection[str]) -> re.Match[str] | None:
        """Search `text`, in which only the word lists `present` occur."""
        return self.pattern.search(text) if self.needs.issubset(present) else None


def first_match(
    candidates: Iterable[Frame], text: str, present: Collection[str]
) -> tuple[Frame, re.Match[str]] | None:
    """The first template that occurs in `text`, with the place."""
    for frame in candidates:
        if found := frame.find(text, present):
            return frame, found
    return None


def any_of(entries: Iterable[str]) -> str:
    """An alternation in which a longer entry is tried before its own beginning."""
    return f"(?:{'|'.join(sorted(set(entries), key=len, reverse=True))})"
