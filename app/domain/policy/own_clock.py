"""A moment on each person's own clock: the instant at which it has come for everybody in a place, and what is decided.

Nobody may get it before that hour, so where a number may be in several zones the last of them counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from app.domain.policy import quiet
from app.domain.policy.decisions import Decision, Skip, decide, on_the_clock
from app.domain.policy.places import Source, Whereabouts, busiest_zone
from app.domain.recurrence import occurrence
from app.domain.statuses import SkipReason

FIRST_ZONE: Final = "Pacific/Kiritimati"
"""No clock on earth is ahead of this one."""
LAST_ZONE: Final = "Etc/GMT+12"
"""No clock on earth is behind this one."""
LONGEST_LEAD: Final = timedelta(hours=26)
"""The first clock shows a time so long before the last one."""
# Hours that are open on no day are looked for so long.
_QUARTERS: Final = 2 * 24 * 4


@dataclass(frozen=True, slots=True)
class Hour:
    """When the hour has come (UTC), on the clock of which zone; `known` is False where nobody knows the zone."""

    at: datetime
    zone: str
    known: bool


@dataclass(frozen=True, slots=True)
class OwnClock:
    """A broadcast at `wall` (a naive time) on each person's own clock, or on that of `zone` where nobody knows theirs.

    It goes to nobody before `since`; after its hour, or after `since` where that is later, it is `fresh` for so long.
    It keeps to the hours `from_hour` to `until_hour` that its lists promised, on the person's clock too, and to the
    quiet hours of the place unless `any_hour`.
    """

    wall: datetime
    zone: str
    since: datetime
    fresh: timedelta
    from_hour: int = 0
    until_hour: int = 24
    any_hour: bool = False

    def hour(self, where: Whereabouts) -> Hour:
        """Return when the hour has come for people there."""
        return _hour(where, self.wall, self.zone)

    def turn(self, where: Whereabouts) -> datetime:
        """Return when it could go to people there if no hours were quiet: their hour, never before `since`."""
        return max(self.hour(where).at, self.since)

    def opens(self, where: Whereabouts, now: datetime) -> datetime:
        """Return the first instant from `now` on at which their hour has come and they may be written to."""
        moment = max(self.turn(where), now)
        return moment if self._allows(where, moment) else _next(self, where, quiet.next_quarter(moment))

    def decide(self, where: Whereabouts, now: datetime) -> Decision:
        """Decide about people there: what is stale by then, or already, is skipped."""
        stale_at = self.turn(where) + self.fresh
        if now >= stale_at:
            return Skip(SkipReason.EXPIRED)
        return decide(now, stale_at, opens_at=self.opens(where, now))

    def _allows(self, where: Whereabouts, moment: datetime) -> bool:
        zones = where.zones if self.hour(where).known else (self.zone,)
        promised = all(self.from_hour <= on_the_clock(moment, zone).hour < self.until_hour for zone in zones)
        return promised and (self.any_hour or quiet.is_open(where, moment))


def hour_in(zone: str, wall: datetime) -> datetime:
    """Return the UTC instant at which the clocks of a zone first show `wall`, or would if they did not skip it."""
    return occurrence(wall, zone).at


def first_hour(wall: datetime) -> datetime:
    """Return the UTC instant at which the first clocks on earth show `wall`."""
    return hour_in(FIRST_ZONE, wall)


def last_hour(wall: datetime) -> datetime:
    """Return the UTC instant at which the last clocks on earth show `wall`."""
    return hour_in(LAST_ZONE, wall)


@lru_cache(maxsize=8192)
def _hour(where: Whereabouts, wall: datetime, fallback: str) -> Hour:
    moments = {zone: hour_in(zone, wall) for zone in where.zones}
    last = max(moments.values())
    # A country of several clocks tells nothing, and a name without any country less.
    guessed = where.source is Source.COUNTRY and min(moments.values()) != last
    if guessed or where.source is Source.CONTROLLER:
        return Hour(hour_in(fallback, wall), fallback, known=False)
    there = [zone for zone, at in moments.items() if at == last]
    busiest = busiest_zone(where.country)
    return Hour(last, busiest if busiest in there else there[0], known=True)


@lru_cache(maxsize=8192)
def _next(own: OwnClock, where: Whereabouts, quarter: datetime) -> datetime:
    for _ in range(_QUARTERS):
        if own._allows(where, quarter):
            break
        quarter += quiet.QUARTER
    return quarter
