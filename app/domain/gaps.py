"""Gaps in a text, `[[place]]`: what the writer of one broadcast still has to fill in, before anybody gets it.

Two brackets, because a single pair is common in news ("[Update]"), and braces are what is filled in for each person.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_GAP: Final = re.compile(r"\[\[([^\[\]\n]{1,60})\]\]")


class Piece(NamedTuple):
    """A stretch of a text; `is_gap` tells whether it is one, brackets included."""

    words: str
    is_gap: bool


def pieces(text: str) -> list[Piece]:
    """Cut a text into gaps and what lies between them, in order; empty stretches are left out."""
    found, start = [], 0
    for gap in _GAP.finditer(text):
        found += [Piece(text[start : gap.start()], False), Piece(gap[0], True)]
        start = gap.end()
    found.append(Piece(text[start:], False))
    return [one for one in found if one.words]


def gaps_in(*texts: str) -> tuple[str, ...]:
    """Return the names of the gaps, each once, in order of appearance: `place` for `[[place]]`."""
    return tuple(dict.fromkeys(gap[1].strip() for text in texts for gap in _GAP.finditer(text)))


def filled(text: str, words: Mapping[str, str]) -> str:
    """Return the text with `words` in place of the gaps of those names; other gaps stay."""
    return _GAP.sub(lambda gap: words.get(gap[1].strip(), gap[0]), text)
