"""What a deep link or a button carries: which list it is about, and where it hung (`city_poster7`).

Telegram allows 64 of `A-Za-z0-9_-` and nothing else, so a payload is made of these: the list's word or, where that has
other letters, `list-7`; then `_` and a tag of the place, which stays with the consent as its evidence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.keywords import Decision, Outcome

MAX_PAYLOAD: Final = 64
TIER: Final = "payload"
_PLAIN: Final = re.compile(r"[a-z0-9]+")
_TAG: Final = re.compile(r"[A-Za-z0-9-]{1,30}")
_WRITTEN: Final = re.compile(r"[A-Za-z0-9-]+_[A-Za-z0-9-]{1,30}|list-[0-9]+", re.IGNORECASE)
_PREFIX: Final = "list-"
_COMMANDS: Final = {"start": Outcome.START, "stop": Outcome.STOP, "help": Outcome.HELP}


class BadTag(ValueError):
    """A tag has letters that links cannot carry; the text shows an example."""


@dataclass(frozen=True)
class Payload:
    """A payload, read: what it asks for, and the tag of where the link hung."""

    decision: Decision
    source: str


def payload_of(word: str, list_id: int, source: str = "") -> str:
    """Return what a link to a list carries. Raises `BadTag`."""
    if source and not _TAG.fullmatch(source):
        raise BadTag(
            f"“{source}” cannot be the tag of a link: use up to 30 letters, digits and hyphens, such as poster-7."
        )
    plain = word.casefold()
    head = plain if _PLAIN.fullmatch(plain) and len(plain) <= MAX_PAYLOAD - 31 else f"{_PREFIX}{list_id}"
    return f"{head}_{source}" if source else head


def read_payload(payload: str, lists: Mapping[str, str]) -> Payload | None:
    """Read a payload; None when it means nothing here. `lists` maps each word to its list's key (its id as text).

    `start`, `stop` and `stop-<word>` are what our buttons carry: a press is as clear as the typed word.
    """
    head, _, source = payload.strip()[:MAX_PAYLOAD].partition("_")
    head = head.casefold().replace("optout:", "stop-", 1)  # how buttons of platforms' own opt-outs are named
    if head in _COMMANDS:
        return Payload(Decision(_COMMANDS[head], TIER, head), source)
    leaves = head.startswith("stop-")
    key = _list_key(head.removeprefix("stop-"), lists)
    if key is None:
        return None
    outcome = Outcome.STOP_LIST if leaves else Outcome.START_LIST
    return Payload(Decision(outcome, TIER, "stop-list" if leaves else "list", key), source)


def read_written(text: str, lists: Mapping[str, str]) -> Payload | None:
    """Read a text that is nothing but what a link wrote for the person to send, as WhatsApp's and LINE's do.

    Only joining a list is read so; a list's plain word is left to whoever reads words.
    """
    found = read_payload(text, lists) if _WRITTEN.fullmatch(text.strip()) else None
    return found if found is not None and found.decision.outcome is Outcome.START_LIST else None


def _list_key(head: str, lists: Mapping[str, str]) -> str | None:
    by_word = {word.casefold(): key for word, key in lists.items()}
    if head in by_word:
        return by_word[head]
    number = head.removeprefix(_PREFIX)
    return number if head.startswith(_PREFIX) and number in lists.values() else None
