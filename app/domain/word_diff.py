"""What changed between two texts, word by word."""

import re
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")


class Change(StrEnum):
    """What became of a stretch of text."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


class Stretch(NamedTuple):
    """Some words in a row that share one fate."""

    change: Change
    text: str


def differences(old: str, new: str) -> list[Stretch]:
    """Return how `old` became `new`: what is same or added makes up `new`, what is same or removed `old`."""
    before, after = _PIECE.findall(old), _PIECE.findall(new)
    found: list[Stretch] = []
    for what, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Stretch(Change.SAME, "".join(after[k:m])))
            continue
        found += [Stretch(Change.REMOVED, "".join(before[i:j]))] if j > i else []
        found += [Stretch(Change.ADDED, "".join(after[k:m]))] if m > k else []
    return found
