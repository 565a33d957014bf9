"""Rules that repeat: what comes of them on the clocks of a zone, and how they are written down."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from app.domain.recurrence import BadRule, Every, Rule, Shift, make_rule, occurrences, read_rule

BERLIN = "Europe/Berlin"
TUESDAY = datetime(2026, 12, 1, 7, 30)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def walls(rule: Rule, count: int, after: datetime = LONG_AGO) -> list[str]:
    return [f"{one.wall:%a %d %b %H:%M}" for one in islice(occurrences(rule, after), count)]


def test_a_time_stays_the_same_on_the_clock_in_summer_and_winter() -> None:
    rule = make_rule(datetime(2026, 10, 24, 7, 30), BERLIN, Every.DAY)

    before, after = islice(occurrences(rule, LONG_AGO), 2)

    assert (before.wall.hour, after.wall.hour) == (7, 7)
    assert (before.at.hour, after.at.hour) == (5, 6)
    assert after.shift is None


def test_a_time_that_the_clock_skips_goes_an_hour_later_and_says_so() -> None:
    rule = make_rule(datetime(2027, 3, 27, 2, 30), BERLIN, Every.DAY)

    found = list(islice(occurrences(rule, LONG_AGO), 3))

    assert [one.shift for one in found] == [None, Shift.SKIPPED, None]
    assert f"{found[1].at.astimezone(ZoneInfo(BERLIN)):%d %H:%M}" == "28 03:30"


def test_a_time_that_the_clock_shows_twice_goes_at_the_first_and_once() -> None:
    rule = make_rule(datetime(2026, 10, 24, 2, 30), BERLIN, Every.DAY)

    found = list(islice(occurrences(rule, LONG_AGO), 3))

    assert [one.shift for one in found] == [None, Shift.TWICE, None]
    assert found[1].at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_chosen_weekdays_begin_at_the_first_that_fits_and_count_weeks_from_there() -> None:
    rule = make_rule(TUESDAY, BERLIN, Every.WEEK, interval=2, weekdays=(3, 0))

    assert walls(rule, 4) == ["Thu 03 Dec 07:30", "Mon 14 Dec 07:30", "Thu 17 Dec 07:30", "Mon 28 Dec 07:30"]


def test_without_weekdays_a_week_later_is_the_same_weekday() -> None:
    assert walls(make_rule(TUESDAY, BERLIN, Every.WEEK), 2) == ["Tue 01 Dec 07:30", "Tue 08 Dec 07:30"]


def test_a_month_without_the_date_is_left_out_and_the_last_day_is_in_every_month() -> None:
    begins = datetime(2026, 12, 31, 7, 30)

    dates = walls(make_rule(begins, BERLIN, Every.MONTH), 3)
    last_days = walls(make_rule(TUESDAY, BERLIN, Every.MONTH, last_of_month=True), 3)

    assert dates == ["Thu 31 Dec 07:30", "Sun 31 Jan 07:30", "Wed 31 Mar 07:30"]
    assert last_days == ["Thu 31 Dec 07:30", "Sun 31 Jan 07:30", "Sun 28 Feb 07:30"]


def test_a_rule_ends_with_its_last_day_or_after_its_number_of_times() -> None:
    until = make_rule(TUESDAY, BERLIN, Every.DAY, until=date(2026, 12, 2))
    times = make_rule(TUESDAY, BERLIN, Every.DAY, times=3)

    assert walls(until, 9) == ["Tue 01 Dec 07:30", "Wed 02 Dec 07:30"]
    assert len(walls(times, 9)) == 3


def test_what_comes_after_a_moment_leaves_that_moment_out() -> None:
    rule = make_rule(TUESDAY, BERLIN, Every.DAY)
    first = next(occurrences(rule, LONG_AGO)).at

    assert walls(rule, 1, first - timedelta(seconds=1)) == ["Tue 01 Dec 07:30"]
    assert walls(rule, 1, first) == ["Wed 02 Dec 07:30"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("interval", {"interval": 0}),
        ("interval", {"interval": 53}),
        ("weekdays", {"weekdays": (1,)}),
        ("weekdays", {"every": Every.WEEK, "weekdays": (7,)}),
        ("times", {"times": 0}),
        ("times", {"times": 2, "until": date(2027, 1, 1)}),
        ("until", {"until": date(2026, 11, 30)}),
        ("until", {"until": date(2300, 1, 1)}),
        ("day", {"begins": datetime(2300, 1, 1)}),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(field: str, given: dict[str, Any]) -> None:
    values = {"begins": TUESDAY, "zone": BERLIN, "every": Every.DAY, **given}

    with pytest.raises(BadRule) as refused:
        make_rule(values.pop("begins"), values.pop("zone"), values.pop("every"), **values)

    assert refused.value.field == field


RULES = st.builds(
    make_rule,
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(microsecond=0)),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"]),
    st.sampled_from(Every),
    interval=st.integers(1, 6),
    last_of_month=st.booleans(),
    until=st.none() | st.dates(date(2028, 2, 1), date(2030, 1, 1)),
)


@given(RULES)
def test_a_rule_that_was_written_down_reads_the_same(rule: Rule) -> None:
    assert read_rule(rule.dtstart, rule.rrule, rule.zone) == rule


@given(RULES)
def test_an_ordinary_calendar_reads_the_rule_as_we_do(rule: Rule) -> None:
    zone = ZoneInfo(rule.zone)
    theirs = islice(rrulestr(rule.rrule, dtstart=rule.begins.replace(tzinfo=zone)), 8)

    assert [one.at for one in islice(occurrences(rule, LONG_AGO), 8)] == [
        one.astimezone(UTC) for one in theirs
    ]
