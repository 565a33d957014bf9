"""Where a day is a public holiday, seen from a newsroom: at home, and in the countries of its lists' clocks."""

from collections.abc import Iterable
from datetime import date

from app.domain.policy.business_days import is_holiday
from app.domain.policy.places import country_of_zone


def countries_on_holiday(day: date, home: str, zones: Iterable[str]) -> tuple[str, ...]:
    """Return the countries (two capital letters) that keep `day`, of `home` and those of these time `zones`."""
    there = {country for zone in zones if (country := country_of_zone(zone)) is not None}
    return tuple(one for one in (home, *sorted(there - {home})) if is_holiday(day, one))
