"""For how long a message is worth sending: what the page “When” offers, and what was chosen there."""

from collections.abc import Mapping
from typing import Any, Final

from app.desk.languages import duration
from app.storage.models import Broadcast

OFFERED: Final = (30, 60, 120, 240, 480, 720, 1440, 2880)
"""Minutes after the time of a broadcast."""


def fresh_of(raw: Mapping[str, Any]) -> int | None:
    """The minutes that were chosen; None for nothing and for nonsense: then the draft's own count."""
    chosen = str(raw.get("fresh", ""))
    return int(chosen) if chosen in map(str, OFFERED) else None


def lengths(own: int) -> list[tuple[int, str]]:
    """What a list can have, as minutes and words, with its own length among them."""
    return [(one, duration(60 * one)) for one in _with(own)]


def worth_choices(broadcast: Broadcast, raw: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """What can be chosen, as value, words, and whether it is; the draft's own length first where it is another."""
    own = broadcast.fresh_minutes
    minutes = _with(own)
    chosen = fresh_of(raw) or own
    return [("" if one == own else str(one), duration(60 * one), one == chosen) for one in minutes]


def _with(own: int) -> tuple[int, ...]:
    return OFFERED if own in OFFERED else tuple(sorted((own, *OFFERED)))
