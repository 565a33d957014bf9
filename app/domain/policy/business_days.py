"""Public holidays and business days, computed from rules in data/holidays.toml, so that no year runs out."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKEND: Final = frozenset({5, 6})
_DAY: Final = timedelta(days=1)


def business_day_after(moment: datetime, zone: str, country: str) -> datetime:
    """Return the UTC instant at which the clocks of `zone` show the time of `moment` on the next business day.

    Friday 17:00 gives Monday 17:00, and Tuesday 17:00 when Monday is a holiday of `country` (two capital letters).
    Raises ZoneInfoNotFoundError for a zone that does not exist.
    """
    local = moment.astimezone(ZoneInfo(zone))
    day = local.date() + _DAY
    while not is_business_day(day, country):
        day += _DAY
    return datetime.combine(day, local.timetz()).astimezone(UTC)


def is_business_day(day: date, country: str) -> bool:
    """Tell whether `day` is neither a Saturday, nor a Sunday, nor a holiday of `country`."""
    return day.weekday() not in _WEEKEND and not is_holiday(day, country)


def is_holiday(day: date, place: str) -> bool:
    """Tell whether `day` is a public holiday in a country ("US"), or in a part of one ("US-AL")."""
    # New Year's Day of the next year may be kept on the last day of this one.
    return day in _holidays(place, day.year) or day in _holidays(place, day.year + 1)


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher's way)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    leaps, century_rest = divmod(century, 4)
    moved = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moved + 15) % 30
    weekday = (32 + 2 * century_rest + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@cache
def _rules() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(files("app.domain.policy").joinpath("data/holidays.toml").read_text("utf-8"))


@cache
def _holidays(place: str, year: int) -> frozenset[date]:
    country = place.partition("-")[0]
    return frozenset().union(*(_days(_rules().get(one, {}), year) for one in {country, place}))


def _days(rule: Mapping[str, Any], year: int) -> frozenset[date]:
    days = [date(year, *map(int, one.split("-"))) for one in rule.get("fixed", ())]
    days += [easter(year) + timedelta(days=offset) for offset in rule.get("easter", ())]
    days += [_nth(one, year) for one in rule.get("nth", ())]
    days += [_before(one, year) for one in rule.get("before", ())]
    return _MOVES[rule.get("moved", "")](frozenset(days))


def _nth(written: str, year: int) -> date:
    """Read "3 mon 01" or "last mon 05"."""
    which, weekday, month = written.split()
    if which == "last":
        return _before(f"{weekday} {int(month) + 1:02}-01", year)
    first = date(year, int(month), 1)
    ahead = (_WEEKDAYS.index(weekday) - first.weekday()) % 7
    return first + timedelta(days=ahead, weeks=int(which) - 1)


def _before(written: str, year: int) -> date:
    """Read "mon 05-25": the last Monday before the 25th of May."""
    weekday, end = written.split()
    last = date(year, *map(int, end.split("-"))) - _DAY
    return last - timedelta(days=(last.weekday() - _WEEKDAYS.index(weekday)) % 7)


def _to_nearest(days: frozenset[date]) -> frozenset[date]:
    shift = {5: -_DAY, 6: _DAY}
    return days | {day + shift[day.weekday()] for day in days if day.weekday() in shift}


def _to_next(days: frozenset[date]) -> frozenset[date]:
    taken = set(days)
    for day in sorted(days):
        kept = day
        while kept.weekday() in _WEEKEND or (kept != day and kept in taken):
            kept += _DAY
        taken.add(kept)
    return frozenset(taken)


_MOVES: Final[Mapping[str, Callable[[frozenset[date]], frozenset[date]]]] = {
    "": lambda days: days,
    "nearest": _to_nearest,
    "next": _to_next,
}
