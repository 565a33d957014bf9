"""Finds the command or the listed word that a misspelt one was meant to be.

Short words are repaired with great care, because a slip away from *stop* lie *shop*, *step* and *top*.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Final

from app.domain.keywords.languages import Language, shortened
from app.domain.keywords.normalise import word_set

# The keys around each key of an American keyboard.
_NEIGHBOURS: Final = dict(
    keys.split(":")
    for keys in word_set(
        "q:wa w:qase e:wsdr r:edft t:rfgy y:tghu u:yhji i:ujko o:iklp p:ol a:qwsz s:awedxz d:serfcx f:drtgvc g:ftyhbv "
        "h:gyujnb j:huikmn k:jiolm l:kop z:asx x:zsdc c:xdfv v:cfgb b:vghn n:bhjm m:njk"
    )
)
# Ordinary words that are one slip away from a command; none of them is a misspelling.
NOT_A_SLIP: Final = word_set(
    "atop bend canceled cancelled cancels cancer cancers chancel chop council counsel crop drop ended ending quiet "
    "quite quiz send sent ship shop slop sop spot step steps stock stoop stopcock stoppage stopped stopper stopping "
    "stops store story stow tend tent top subscribe subscribed subscriber subscribers subscribes subscribing "
    "subscription removed removes revoked exist exits edit quits stomp stump strop stoop stout stoup setup "
    "stove remote remover evoke quilt quid quip quint suit quirt"
)
_STOP_SLIPS: Final = frozenset(
    {"stp", "stpo", "sotp", "tsop", "stopo", "stob", "stoo", "satop", "stoop"} - NOT_A_SLIP
)
_SHORTEST_WITH_SLIP: Final = 4
_SHORTEST_WITH_EDIT: Final = 6
_LONGEST: Final = 24
_DIGIT: Final = re.compile(r"\d")  # `isalpha` would reject the vowel signs of Devanagari


def misspelt(token: str, commands: Iterable[str]) -> str | None:
    """The command that `token` is a slip of the hand from, if it is none itself."""
    words = set(commands)
    if token in words or token in NOT_A_SLIP or not 3 <= len(token) <= _LONGEST or _DIGIT.search(token):
        return None
    if _is_stop(token):
        return "stop"
    if _is_unsubscribe(token):
        return "unsubscribe"
    near = (word for word in sorted(words) if _is_slip(token, word))
    return next(near, None)


def repair(token: str, language: Language) -> str:
    """`token`, or the word of the language's lists that it is a misspelling of."""
    if len(token) < 3 or len(token) > _LONGEST or token in NOT_A_SLIP or not language.spaced:
        return token
    return _repair(token, language)


@lru_cache(maxsize=20_000)
def _repair(token: str, language: Language) -> str:
    if language.knows(token) or not token.isalpha():
        return token
    if _is_stop(token):
        return "stop"
    if _is_unsubscribe(token):
        return "unsubscribe"
    if len(token) < _SHORTEST_WITH_EDIT:
        return token
    return nearest(token, language.by_shortened) or token


def _is_stop(token: str) -> bool:
    """Misspellings of *stop* itself, which are repaired anywhere: sttop, stpo, dtop."""
    return (
        token in _STOP_SLIPS
        or _squeezed(token) == "stop"
        or (len(token) == 4 and _is_neighbour_or_swap(token, "stop"))
    )


def _is_unsubscribe(token: str) -> bool:
    return (
        token[0] in "ui"
        and len(token) >= 8
        and not token.startswith("unsubscri")
        and within(token, "unsubscribe", 2)
    )


def _is_slip(token: str, word: str) -> bool:
    if len(word) < _SHORTEST_WITH_SLIP or _DIGIT.search(word):
        return False
    if _squeezed(token) == _squeezed(word) or (
        len(token) == len(word) and _is_neighbour_or_swap(token, word)
    ):
        return True
    return len(word) >= _SHORTEST_WITH_EDIT and token[0] == word[0] and within(token, word, 1)


def _squeezed(word: str) -> str:
    return "".join(ch for i, ch in enumerate(word) if i == 0 or ch != word[i - 1])


def _is_neighbour_or_swap(token: str, word: str) -> bool:
    differ = [i for i, (a, b) in enumerate(zip(token, word, strict=True)) if a != b]
    if len(differ) == 1:
        i = differ[0]
        return token[i] in _NEIGHBOURS.get(word[i], ())
    return (
        len(differ) == 2
        and differ[1] == differ[0] + 1
        and token[differ[0]] == word[differ[1]]
        and token[differ[1]] == word[differ[0]]
    )


def within(a: str, b: str, limit: int) -> bool:
    """Whether `a` becomes `b` by at most `limit` insertions, deletions, changes or swaps of neighbours."""
    if abs(len(a) - len(b)) > limit:
        return False
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1] <= limit


def nearest(token: str, index: Mapping[str, Collection[str]]) -> str | None:
    """The one word within one edit of `token`; None when there is none, or several.

    `index` maps what remains of each word without one letter, and the word itself, to the words.
    """
    near = {word for key in shortened(token) for word in index.get(key, ()) if within(token, word, 1)}
    return near.pop() if len(near) == 1 else None
