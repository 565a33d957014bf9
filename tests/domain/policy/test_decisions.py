"""What is decided about a person and a moment."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.policy.decisions import (
    Defer,
    Send,
    Skip,
    breaks_promise,
    cap_of,
    decide,
    on_the_clock,
    spread_s,
    went_at,
)
from app.domain.statuses import SkipReason

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("opens", "frees", "expires", "decision"),
    [
        (None, None, 2, Send()),
        (0, 0, 2, Send()),
        (1, None, 2, Defer(NOW + HOUR)),
        (1, None, None, Defer(NOW + HOUR)),
        (2, None, 2, Skip(SkipReason.QUIET_HOURS)),
        (None, 1, 2, Defer(NOW + HOUR)),
        (None, 3, 2, Skip(SkipReason.FREQUENCY_CAP)),
        (1, 3, 2, Defer(NOW + HOUR)),  # asked again then
    ],
)
def test_it_waits_for_what_stands_against_it_unless_it_would_be_stale(opens, frees, expires, decision):
    moments = [None if hours is None else NOW + hours * HOUR for hours in (opens, frees, expires)]

    assert decide(NOW, moments[2], opens_at=moments[0], frees_at=moments[1]) == decision


def test_a_promise_of_three_is_broken_by_the_fourth_within_a_day_before_or_after():
    day = [NOW, NOW + 5 * HOUR, NOW + 10 * HOUR]

    assert breaks_promise(day, NOW + 23 * HOUR, 3)
    assert not breaks_promise(day, NOW + 24 * HOUR, 3)
    assert breaks_promise(day, NOW - HOUR, 3)
    assert not breaks_promise([NOW, NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR], NOW + 40 * HOUR, 3)


def test_the_cap_is_three_or_what_every_list_of_the_broadcast_promised():
    assert [cap_of(one) for one in ([], [1], [3, 20], [10, 20])] == [3, 3, 3, 10]


def test_people_are_spread_at_the_pace_of_the_sender_within_bounds():
    assert [spread_s(*one) for one in ((5, 100.0), (20_000, 100.0), (10**6, 1.0))] == [60, 200, 900]


def test_the_same_time_each_day_keeps_a_promise_of_one_a_day_when_the_clocks_change():
    for month, day in ((3, 28), (10, 24)):  # the nights after these the clocks of Berlin change in 2026
        first, second = (
            datetime(2026, month, day + n, 7, 30, tzinfo=ZoneInfo("Europe/Berlin")) for n in (0, 1)
        )
        times = [on_the_clock(one.astimezone(UTC), "Europe/Berlin") for one in (first, second)]
        assert not breaks_promise(times[:1], times[1], 1)
        assert breaks_promise(times[:1], times[1] - timedelta(minutes=1), 1)


def test_a_broadcast_went_at_its_time_unless_it_began_late():
    assert went_at(NOW, None) == went_at(NOW, NOW + timedelta(seconds=2)) == NOW
    assert went_at(NOW, NOW + HOUR) == NOW + HOUR
    assert went_at(NOW, NOW - HOUR) == NOW - HOUR
    assert went_at(None, None) is None
