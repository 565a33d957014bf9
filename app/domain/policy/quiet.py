"""Quiet hours: whether people somewhere may be written to at an instant, and when they may next.

An instant is allowed when the local clock of every zone they may be in shows an allowed hour. It is asked of each
zone's own clock: windows wrap midnight UTC, and clocks change. All clocks agree with UTC on the quarter of an hour,
so nothing opens or closes in between.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.policy.places import Whereabouts, busiest_zone
from app.domain.policy.windows import hours_of

QUARTER: Final = timedelta(minutes=15)
# Zones that share less than this a day in common leave no time to send: then the busiest one stands for all.
LEAST_QUARTERS: Final = 4
_WEEK: Final = 7 * 24 * 4


def is_open(where: Whereabouts, now: datetime) -> bool:
    """Tell whether people there may be written to at `now`."""
    return _is_open(where, _quarter(now))


def next_open(where: Whereabouts, now: datetime) -> datetime:
    """Return `now` if they may be written to then, else the UTC instant at which they next may."""
    if is_open(where, now):
        return now
    return _next_open(where, _quarter(now))


def is_guess(where: Whereabouts, now: datetime) -> bool:
    """Tell whether the zones have too little of that week in common, so that the busiest one stands for all."""
    return len(where.zones) > 1 and not _have_an_hour(where, now.astimezone(UTC).date())


def next_quarter(now: datetime) -> datetime:
    """The first instant after `now` at which anything may open or close."""
    return _quarter(now) + QUARTER


def _quarter(now: datetime) -> datetime:
    utc = now.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


@lru_cache(maxsize=8192)
def _is_open(where: Whereabouts, quarter: datetime) -> bool:
    if is_guess(where, quarter):
        zone = busiest_zone(where.country) or where.zones[0]
        return _open_in(zone, where.place, quarter)
    return all(_open_in(zone, where.place, quarter) for zone in where.zones)


@lru_cache(maxsize=8192)
def _next_open(where: Whereabouts, quarter: datetime) -> datetime:
    while not _is_open(where, quarter):
        quarter += QUARTER
    return quarter


@lru_cache(maxsize=1024)
def _have_an_hour(where: Whereabouts, day: date) -> bool:
    """Tell whether in the seven days (UTC) from `day` there is an hour on end that is allowed in all zones."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    run = 0
    for step in range(_WEEK):
        moment = start + step * QUARTER
        run = run + 1 if all(_open_in(zone, where.place, moment) for zone in where.zones) else 0
        if run == LEAST_QUARTERS:
            return True
    return False


def _open_in(zone: str, place: str, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(zone))
    return hours_of(place, local.date()).holds(local.hour)
