"""Decides what a message asks for, when the whole message is a command. Everything else is for people to read.

STOP is matched more generously than START: digits and signs in place of letters count for STOP alone. This is
the place where a tolerant matcher ("please stop texting me") will be asked after the exact one found nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.keywords.normalise import Normalised, normalise, tokens
from app.domain.keywords.tables import Words, all_words, words_for

MATCHER_VERSION: Final = "exact-1"

_NO_LISTS: Final[Mapping[str, str]] = MappingProxyType({})
_LEET_SIGNS: Final = frozenset("0135$@!|")
_LEET: Final = str.maketrans("0135$@!|", "oiessaii")
_LEET_BANG_IS_BLANK: Final = str.maketrans("0135$@!|", "oiessa i")


class Outcome(StrEnum):
    """What a message asks for."""

    STOP = "STOP"
    STOP_FUZZY = "STOP_FUZZY"
    STOP_LIST = "STOP_LIST"
    ERASE = "ERASE"
    HELP = "HELP"
    CONFIRM = "CONFIRM"
    DECLINE = "DECLINE"
    START = "START"
    START_LIST = "START_LIST"
    PAUSE = "PAUSE"
    WRONG_NUMBER = "WRONG_NUMBER"
    REVIEW = "REVIEW"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome with its evidence: which tier and rule of which matcher read the words that way."""

    outcome: Outcome
    tier: str = "none"
    rule: str = ""
    list_key: str | None = None
    matcher_version: str = MATCHER_VERSION
    days: int | None = None


_NOTHING: Final = Decision(Outcome.NONE)


def classify(
    text: str,
    *,
    languages: Collection[str] = ("en",),
    state: str = "unknown",
    lists: Mapping[str, str] = _NO_LISTS,
) -> Decision:
    """Read `text` as a command in the active `languages`; English always is active.

    `lists` maps the squeezed word of each list (see `squeeze`) to the key of the list. A command of everybody
    wins over a list's word, and STOP over all. `state`, the subscription's state before, changes nothing
    among exact commands: STOP, START and HELP mean the same in every state.
    """
    message, words = normalise(text), words_for(languages)
    return (
        _stop_everything(message, words)
        or _about_one_list(message, words, lists)
        or _help_or_start(message.squeezed, words)
        or _list_word(message.squeezed, lists)
        or _NOTHING
    )


def _stop_everything(message: Normalised, words: Words) -> Decision | None:
    if message.only_stop_signs:
        return Decision(Outcome.STOP, "emoji", "stop-sign")
    if rule := words.stop.get(message.squeezed):
        return Decision(Outcome.STOP, "exact", rule)
    if len(message.tokens) > 1 and message.tokens[0] in words.stop:
        rest = "".join(message.tokens[1:])
        if rest in all_words():
            return Decision(Outcome.STOP, "exact", f"{words.stop[message.tokens[0]]}+all:{rest}")
    return _stop_in_leet(message.text, words)


def _stop_in_leet(text: str, words: Words) -> Decision | None:
    if _LEET_SIGNS.isdisjoint(text):
        return None
    for alphabet in (_LEET, _LEET_BANG_IS_BLANK):
        if rule := words.stop.get("".join(tokens(text.translate(alphabet)))):
            return Decision(Outcome.STOP, "leet", rule)
    return None


def _about_one_list(message: Normalised, words: Words, lists: Mapping[str, str]) -> Decision | None:
    if len(message.tokens) < 2 or (key := lists.get("".join(message.tokens[1:]))) is None:
        return None
    first = message.tokens[0]
    if first in words.stop:
        return Decision(Outcome.STOP_LIST, "exact", f"{words.stop[first]}+list", key)
    if first in words.start:
        return Decision(Outcome.START_LIST, "exact", f"{words.start[first]}+list", key)
    return None


def _help_or_start(squeezed: str, words: Words) -> Decision | None:
    if rule := words.help.get(squeezed):
        return Decision(Outcome.HELP, "exact", rule)
    if rule := words.start.get(squeezed):
        return Decision(Outcome.START, "exact", rule)
    return None


def _list_word(squeezed: str, lists: Mapping[str, str]) -> Decision | None:
    key = lists.get(squeezed)
    return None if key is None else Decision(Outcome.START_LIST, "exact", "list-word", key)
