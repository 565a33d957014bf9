"""The calendar: what went out and will, from all three sources, and what stands against it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.recurrence import Every, make_rule
from app.services import board, fan_out, repeat_broadcasts, schedule_broadcasts, stop_broadcasts, write_drafts
from app.services.calendar import Clash, Entry, entries
from app.services.fill_slots import fill_slots
from app.services.make_editions import make_editions
from app.storage.database import transaction
from app.storage.models import BroadcastList
from tests.support.world import Newsroom

MORNING = datetime(2026, 12, 1, 7, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def city(newsroom: Newsroom) -> Newsroom:
    newsroom.now = MORNING - 12 * HOUR
    newsroom.join(1)
    return newsroom


def draft(city: Newsroom, title: str = "Morning") -> int:
    return write_drafts.create_draft(
        title=title, text="Hello.", list_ids=[city.list_id], by="ada", now=city.now
    )


def plan(city: Newsroom, at: datetime, title: str = "Once", over_cap: str = "") -> int:
    broadcast_id = draft(city, title)
    schedule_broadcasts.schedule(
        broadcast_id, at=at, zone="UTC", by="ada", now=city.now, over_cap_reason=over_cap
    )
    return broadcast_id


def repeat(city: Newsroom, times: int = 3) -> int:
    rule = make_rule(MORNING.replace(tzinfo=None), "UTC", Every.DAY, times=times)
    return repeat_broadcasts.repeat(draft(city), rule, by="ada", now=city.now)


def seen(city: Newsroom, list_id: int | None = None) -> list[tuple[str, str, str]]:
    """When, from where, and in which state."""
    return [
        (f"{one.at:%d %H:%M}", one.kind.value, one.state)
        for one in entries(*MONTH, now=city.now, list_id=list_id)
    ]


def clashing(found: list[Entry]) -> dict[str, list[Clash]]:
    return {f"{one.at:%d %H:%M}": [clash for clash, _ in one.clashes] for one in found if one.clashes}


def test_broadcasts_slots_and_occurrences_stand_in_their_order_each_once(city: Newsroom) -> None:
    repeat(city)
    plan(city, MORNING + HOUR)
    stop_broadcasts.cancel(plan(city, MORNING + 2 * HOUR), by="ada", now=city.now)
    board.set_slots(city.list_id, ["18:00"], by="admin", now=city.now)
    other = city.new_list("Sport", "SPORT")
    assert seen(city)[:4] == [
        ("01 07:30", "repeat", "planned"),
        ("01 08:30", "broadcast", "scheduled"),
        ("01 18:00", "slot", "planned"),
        ("02 07:30", "repeat", "planned"),
    ]

    city.now = MORNING
    make_editions(city.now)
    fan_out.open_due(controller=city.controller, now=city.now)
    city.send()
    city.now = MORNING.replace(hour=18, minute=0)
    fill_slots(city.now)

    assert seen(city)[:4] == [
        ("01 07:30", "broadcast", "finished"),
        ("01 08:30", "broadcast", "scheduled"),
        ("02 07:30", "repeat", "planned"),
        ("02 18:00", "slot", "planned"),
    ]
    assert seen(city, other) == []
    assert len(seen(city, city.list_id)) == len(seen(city))


def test_what_was_left_out_missed_or_refused_is_not_lost(city: Newsroom) -> None:
    rule_id = repeat(city)
    repeat_broadcasts.skip(rule_id, MORNING + DAY, by="ada", now=city.now)
    city.now = MORNING + DAY
    make_editions(city.now)

    assert seen(city) == [
        ("01 07:30", "repeat", "missed"),
        ("02 07:30", "repeat", "skipped"),
        ("03 07:30", "repeat", "planned"),
    ]


def test_more_than_promised_and_hours_that_nobody_promised_are_marked(city: Newsroom) -> None:
    repeat(city)
    plan(city, MORNING + 2 * HOUR)
    plan(city, MORNING + 3 * DAY, over_cap="the dam broke")
    with transaction() as session:
        row = session.get_one(BroadcastList, city.list_id)
        row.max_per_day, row.from_hour = 1, 8

    found = clashing(entries(*MONTH, now=city.now))

    assert found == {
        "01 07:30": [Clash.HOURS, Clash.PROMISE],
        "01 09:30": [Clash.PROMISE],
        "02 07:30": [Clash.HOURS, Clash.PROMISE],
        "03 07:30": [Clash.HOURS],
        "04 07:30": [Clash.HOURS],
    }
    assert clashing(entries(*MONTH, now=MORNING + 9 * DAY)) == {}
