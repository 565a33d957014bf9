"""Editors' wall-clock times and instants: clock changes, promised hours, the nearest time that is allowed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.services.controller import Refused
from app.storage.models import BroadcastList

# A week: what is older than that is another message.
MOST_FRESH_MINUTES: Final = 7 * 24 * 60


def checked_freshness(minutes: int) -> int:
    """Return for how long a message is worth sending, in minutes. Raises `Refused` for too short or too long."""
    if not 1 <= minutes <= MOST_FRESH_MINUTES:
        raise Refused(f"A broadcast is worth sending for 1 to {MOST_FRESH_MINUTES} minutes, not {minutes}.")
    return minutes


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone; raises `Refused` for a name that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(f"There is no time zone {name!r}. Write it like Europe/Berlin.") from error


def local_instant(wall: datetime, zone: str) -> datetime:
    """Return the UTC instant of a naive wall time; of a time that the clock shows twice, the first.

    Raises `Refused` for a time that the clock skips when it is put forward.
    """
    info = zone_named(zone)
    instant = wall.replace(tzinfo=info, fold=0).astimezone(UTC)
    if instant.astimezone(info).replace(tzinfo=None) != wall:
        after = instant.astimezone(info).strftime("%H:%M")
        raise Refused(
            f"On {wall:%d %B %Y} there is no {wall:%H:%M} in {zone}: the clock is put forward. Choose {after}."
        )
    return instant


def is_twice(wall: datetime, zone: str) -> bool:
    """Tell whether the clock shows this wall time twice, because it is put back."""
    info = zone_named(zone)
    return wall.replace(tzinfo=info, fold=0).utcoffset() != wall.replace(
        tzinfo=info, fold=1
    ).utcoffset() and (
        wall.replace(tzinfo=info, fold=0).astimezone(UTC).astimezone(info).replace(tzinfo=None) == wall
    )


def within_promise(lists: Sequence[BroadcastList], at: datetime) -> bool:
    """Tell whether `at` lies within the hours that every one of the lists promised, each in its own zone."""
    return all(one.from_hour <= at.astimezone(zone_named(one.zone)).hour < one.until_hour for one in lists)


def promised_there(lists: Sequence[BroadcastList], wall: datetime) -> bool:
    """Tell whether a time on people's own clocks lies within the hours that every one of the lists promised."""
    return all(one.from_hour <= wall.hour < one.until_hour for one in lists)


def nearest_allowed(lists: Sequence[BroadcastList], at: datetime) -> datetime | None:
    """Return the first instant from `at` on within every list's hours; None when they never overlap."""
    candidate = at
    for _ in range(2 * 24 * 4 + 1):
        if within_promise(lists, candidate):
            return candidate
        candidate = candidate.replace(minute=candidate.minute // 15 * 15, second=0, microsecond=0)
        candidate += timedelta(minutes=15)
    return None
