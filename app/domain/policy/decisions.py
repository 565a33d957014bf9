"""What the gate decides about a person and a moment: Send, Skip with the reason, or Defer until an instant.

`decide` says it for one person. The lane asks it once for each group of people who share their quiet hours, and for
each person who has had the messages of the day; the rest of the gate is SQL (docs/adr/0012-quiet-groups.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.statuses import SkipReason

# Messages of broadcasts to one person in any 24 hours, over all lists. Florida, Oklahoma and Oregon want this.
DAILY_CAP: Final = 3
CAP_PERIOD: Final = timedelta(hours=24)
# From one time to the same on the next day, in autumn; and a moment more.
LONGEST_DAY: Final = timedelta(hours=26)
# The clock starts a broadcast a moment after its time; what began so soon began at its time.
_PUNCTUAL: Final = timedelta(minutes=1)
# People whose hours open together are spread by at least and at most this, and in between at the sender's pace.
_LEAST_SPREAD_S: Final = 60
_MOST_SPREAD_S: Final = 900


@dataclass(frozen=True, slots=True)
class Send:
    """It may go now."""


@dataclass(frozen=True, slots=True)
class Skip:
    """It will never go to this person."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Defer:
    """It may not go before `until` (UTC)."""

    until: datetime


Decision = Send | Skip | Defer


def decide(
    now: datetime,
    expires_at: datetime | None,
    *,
    opens_at: datetime | None = None,
    frees_at: datetime | None = None,
    renews_at: datetime | None = None,
) -> Decision:
    """Decide about one person.

    `opens_at` is when the quiet hours end, `frees_at` when the person may have one message more, `renews_at` when the
    platform's quota begins anew; None or not after `now` means that nothing stands against it. What would have to wait
    until it is stale is skipped instead.
    """
    for until, reason in (
        (opens_at, SkipReason.QUIET_HOURS),
        (frees_at, SkipReason.FREQUENCY_CAP),
        (renews_at, SkipReason.QUOTA),
    ):
        if until is None or until <= now:
            continue
        if expires_at is not None and until >= expires_at:
            return Skip(reason)
        return Defer(until)
    return Send()


def cap_of(promises: Iterable[int]) -> int:
    """Messages in 24 hours that a broadcast may be one of, from the promises of its lists (messages a day).

    Whoever agreed to a list that promises more than our cap, a live ticker say, agreed to that.
    """
    return max(DAILY_CAP, min(promises, default=DAILY_CAP))


def breaks_promise(moments: Iterable[datetime], at: datetime, most: int) -> bool:
    """Tell whether one more message at `at` would be more than `most` in some 24 hours, besides those at `moments`.

    For a list's promise these are times on the list's own clock (`on_the_clock`), for it promised days.
    """
    times = sorted([*moments, at])
    return any(
        times[i] <= at <= times[i + most] and times[i + most] - times[i] < CAP_PERIOD
        for i in range(len(times) - most)
    )


def on_the_clock(moment: datetime, zone: str) -> datetime:
    """Return what a clock in `zone` shows: the same time tomorrow is 24 hours later in every season."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def went_at(planned: datetime | None, started: datetime | None) -> datetime | None:
    """Return when a broadcast goes, or went: at its planned time, unless it began later than a clock needs."""
    if planned is not None and (started is None or planned <= started < planned + _PUNCTUAL):
        return planned
    return started


def spread_s(people: int, rate: float) -> int:
    """Seconds over which to spread people whose hours open together, at a sender's `rate` a second."""
    return int(min(_MOST_SPREAD_S, max(_LEAST_SPREAD_S, people / rate)))
