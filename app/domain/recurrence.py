"""Repeating schedules: a rule as an RRULE (RFC 5545) on the clocks of a zone, and the moments that come of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import dropwhile
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

MOST_BETWEEN: Final = 52
MOST_TIMES: Final = 1000
LAST_YEAR: Final = 2200
LAST_OF_MONTH: Final = -1
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY: Final = timedelta(days=1)
_LOCAL: Final = "%Y%m%dT%H%M%S"


class Every(StrEnum):
    """What passes between two occurrences, as RFC 5545 writes it."""

    DAY = "DAILY"
    WEEK = "WEEKLY"
    MONTH = "MONTHLY"


class Shift(StrEnum):
    """A change of the clocks at an occurrence. SKIPPED: the time does not exist then. TWICE: it comes two times."""

    SKIPPED = "skipped"
    TWICE = "twice"


class RuleState(StrEnum):
    """Where a rule is. One that is ACTIVE and has nothing more to come is over."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class RunState(StrEnum):
    """What became of an occurrence. SKIPPED: an editor left it out. MISSED: no clock ran while it was fresh."""

    MADE = "made"
    REFUSED = "refused"
    SKIPPED = "skipped"
    MISSED = "missed"


class BadRule(ValueError):
    """A rule that makes no sense; `field` is the part that is wrong, the text says what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Rule:
    """Every `interval` days, weeks (on `weekdays`, Monday is 0) or months (on `monthday`, -1 is the last).

    `begins` is the first occurrence as the clocks of `zone` show it. It ends with the day `until`, after `times`
    occurrences, or, with neither, when somebody ends it. With `own_clocks` it goes at that time on each person's own
    clock: `zone` then tells the days apart, and holds for those of whom nobody knows the zone.
    """

    begins: datetime
    zone: str
    every: Every
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    monthday: int | None = None
    until: date | None = None
    times: int | None = None
    own_clocks: bool = False

    @property
    def rrule(self) -> str:
        """The rule as RFC 5545 section 3.3.10 writes it; `UNTIL` is in UTC, as it asks for where there is a zone."""
        parts = [f"FREQ={self.every}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.weekdays:
            parts.append(f"BYDAY={','.join(_DAYS[day] for day in self.weekdays)}")
        if self.monthday is not None:
            parts.append(f"BYMONTHDAY={self.monthday}")
        if self.until is not None:
            parts.append(f"UNTIL={_end_of(self.until, self.zone):{_LOCAL}}Z")
        if self.times is not None:
            parts.append(f"COUNT={self.times}")
        return ";".join(parts)

    @property
    def dtstart(self) -> str:
        """`begins` in the local form of RFC 5545 section 3.3.5, to stand beside the zone."""
        return f"{self.begins:{_LOCAL}}"


@dataclass(frozen=True)
class Occurrence:
    """One moment of a rule: as the clocks of its zone show it, in UTC, and what the clocks do then."""

    wall: datetime
    at: datetime
    shift: Shift | None = None


def make_rule(
    begins: datetime,
    zone: str,
    every: Every,
    *,
    interval: int = 1,
    weekdays: tuple[int, ...] = (),
    last_of_month: bool = False,
    until: date | None = None,
    times: int | None = None,
    own_clocks: bool = False,
) -> Rule:
    """Return a rule that begins at the wall time `begins` or at the first moment after it that fits.

    Without `weekdays` a weekly rule keeps the weekday of `begins`, a monthly one keeps its date. Raises `BadRule`.
    """
    _check(begins, every, interval, weekdays, until, times)
    if every is Every.WEEK:
        rule = Rule(begins, zone, every, weekdays=tuple(sorted({*weekdays} or {begins.weekday()})))
    elif every is Every.MONTH:
        rule = Rule(begins, zone, every, monthday=LAST_OF_MONTH if last_of_month else begins.day)
    else:
        rule = Rule(begins, zone, every)
    # RFC 5545 wants the start to be an occurrence; "every second week" counts from there.
    first = next(iter(_walls(rule)))
    if until is not None and first.date() > until:
        raise BadRule("until", "The rule would end before it first goes out. Choose a later end.")
    return replace(rule, begins=first, interval=interval, until=until, times=times, own_clocks=own_clocks)


def read_rule(dtstart: str, rrule_text: str, zone: str, *, own_clocks: bool = False) -> Rule:
    """Return what `Rule.dtstart` and `Rule.rrule` wrote."""
    parts = dict(part.split("=", 1) for part in rrule_text.split(";"))
    until = parts.get("UNTIL")
    return Rule(
        begins=datetime.strptime(dtstart, _LOCAL),  # noqa: DTZ007 - a wall time; the zone stands beside it
        zone=zone,
        every=Every(parts["FREQ"]),
        interval=int(parts.get("INTERVAL", 1)),
        weekdays=tuple(_DAYS.index(day) for day in parts.get("BYDAY", "").split(",") if day),
        monthday=int(parts["BYMONTHDAY"]) if "BYMONTHDAY" in parts else None,
        until=_local_day(until, zone) if until else None,
        times=int(parts["COUNT"]) if "COUNT" in parts else None,
        own_clocks=own_clocks,
    )


def occurrences(rule: Rule, after: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences later than the instant `after`, in their order; endless unless the rule ends.

    A time that the clocks skip goes as much later as they are put forward, one that they show twice goes at the
    first: so says RFC 5545 section 3.3.5.
    """
    # No clock was ever put forward or back by more than a day.
    near = after.astimezone(ZoneInfo(rule.zone)).replace(tzinfo=None) - _DAY
    moments = (occurrence(wall, rule.zone) for wall in _walls(rule).xafter(near, inc=True))
    yield from dropwhile(lambda one: one.at <= after, moments)


