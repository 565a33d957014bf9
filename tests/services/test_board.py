"""Top three a day: the queue, the slots that take from it, and what cannot wait."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.services import board as boards
from app.services import fan_out, stories
from app.services.controller import Conflict, NotFound, Refused
from app.services.fill_slots import fill_slots
from app.services.manage_lists import archive
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, BroadcastList, SlotRun, StoryRow
from tests.support.world import Newsroom

MORNING = datetime(2026, 11, 28, 7, 30, tzinfo=UTC)


@pytest.fixture
def city(newsroom: Newsroom) -> Newsroom:
    """A list with three slots a day and two people; it is one hour before the first slot."""
    newsroom.now = MORNING - timedelta(hours=1)
    newsroom.join(2)
    boards.set_slots(newsroom.list_id, ["07:30", "12:30", "18:00"], by="admin", now=newsroom.now)
    return newsroom


def add(city: Newsroom, title: str, **more: datetime) -> int:
    return stories.add_story(city.list_id, title=title, text=f"{title}.", by="ada", now=city.now, **more)


def titles(city: Newsroom) -> list[str]:
    found = [row.title for row in stories.queue_of(db.session(), city.list_id)]
    db.session.rollback()
    return found


def test_a_slot_sends_the_top_story_once_however_many_clocks_look(city: Newsroom) -> None:
    add(city, "Bridge")
    add(city, "Pool")
    assert fill_slots(city.now) == []
    city.now = MORNING
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).zone = "Etc/GMT"

    first, second = fill_slots(city.now), fill_slots(city.now + timedelta(seconds=1))

    assert len(first) == 1
    assert second == []
    fan_out.open_due(controller=city.controller, now=city.now)
    city.send()
    assert sorted(text for _, text in city.provider.arrived) == ["Bridge."] * 2
    assert titles(city) == ["Pool"]
    broadcast = db.session.get(Broadcast, first[0].broadcast_id)
    assert broadcast is not None
    assert (broadcast.title, broadcast.created_by) == ("Bridge", "ada")
    assert broadcast.zone == "Etc/GMT"  # the list's, in which the desk shows its times


def test_an_empty_queue_sends_nothing_and_a_missed_slot_is_not_made_up_for(city: Newsroom) -> None:
    city.now = MORNING
    (empty,) = fill_slots(city.now)
    add(city, "Bridge")
    assert fill_slots(city.now + timedelta(minutes=1)) == []
    city.now = MORNING.replace(hour=12) + timedelta(minutes=20)

    assert fill_slots(city.now) == []
    assert (empty.story_id, empty.broadcast_id) == (None, None)
    assert titles(city) == ["Bridge"]


def test_editors_rank_hold_drop_and_change_what_waits(city: Newsroom) -> None:
    one, two, three = (add(city, title) for title in ("One", "Two", "Three"))
    given = {"by": "ada", "now": city.now}

    stories.move_story(three, up=True, **given)
    stories.move_story(three, up=True, **given)
    stories.move_story(three, up=True, **given)
    stories.hold_story(one, held=True, **given)
    stories.drop_story(two, **given)
    revision = stories.change_story(three, title="Third", text="New words.", until=None, revision=1, **given)

    assert titles(city) == ["Third", "One"]
    assert revision == 2
    with pytest.raises(Conflict):
        stories.change_story(three, title="x", text="y", until=None, revision=1, **given)
    with pytest.raises(Refused, match="dropped"):
        stories.hold_story(two, held=True, **given)
    with pytest.raises(NotFound):
        stories.drop_story(999, **given)
    city.now = MORNING
    (filled,) = fill_slots(city.now)
    assert filled.story_id == three
    stories.hold_story(one, held=False, by="ada", now=city.now)
    assert titles(city) == ["One"]


def test_a_story_whose_time_is_over_is_never_sent(city: Newsroom) -> None:
    old = add(city, "Old", until=MORNING)
    add(city, "Fresh", until=MORNING + timedelta(hours=1))
    with pytest.raises(Refused, match="in the past"):
        add(city, "Past", until=city.now)
    city.now = MORNING

    fill_slots(city.now)

    assert db.session.get(StoryRow, old).state == "expired"  # type: ignore[union-attr]
    assert titles(city) == []


def test_a_story_that_may_not_go_out_stays_on_top_and_the_board_says_why(city: Newsroom) -> None:
    add(city, "Read https://bit.ly/x")
    city.now = MORNING

    (filled,) = fill_slots(city.now)

    assert filled.broadcast_id is None
    assert filled.problem is not None
    assert "shorteners" in filled.problem
    assert len(titles(city)) == 1
    assert (
        db.session.scalar(select(func.count()).select_from(Broadcast).where(Broadcast.title == "Bridge")) == 0
    )
    view = boards.board_of(city.list_id, now=city.now)
    assert [bool(slot.run and slot.run.problem) for slot in view.slots] == [True, False, False]
    assert view.slots[1].next is not None


def test_the_board_shows_the_day_with_what_goes_next(city: Newsroom) -> None:
    for title in ("One", "Two"):
        add(city, title)
    city.now = MORNING
    fill_slots(city.now)

    view = boards.board_of(city.list_id, now=city.now)

    assert [slot.taken.title if slot.taken else None for slot in view.slots] == ["One", None, None]
    assert [slot.next.title if slot.next else None for slot in view.slots] == [None, "Two", None]


def test_slots_keep_the_promise_of_their_list(city: Newsroom) -> None:
    given = {"by": "admin", "now": city.now}
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).from_hour = 8

    with pytest.raises(Refused, match="between 8 and 24 h only"):
        boards.set_slots(city.list_id, ["07:30"], **given)
    with pytest.raises(Refused, match="at most 3 messages a day"):
        boards.set_slots(city.list_id, ["09:00", "10:00", "11:00", "12:00"], **given)
    assert boards.set_slots(city.list_id, [], **given) == []
    with pytest.raises(NotFound):
        boards.set_slots(99, [], **given)


def test_what_cannot_wait_needs_a_second_person_and_a_reason_and_stands_in_the_audit_log(
    city: Newsroom,
) -> None:
    id_ = add(city, "Flood")
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).max_per_day = 1
    city.broadcast("First of the day.")
    with pytest.raises(Refused, match="Nobody has asked"):
        boards.let_break(id_, revision=1, by="grace", now=city.now)
    with pytest.raises(Refused, match="why this cannot wait"):
        boards.ask_to_break(id_, " ", by="ada", now=city.now)
    boards.ask_to_break(id_, "The dam broke", by="ada", now=city.now)
    with pytest.raises(Refused, match="second person"):
        boards.let_break(id_, revision=1, by="ada", now=city.now)
    with pytest.raises(Refused, match="was changed"):
        boards.let_break(id_, revision=7, by="grace", now=city.now)

    broadcast_id = boards.let_break(id_, revision=1, by="grace", now=city.now)

    broadcast = db.session.get(Broadcast, broadcast_id)
    assert broadcast is not None
    assert (broadcast.state, broadcast.over_cap_reason) == ("scheduled", "The dam broke")
    told = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"story {id_}")).all()
    assert {"story.breaking", "story.broke"} <= set(told)
    assert titles(city) == []


def test_a_change_takes_back_the_question_for_a_yes(city: Newsroom) -> None:
    id_ = add(city, "Flood")
    boards.ask_to_break(id_, "The dam broke", by="ada", now=city.now)

    stories.change_story(
        id_, title="Flood", text="Other words.", until=None, revision=1, by="ada", now=city.now
    )

    with pytest.raises(Refused, match="Nobody has asked"):
        boards.let_break(id_, revision=2, by="grace", now=city.now)


def test_a_closed_list_has_no_slots_any_more(city: Newsroom) -> None:
    add(city, "Bridge")
    archive("City", by="admin", now=city.now)

    assert fill_slots(MORNING) == []
    assert db.session.scalar(select(func.count()).select_from(SlotRun)) == 0


def test_what_cannot_wait_is_not_sent_after_its_end_either(city: Newsroom) -> None:
    end = city.now + timedelta(minutes=10)
    old, quick = add(city, "Old", until=end), add(city, "Quick", until=end)
    for one in (old, quick):
        boards.ask_to_break(one, "The dam broke", by="ada", now=city.now)
    broadcast_id = boards.let_break(quick, revision=1, by="grace", now=city.now)
    city.now = end

    with pytest.raises(Refused, match="its end has passed"):
        boards.let_break(old, revision=1, by="grace", now=city.now)
    with pytest.raises(Refused, match="its end has passed"):
        boards.ask_to_break(old, "Again", by="ada", now=city.now)
    assert db.session.get_one(Broadcast, broadcast_id).expires_at == end


def test_a_slot_that_took_none_of_those_that_waited_says_why(city: Newsroom) -> None:
    stories.hold_story(add(city, "Held"), held=True, by="ada", now=city.now)
    (held,) = fill_slots(MORNING)
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).approval = True
    add(city, "Not approved")
    (both,) = fill_slots(MORNING + timedelta(hours=5))

    assert held.problem == "Stories waited, but they were held."
    assert both.problem is not None
    assert "or no second person" in both.problem


def test_a_story_is_put_at_a_place_of_the_queue(city: Newsroom) -> None:
    _, _, three = (add(city, title) for title in ("One", "Two", "Three"))
    given = {"by": "ada", "now": city.now}

    assert stories.place_story(three, 1, **given) == 1
    assert titles(city) == ["Three", "One", "Two"]
    assert stories.place_story(three, 99, **given) == 3
    assert titles(city) == ["One", "Two", "Three"]
