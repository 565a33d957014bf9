"""Slots and queue as plain rules: what a slot takes, when it is due, what the day would look like."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.board import (
    BadSlot,
    Story,
    StoryState,
    due_slots,
    foresee,
    instant_of,
    read_minute,
    written_minute,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)


def story(id_: int, rank: int, state: StoryState = StoryState.QUEUED, hours: int | None = None) -> Story:
    return Story(id_, rank, f"Story {id_}", state, None if hours is None else NOON + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("written", "minute"), [("07:30", 450), ("0:00", 0), ("23:59", 1439), (" 7:05 ", 425)]
)
def test_a_time_of_day_is_read_and_written(written: str, minute: int) -> None:
    assert read_minute(written) == minute
    assert read_minute(written_minute(minute)) == minute


@pytest.mark.parametrize("written", ["", "7", "24:00", "7:5", "7:60", "half past", "-1:00", "07.30"])
def test_what_is_no_time_of_day_is_refused(written: str) -> None:
    with pytest.raises(BadSlot, match="07:30"):
        read_minute(written)


def test_slots_take_the_stories_in_their_order_and_pass_by_what_is_held_or_too_late() -> None:
    queue = [story(1, 3), story(2, 1, hours=2), story(3, 2, StoryState.HELD), story(4, 4)]
    slots = [NOON + timedelta(hours=hours) for hours in (1, 3, 5, 7)]

    assert [one.id if one else None for one in foresee(queue, slots)] == [2, 1, 4, None]
    assert [one.id if one else None for one in foresee(queue, slots[1:])] == [1, 4, None]


def test_a_slot_is_due_for_a_quarter_of_an_hour_and_no_longer() -> None:
    slot = instant_of(date(2026, 11, 28), 750, BERLIN)

    assert slot == datetime(2026, 11, 28, 11, 30, tzinfo=UTC)
    assert due_slots([450, 750], BERLIN, slot - timedelta(seconds=1)) == []
    assert due_slots([450, 750], BERLIN, slot) == [slot]
    assert due_slots([450, 750], BERLIN, slot + timedelta(minutes=14)) == [slot]
    assert due_slots([450, 750], BERLIN, slot + timedelta(minutes=15)) == []


def test_a_slot_just_before_midnight_is_still_due_just_after_it() -> None:
    slot = instant_of(date(2026, 11, 27), 1435, BERLIN)

    assert due_slots([1435], BERLIN, slot + timedelta(minutes=10)) == [slot]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_on_days_when_the_clock_changes_each_slot_comes_once(day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)
    minutes = [90, 150, 270]

    seen = {
        at
        for step in range(0, 26 * 60, 5)
        for at in due_slots(minutes, BERLIN, start + timedelta(minutes=step))
    }

    today = {at for at in seen if at.astimezone(BERLIN).date() == day}
    assert len(today) == 3
