"""Wall clocks, clock changes, and the hours that lists promised."""

from datetime import UTC, datetime

import pytest

from app.services.broadcast_times import is_twice, local_instant, nearest_allowed, within_promise
from app.services.controller import Refused
from app.storage.models import BroadcastList

BERLIN = "Europe/Berlin"


def a_list(from_hour: int, until_hour: int, zone: str = BERLIN) -> BroadcastList:
    return BroadcastList(from_hour=from_hour, until_hour=until_hour, zone=zone)


def test_a_wall_time_becomes_the_instant_of_its_zone() -> None:
    assert local_instant(datetime(2026, 7, 1, 9, 0), BERLIN) == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
    assert local_instant(datetime(2026, 1, 1, 9, 0), BERLIN) == datetime(2026, 1, 1, 8, 0, tzinfo=UTC)


def test_a_time_that_the_clock_skips_is_refused_with_the_next_one() -> None:
    with pytest.raises(Refused, match=r"there is no 02:30.*Choose 03:30"):
        local_instant(datetime(2026, 3, 29, 2, 30), BERLIN)


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert local_instant(datetime(2026, 10, 25, 2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert is_twice(datetime(2026, 10, 25, 2, 30), BERLIN)
    assert not is_twice(datetime(2026, 10, 25, 3, 30), BERLIN)
    assert not is_twice(datetime(2026, 3, 29, 2, 30), BERLIN)


def test_a_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(Refused, match="Europe/Atlantis"):
        local_instant(datetime(2026, 1, 1), "Europe/Atlantis")


def test_the_promise_counts_in_the_lists_own_zone() -> None:
    seven_in_berlin = datetime(2026, 7, 1, 5, 0, tzinfo=UTC)

    assert within_promise([a_list(7, 21)], seven_in_berlin)
    assert not within_promise([a_list(7, 21, "Europe/Lisbon")], seven_in_berlin)
    assert not within_promise([a_list(7, 21)], datetime(2026, 7, 1, 19, 0, tzinfo=UTC))


def test_the_nearest_time_that_every_list_allows_is_found() -> None:
    night = datetime(2026, 7, 1, 22, 5, tzinfo=UTC)
    lists = [a_list(7, 21), a_list(9, 20, "Europe/Lisbon")]

    assert nearest_allowed(lists, night) == datetime(2026, 7, 2, 8, 0, tzinfo=UTC)


def test_hours_that_never_overlap_have_no_nearest_time() -> None:
    assert nearest_allowed([a_list(7, 9), a_list(12, 14)], datetime(2026, 7, 1, tzinfo=UTC)) is None
