"""Holidays at home, and where a list's clock stands."""

from datetime import date

import pytest

from app.domain.policy.holiday_places import countries_on_holiday
from app.domain.policy.places import country_of_zone


@pytest.mark.parametrize(
    ("zone", "country"),
    [("Europe/Berlin", "DE"), ("America/Chicago", "US"), ("UTC", None), ("Mars/Olympus", None)],
)
def test_the_country_of_a_clock(zone: str, country: str | None) -> None:
    assert country_of_zone(zone) == country


@pytest.mark.parametrize(
    ("day", "countries"),
    [
        (date(2026, 12, 25), ("US", "DE")),
        (date(2026, 11, 26), ("US",)),
        (date(2026, 10, 3), ("DE",)),
        (date(2026, 10, 6), ()),
    ],
)
def test_home_comes_first_and_each_country_once(day: date, countries: tuple[str, ...]) -> None:
    assert (
        countries_on_holiday(day, "US", ["Europe/Berlin", "UTC", "America/New_York", "Europe/Berlin"])
        == countries
    )