def occurrence(wall: datetime, zone: str) -> Occurrence:
    """Return the instant at which the clocks of `zone` show `wall`, by the rules of `occurrences`."""
    clock = ZoneInfo(zone)
    early, late = wall.replace(tzinfo=clock, fold=0), wall.replace(tzinfo=clock, fold=1)
    at = early.astimezone(UTC)
    if early.utcoffset() == late.utcoffset():
        return Occurrence(wall, at)
    exists = at.astimezone(clock).replace(tzinfo=None) == wall
    return Occurrence(wall, at, Shift.TWICE if exists else Shift.SKIPPED)


def _check(
    begins: datetime,
    every: Every,
    interval: int,
    weekdays: tuple[int, ...],
    until: date | None,
    times: int | None,
) -> None:
    if begins.year > LAST_YEAR or (until is not None and until.year > LAST_YEAR):
        raise BadRule("day" if begins.year > LAST_YEAR else "until", f"Choose a day before {LAST_YEAR + 1}.")
    if not 1 <= interval <= MOST_BETWEEN:
        raise BadRule("interval", f"Repeat every 1 to {MOST_BETWEEN} days, weeks or months.")
    if weekdays and every is not Every.WEEK:
        raise BadRule("weekdays", "Weekdays belong to a rule by weeks. Choose weeks, or no weekday.")
    if any(day not in range(7) for day in weekdays):
        raise BadRule("weekdays", "Choose days from Monday to Sunday.")
    if until is not None and times is not None:
        raise BadRule("times", "Give a last day or a number of times, not both.")
    if times is not None and not 1 <= times <= MOST_TIMES:
        raise BadRule("times", f"Give a number of times from 1 to {MOST_TIMES}.")


def _walls(rule: Rule) -> rrule:
    """Expand in wall time, so that 07:30 stays 07:30 in summer and winter; the zone comes in afterwards."""
    local = replace(rule, until=None).rrule
    if rule.until is not None:
        local += f";UNTIL={datetime.combine(rule.until, time.max):{_LOCAL}}"
    found = rrulestr(local, dtstart=rule.begins)
    assert isinstance(found, rrule)  # noqa: S101 - a set comes of several lines only
    return found


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(23, 59, 59), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _local_day(until: str, zone: str) -> date:
    instant = datetime.strptime(until, f"{_LOCAL}Z").replace(tzinfo=UTC)
    return instant.astimezone(ZoneInfo(zone)).date()
