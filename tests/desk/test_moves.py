"""Moving a waiting broadcast: nothing is saved before its clashes were shown, and moving it back undoes it."""

from datetime import UTC, datetime

import pytest

from app.services import schedule_broadcasts
from app.storage.database import transaction
from app.storage.models import BroadcastList
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_schedule import broadcast, write
from tests.support.world import NOON

THURSDAY = datetime(2099, 3, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def waiting(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(2)
    draft = write(house)
    with house.inside():
        schedule_broadcasts.schedule(draft, at=THURSDAY, zone="UTC", by="ada", now=NOON)
    return draft


def test_a_broadcast_is_moved_and_moved_back(house: House, editor: Visitor, waiting: int) -> None:
    calendar = editor.get("/calendar?day=2099-03-05")
    assert f'data-move="/broadcasts/{waiting}/move"' in calendar.text
    assert 'data-day="2099-03-06"' in calendar.text

    page = editor.get(f"/broadcasts/{waiting}/move?day=2099-03-06")
    assert "Friday 6 March 2099, 09:00 UTC" in words(page)
    assert "Nothing stands against this time." in words(page)
    moved = editor.submit(f"/broadcasts/{waiting}/move", {"day": "2099-03-06", "hour": "09:00"})

    assert "It now waits for Friday 6 March 2099, 09:00 UTC." in words(moved)
    assert f"/broadcasts/{waiting}/move?day=2099-03-05&amp;hour=09:00" in moved.text.replace("%3A", ":")
    stored = broadcast(house, waiting)
    assert stored.next_at == datetime(2099, 3, 6, 9, 0, tzinfo=UTC)
    assert (stored.state, stored.zone) == ("scheduled", "UTC")


def test_a_broken_promise_is_shown_and_wants_a_reason(house: House, editor: Visitor, waiting: int) -> None:
    other = write(house)
    with house.inside() as newsroom:
        friday = datetime(2099, 3, 6, 12, 0, tzinfo=UTC)
        schedule_broadcasts.schedule(other, at=friday, zone="UTC", by="ada", now=NOON)
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).max_per_day = 1
    editor.get(f"/broadcasts/{waiting}/move")

    form = {"day": "2099-03-06", "hour": "09:00"}
    asked = words(editor.get(f"/broadcasts/{waiting}/move/words?day=2099-03-06&hour=09:00"))
    refused = editor.post(f"/broadcasts/{waiting}/move", form)

    assert "City promised at most 1 messages a day" in asked
    assert "Reason for going over the promise" in asked
    assert refused.status_code == 422
    assert broadcast(house, waiting).next_at == THURSDAY
    editor.submit(
        f"/broadcasts/{waiting}/move",
        {**form, "over_cap_reason": "the dam is breaking"},
    )
    assert broadcast(house, waiting).next_at == datetime(2099, 3, 6, 9, 0, tzinfo=UTC)


def test_the_past_and_hours_that_nobody_promised_have_no_button(
    house: House, editor: Visitor, waiting: int
) -> None:
    with house.inside() as newsroom, transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).until_hour = 12

    late = editor.get(f"/broadcasts/{waiting}/move/words?day=2099-03-06&hour=15:00")
    past = editor.get(f"/broadcasts/{waiting}/move/words?day=2020-03-06&hour=09:00")
    holiday = editor.get(f"/broadcasts/{waiting}/move/words?day=2099-12-25&hour=09:00")

    assert "outside the hours" in words(late)
    assert "Take Saturday 7 March 2099, 00:00" in words(late)
    assert "This moment is over." in words(past)
    assert "Public holiday (United States)." in words(holiday)
    assert [one.text.count("<button") for one in (late, past, holiday)] == [0, 0, 1]


def test_one_on_each_persons_own_clock_keeps_to_it(house: House, editor: Visitor, waiting: int) -> None:
    nine = datetime(2099, 3, 5, 9, 0)
    with house.inside():
        schedule_broadcasts.back_to_draft(waiting, by="ada", now=NOON)
        schedule_broadcasts.schedule(waiting, at=None, local_at=nine, zone="UTC", by="ada", now=NOON)
    calendar = words(editor.get("/calendar?day=2099-03-05"))
    assert "09:00 Bridge Waiting for its time, on each person’s own clock" in calendar

    page = editor.get(f"/broadcasts/{waiting}/move?day=2099-03-06&hour=10:00")
    assert "2 people at 10:00 EST in New York" in words(page)
    editor.submit(f"/broadcasts/{waiting}/move", {"day": "2099-03-06", "hour": "10:00"})

    stored = broadcast(house, waiting)
    assert stored.local_at == datetime(2099, 3, 6, 10, 0)
    assert stored.next_at == datetime(2099, 3, 6, 15, 0, tzinfo=UTC)


def test_one_that_is_no_longer_waiting_cannot_be_moved(house: House, editor: Visitor) -> None:
    draft = write(house)

    assert editor.get(f"/broadcasts/{draft}/move").status_code == 302
    assert editor.post(f"/broadcasts/{draft}/move", {"day": "2099-03-06"}).status_code == 302
    assert broadcast(house, draft).state == "draft"
