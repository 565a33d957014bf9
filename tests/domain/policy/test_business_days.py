"""Business days: weekends, holidays that move with Easter, and holidays that are kept on another day."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain.policy.business_days import _rules, business_day_after, easter, is_business_day, is_holiday

BERLIN, NEW_YORK, LONDON = "Europe/Berlin", "America/New_York", "Europe/London"


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("zone", "country", "start", "end"),
    [
        (BERLIN, "DE", (2026, 11, 27, 17), (2026, 11, 30, 17)),  # Friday to Monday
        (BERLIN, "DE", (2026, 11, 24, 17), (2026, 11, 25, 17)),  # a Tuesday
        (BERLIN, "DE", (2026, 11, 28, 10), (2026, 11, 30, 10)),  # Saturday counts from then on
        (BERLIN, "DE", (2027, 3, 25, 17), (2027, 3, 30, 17)),  # over Easter; the clocks change on Sunday
        (BERLIN, "XX", (2027, 3, 25, 17), (2027, 3, 26, 17)),  # a country without holidays has weekends
        (NEW_YORK, "US", (2026, 11, 25, 17), (2026, 11, 27, 17)),  # Thanksgiving
        (NEW_YORK, "US", (2026, 7, 2, 17), (2026, 7, 6, 17)),  # the 4th is a Saturday, kept on Friday
        (
            LONDON,
            "GB",
            (2027, 12, 24, 17),
            (2027, 12, 29, 17),
        ),  # Christmas on a weekend: Monday and Tuesday off
    ],
)
def test_t12_one_business_day_later_the_clock_shows_the_same_time(zone, country, start, end):
    assert business_day_after(local(zone, *start), zone, country) == local(zone, *end)


def test_the_day_is_that_of_the_zone_and_the_answer_is_in_utc():
    friday_in_utc_saturday_in_auckland = datetime(2026, 11, 27, 20, tzinfo=UTC)

    after = business_day_after(friday_in_utc_saturday_in_auckland, "Pacific/Auckland", "NZ")

    assert after == local("Pacific/Auckland", 2026, 11, 30, 9)
    assert after.tzinfo is UTC


@pytest.mark.parametrize(
    "sunday", [date(2000, 4, 23), date(2024, 3, 31), date(2026, 4, 5), date(2027, 3, 28), date(2038, 4, 25)]
)
def test_easter_is_where_the_church_has_it(sunday):
    assert easter(sunday.year) == sunday


@pytest.mark.parametrize(
    ("place", "day"),
    [
        ("US", date(2026, 1, 19)),
        ("US", date(2026, 5, 25)),
        ("US", date(2027, 12, 31)),  # New Year's Day 2028 is a Saturday
        ("CA", date(2026, 5, 18)),  # Victoria Day
        ("GB", date(2026, 8, 31)),
        ("FR", date(2026, 5, 14)),  # Ascension
        ("DE", date(2026, 5, 25)),  # Whit Monday
        ("US-AL", date(2026, 4, 27)),
        ("US-AL", date(2026, 11, 26)),  # a state keeps its country's days
    ],
)
def test_a_holiday_is_no_business_day(place, day):
    assert is_holiday(day, place)
    assert not is_business_day(day, place)


def test_the_days_of_a_state_are_not_those_of_its_country():
    assert not is_holiday(date(2026, 4, 27), "US")


def test_every_country_says_where_its_days_come_from_and_can_be_computed():
    for place, rule in _rules().items():
        assert rule["source"], place
        assert date.fromisoformat(rule["verified_on"]), place
        assert any(
            is_holiday(date(2030, 1, 1).replace(month=m, day=d), place)
            for m in range(1, 13)
            for d in range(1, 29)
        )
