"""A broadcast on each person's own clock, from the schedule through the lane to the last of them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services import fan_out, own_clocks, review_broadcasts, schedule_broadcasts, try_again, write_drafts
from app.services.controller import Refused
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, Delivery, Subscriber
from tests.services.test_hold_back import BERLIN, LONDON, WASHINGTON, join, sent_to, state_of
from tests.support.world import Newsroom, number

NINE = datetime(2026, 3, 4, 9, 0)  # a Wednesday
TUESDAY_NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
IN_BERLIN, IN_LONDON, IN_WASHINGTON = (datetime(2026, 3, 4, hour, tzinfo=UTC) for hour in (8, 9, 14))
ZONE = "Europe/Berlin"


def draft(newsroom: Newsroom, *people: str) -> int:
    join(newsroom, "CITY", *people)
    newsroom.send_replies()
    newsroom.provider.arrived.clear()
    return write_drafts.create_draft(
        title="x", text="The bridge.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )


def schedule(newsroom: Newsroom, broadcast_id: int, wall: datetime = NINE) -> datetime:
    return schedule_broadcasts.schedule(
        broadcast_id, at=None, local_at=wall, zone=ZONE, by="ada", now=newsroom.now
    )


def turn_the_clock(newsroom: Newsroom, to: datetime) -> None:
    """Let the clock and the lane do what they do, at one moment."""
    newsroom.now = to
    fan_out.open_due(controller=newsroom.controller, now=to)
    fan_out.bring_back(to)
    newsroom.send()


def test_everybody_gets_it_at_nine_on_their_own_clock_and_nobody_before(newsroom: Newsroom) -> None:
    newsroom.now = TUESDAY_NOON
    broadcast_id = draft(newsroom, WASHINGTON, LONDON, BERLIN)

    first = schedule(newsroom, broadcast_id)

    stored = db.session.get_one(Broadcast, broadcast_id, populate_existing=True)
    assert (first, stored.local_at) == (IN_BERLIN, NINE)
    assert stored.expires_at == IN_WASHINGTON + timedelta(minutes=stored.fresh_minutes)
    turn_the_clock(newsroom, IN_BERLIN - timedelta(seconds=1))
    assert state_of(broadcast_id) == BroadcastState.SCHEDULED

    turn_the_clock(newsroom, IN_BERLIN)
    assert sent_to(newsroom, "The bridge.") == {BERLIN}
    still = own_clocks.waiting(db.session.get_one(Broadcast, broadcast_id), newsroom.now)
    assert [(one.at, one.people, one.zones) for one in still] == [
        (IN_LONDON, 1, ("Europe/London",)),
        (IN_WASHINGTON, 1, ("America/New_York",)),
    ]

    for hour in (IN_LONDON, IN_WASHINGTON):
        before = len(newsroom.provider.arrived)
        turn_the_clock(newsroom, hour - timedelta(seconds=1))
        assert len(newsroom.provider.arrived) == before
        turn_the_clock(newsroom, hour + timedelta(seconds=61))
        assert len(newsroom.provider.arrived) == before + 1
    assert newsroom.provider.copies == {BERLIN: 1, LONDON: 1, WASHINGTON: 1}
    assert state_of(broadcast_id) == BroadcastState.FINISHED


def test_the_dry_run_says_who_gets_it_when_and_past_hours_go_at_once(newsroom: Newsroom) -> None:
    newsroom.now = IN_LONDON + timedelta(minutes=30)
    broadcast_id = draft(newsroom, WASHINGTON, LONDON, BERLIN)

    review = review_broadcasts.check(broadcast_id, now=newsroom.now, local_at=NINE, zone=ZONE)

    assert [(one.people, one.past, one.at) for one in review.turns] == [
        (1, True, IN_BERLIN),
        (1, True, IN_LONDON),
        (1, False, IN_WASHINGTON),
    ]
    assert (review.reachable, review.waiting, review.skipped) == (3, (), {})
    assert schedule(newsroom, broadcast_id) == newsroom.now
    turn_the_clock(newsroom, newsroom.now)
    assert sent_to(newsroom, "The bridge.") == {BERLIN, LONDON}


def test_an_hour_that_is_over_everywhere_or_was_not_promised_is_refused(newsroom: Newsroom) -> None:
    newsroom.now = IN_LONDON + timedelta(hours=1)
    broadcast_id = draft(newsroom, LONDON, BERLIN)

    with pytest.raises(Refused, match="in the past everywhere"):
        schedule(newsroom, broadcast_id)
    with pytest.raises(Refused, match="first wave"):
        schedule_broadcasts.schedule(
            broadcast_id,
            at=None,
            local_at=NINE + timedelta(days=1),
            zone=ZONE,
            by="ada",
            now=newsroom.now,
            first_percent=10,
        )
    with transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).from_hour = 10
    with pytest.raises(Refused, match="City: 10 to 24 h"):
        schedule(newsroom, broadcast_id, NINE + timedelta(days=1))


def test_a_draft_again_has_no_hour_and_goes_to_all_at_once(newsroom: Newsroom) -> None:
    newsroom.now = TUESDAY_NOON
    broadcast_id = draft(newsroom, LONDON, BERLIN)
    schedule(newsroom, broadcast_id)

    schedule_broadcasts.back_to_draft(broadcast_id, by="ada", now=newsroom.now)
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now)
    turn_the_clock(newsroom, newsroom.now)

    assert sent_to(newsroom, "The bridge.") == {BERLIN, LONDON}


def test_people_of_many_zones_are_held_back_in_one_statement(newsroom: Newsroom) -> None:
    newsroom.now = TUESDAY_NOON
    broadcast_id = draft(newsroom, BERLIN, *(number(index) for index in range(0, 1700, 100)))
    schedule(newsroom, broadcast_id)
    held: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE delivery") and "due_at=" in statement.partition("WHERE")[0]:
            held.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    fan_out.open_due(controller=newsroom.controller, now=IN_BERLIN)
    newsroom.now = IN_BERLIN
    newsroom.send()
    event.remove(db.engine, "before_cursor_execute", note)

    waits = select(Delivery.due_at).where(Delivery.broadcast_id == broadcast_id, Delivery.due_at.is_not(None))
    assert {one.hour for one in db.session.scalars(waits) if one} == {14, 15, 17}
    assert len(held) == 2  # at the claim, and once more before the one who is left goes out


def test_what_is_sent_again_is_fresh_again_also_where_the_hour_is_long_over(newsroom: Newsroom) -> None:
    newsroom.now = TUESDAY_NOON
    broadcast_id = draft(newsroom, WASHINGTON, BERLIN)
    schedule(newsroom, broadcast_id)
    turn_the_clock(newsroom, IN_BERLIN)
    with transaction() as session:
        failed = {"status": DeliveryStatus.FAILED.value, "reason": "temporary"}
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.due_at.is_(None))
            .values(**failed)
        )
    newsroom.later(hours=4)
    newsroom.provider.arrived.clear()

    try_again.try_again(broadcast_id, by="ada", controller=newsroom.controller, now=newsroom.now)
    turn_the_clock(newsroom, newsroom.now)

    assert sent_to(newsroom, "The bridge.") == {BERLIN}


def test_whom_nobody_has_put_into_a_group_is_looked_at_in_the_claim(newsroom: Newsroom) -> None:
    newsroom.now = TUESDAY_NOON
    broadcast_id = draft(newsroom, WASHINGTON)
    with transaction() as session:
        session.execute(update(Subscriber).values(quiet_group_id=None))
    first = schedule(newsroom, broadcast_id)
    assert first == datetime(2026, 3, 3, 19, tzinfo=UTC)  # they may be in the first zone of all

    turn_the_clock(newsroom, first)
    turn_the_clock(newsroom, IN_BERLIN)

    assert newsroom.provider.arrived == []
    assert newsroom.tally(broadcast_id).pending == 1
