"""The hours of a place on a day: default, country and state, each from data/windows.toml, the narrowest of them."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from app.domain.policy.business_days import is_holiday

DEFAULT: Final = "default"
UNKNOWN: Final = "unknown"
# A US number of which we do not know the state has the narrowest hours of all of them.
ANY_STATE: Final = "US-?"


@dataclass(frozen=True, slots=True)
class Hours:
    """Local hours of a day, from `first` until before `last`; empty when `first` is not before `last`."""

    first: int
    last: int

    def narrowed(self, other: "Hours") -> "Hours":
        """The hours in both."""
        return Hours(max(self.first, other.first), min(self.last, other.last))

    def holds(self, hour: int) -> bool:
        """Tell whether the clock's hour lies within."""
        return self.first <= hour < self.last


ALL_DAY: Final = Hours(0, 24)
NONE: Final = Hours(0, 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the data. `saturday`, `sunday` and `holidays` are None where the day is like others."""

    place: str
    hours: Hours
    saturday: Hours | None
    sunday: Hours | None
    holidays: Hours | None
    source: str
    verified_on: date

    def on(self, day: date) -> Hours:
        """The hours of one day in this place."""
        special = {5: self.saturday, 6: self.sunday}.get(day.weekday())
        found = special if special is not None else self.hours
        if self.holidays is not None and is_holiday(day, self.place):
            return found.narrowed(self.holidays)
        return found


@lru_cache(maxsize=4096)
def hours_of(place: str, day: date) -> Hours:
    """The hours in which people in `place` ("DE", "US-NY", "US-?", "unknown") may be written to on their `day`."""
    found = ALL_DAY
    for rule in _rules_for(place):
        found = found.narrowed(rule.on(day))
    return found


@cache
def rules() -> Mapping[str, Rule]:
    """Every entry of the data by its place."""
    data = load("windows")
    entries = [(name, data[name]) for name in (DEFAULT, UNKNOWN)]
    entries += [(place, entry) for entry in data["place"] for place in entry["places"]]
    return {place: _rule(place, entry) for place, entry in entries}


@cache
def load(name: str) -> Mapping[str, Any]:
    """Read one of the data files beside this module."""
    return tomllib.loads(files("app.domain.policy").joinpath(f"data/{name}.toml").read_text("utf-8"))


def _rules_for(place: str) -> Iterable[Rule]:
    country = place.partition("-")[0]
    states = [one for one in rules() if one.startswith("US-")] if place == ANY_STATE else []
    names = dict.fromkeys((DEFAULT, country, place, *states))
    return [rules()[name] for name in names if name in rules()]


def _rule(place: str, entry: Mapping[str, Any]) -> Rule:
    special = {
        day: _hours(entry[day]) if day in entry else None for day in ("saturday", "sunday", "holidays")
    }
    verified_on = date.fromisoformat(entry["verified_on"])
    return Rule(place, _hours(entry["hours"]), **special, source=entry["source"], verified_on=verified_on)


def _hours(written: str) -> Hours:
    if written == "none":
        return NONE
    first, last = map(int, written.split("-"))
    return Hours(first, last)
