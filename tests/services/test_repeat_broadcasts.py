"""Broadcasts that repeat: each occurrence becomes a broadcast once, and what cannot be is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.recurrence import Every, Rule, RunState, make_rule
from app.services import fan_out, repeat_broadcasts, schedule_broadcasts, stop_broadcasts, write_drafts
from app.services.controller import NotFound, Refused
from app.services.make_editions import AHEAD, make_editions
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, RepeatRule, RepeatRun
from tests.support.world import Newsroom

FIRST = datetime(2026, 12, 1, 7, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def daily(**more: Any) -> Rule:
    return make_rule(FIRST.replace(tzinfo=None), "UTC", Every.DAY, **more)


def draft(city: Newsroom, text: str = "Good morning.") -> int:
    return write_drafts.create_draft(
        title="Morning", text=text, list_ids=[city.list_id], by="ada", now=city.now
    )


def repeat(city: Newsroom, rule: Rule | None = None, text: str = "Good morning.") -> int:
    return repeat_broadcasts.repeat(draft(city, text), rule or daily(), by="ada", now=city.now)


@pytest.fixture
def city(newsroom: Newsroom) -> Newsroom:
    """Two people on the list; it is the evening before the first morning."""
    newsroom.now = FIRST - timedelta(hours=12)
    newsroom.join(2)
    return newsroom


def runs(rule_id: int) -> list[tuple[int, str]]:
    """Day and state of each occurrence that was looked at."""
    db.session.rollback()
    rows = select(RepeatRun).where(RepeatRun.rule_id == rule_id).order_by(RepeatRun.occurs_at)
    return [(run.occurs_at.day, run.state) for run in db.session.scalars(rows)]


def made() -> list[Broadcast]:
    """The broadcasts that came of rules, in their order."""
    db.session.rollback()
    rows = select(Broadcast).join(RepeatRun, RepeatRun.broadcast_id == Broadcast.id).order_by(Broadcast.id)
    return list(db.session.scalars(rows))


def test_an_occurrence_becomes_one_broadcast_an_hour_before_however_many_clocks_look(city: Newsroom) -> None:
    rule_id = repeat(city)
    assert make_editions(FIRST - AHEAD - timedelta(seconds=1)) == []

    first, again = make_editions(FIRST - AHEAD), make_editions(FIRST - AHEAD)

    assert [(one.rule_id, one.state) for one in first] == [(rule_id, RunState.MADE)]
    assert again == []
    (edition,) = made()
    assert (edition.title, edition.state, edition.next_at) == ("Morning", "scheduled", FIRST)
    fan_out.open_due(controller=city.controller, now=FIRST)
    city.now = FIRST
    city.send()
    assert [text for _, text in city.provider.arrived] == ["Good morning."] * 2


def test_an_occurrence_has_the_words_of_its_moment(city: Newsroom) -> None:
    broadcast_id = draft(city)
    repeat_broadcasts.repeat(broadcast_id, daily(), by="ada", now=city.now)
    make_editions(FIRST)
    write_drafts.save_draft(
        broadcast_id,
        title="Evening",
        text="Good evening.",
        list_ids=[city.list_id],
        revision=1,
        by="ada",
        now=city.now,
    )

    make_editions(FIRST + DAY)

    assert [one.text for one in made()] == ["Good morning.", "Good evening."]


def test_a_clock_that_was_down_sends_what_is_fresh_and_notes_the_rest_as_missed(city: Newsroom) -> None:
    rule_id = repeat(city)

    back = FIRST + 3 * DAY + timedelta(minutes=90)
    make_editions(back)

    assert runs(rule_id) == [(1, "missed"), (2, "missed"), (3, "missed"), (4, "made")]
    (edition,) = made()
    assert edition.next_at == back
    assert edition.expires_at == FIRST + 3 * DAY + timedelta(hours=2)


def test_an_edition_is_fresh_for_as_long_as_its_draft_says(city: Newsroom) -> None:
    rule_id = repeat(city)
    with transaction() as session:
        session.execute(update(Broadcast).values(fresh_minutes=30))

    late = FIRST + timedelta(minutes=40)
    make_editions(late)
    assert runs(rule_id) == [(1, "missed")]
    make_editions(FIRST + DAY + timedelta(minutes=20))

    assert runs(rule_id) == [(1, "missed"), (2, "made")]
    (edition,) = made()
    assert (edition.fresh_minutes, edition.expires_at) == (30, FIRST + DAY + timedelta(minutes=30))


def test_after_a_year_without_a_clock_only_the_last_month_is_noted(city: Newsroom) -> None:
    rule_id = repeat(city)

    assert len(make_editions(FIRST + 400 * DAY + timedelta(hours=3))) == 31
    assert made() == []
    assert db.session.get_one(RepeatRule, rule_id).next_at == FIRST + 401 * DAY


def test_what_is_refused_is_noted_and_may_be_tried_again_before_its_time(city: Newsroom) -> None:
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).max_per_day = 1
    other = draft(city, "Something else.")
    schedule_broadcasts.schedule(other, at=FIRST - timedelta(hours=3), zone="UTC", by="ada", now=city.now)
    rule_id = repeat(city)
    now = FIRST - AHEAD

    (refused,) = make_editions(now)
    schedule_broadcasts.back_to_draft(other, by="ada", now=now)
    repeat_broadcasts.reopen(rule_id, FIRST, by="ada", now=now)

    assert refused.problem is not None
    assert "promised at most 1 messages a day" in refused.problem
    assert [one.state for one in make_editions(now)] == [RunState.MADE]
    assert len(made()) == 1


def test_a_rule_whose_draft_was_discarded_sends_nothing_and_says_so(city: Newsroom) -> None:
    broadcast_id = draft(city)
    repeat_broadcasts.repeat(broadcast_id, daily(), by="ada", now=city.now)
    stop_broadcasts.cancel(broadcast_id, by="ada", now=city.now)

    (refused,) = make_editions(FIRST)

    assert (refused.state, refused.broadcast_id) == (RunState.REFUSED, None)
    assert "was discarded" in (refused.problem or "")


def test_the_same_time_each_day_keeps_a_promise_of_one_a_day(city: Newsroom) -> None:
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).max_per_day = 1
    rule_id = repeat(city)
    for day in range(3):
        make_editions(FIRST + day * DAY)
        fan_out.open_due(controller=city.controller, now=FIRST + day * DAY + timedelta(seconds=day % 2))

    assert runs(rule_id) == [(1, "made"), (2, "made"), (3, "made")]


def test_pausing_takes_what_waits_off_the_schedule_and_resuming_makes_up_for_nothing(city: Newsroom) -> None:
    rule_id = repeat(city)
    given = {"by": "ada", "now": FIRST - timedelta(minutes=5)}
    make_editions(given["now"])

    taken = repeat_broadcasts.pause(rule_id, **given)
    make_editions(FIRST + DAY)
    repeat_broadcasts.resume(rule_id, by="ada", now=FIRST + DAY + timedelta(hours=1))
    make_editions(FIRST + 2 * DAY)

    assert taken == 1
    assert [one.state for one in made()] == ["canceled", "scheduled"]
    assert runs(rule_id) == [(1, "skipped"), (3, "made")]
    with pytest.raises(Refused, match="active, not paused"):
        repeat_broadcasts.resume(rule_id, **given)


def test_an_ended_rule_makes_nothing_more(city: Newsroom) -> None:
    rule_id = repeat(city)

    assert repeat_broadcasts.end(rule_id, by="ada", now=city.now) == 0

    assert make_editions(FIRST) == []
    with pytest.raises(Refused, match="ended already"):
        repeat_broadcasts.end(rule_id, by="ada", now=city.now)
    with pytest.raises(Refused, match="cannot be paused"):
        repeat_broadcasts.pause(rule_id, by="ada", now=city.now)
    with pytest.raises(NotFound):
        repeat_broadcasts.end(99, by="ada", now=city.now)


def test_a_rule_with_a_number_of_times_is_over_after_the_last(city: Newsroom) -> None:
    rule_id = repeat(city, daily(times=1))
    make_editions(FIRST)

    assert make_editions(FIRST + DAY) == []
    assert db.session.get_one(RepeatRule, rule_id).next_at is None


def test_one_occurrence_is_left_out_before_or_after_it_was_made_and_taken_back(city: Newsroom) -> None:
    rule_id = repeat(city)
    given = {"by": "ada", "now": city.now}

    repeat_broadcasts.skip(rule_id, FIRST, **given)
    make_editions(FIRST - AHEAD)
    assert runs(rule_id) == [(1, "skipped")]
    repeat_broadcasts.reopen(rule_id, FIRST, **given)
    make_editions(FIRST - AHEAD)
    assert runs(rule_id) == [(1, "made")]
    repeat_broadcasts.skip(rule_id, FIRST, **given)

    assert [one.state for one in made()] == ["canceled"]
    assert runs(rule_id) == [(1, "skipped")]
    for wrong in (FIRST + timedelta(hours=1), FIRST - DAY):
        with pytest.raises(Refused, match="nothing to come"):
            repeat_broadcasts.skip(rule_id, wrong, **given)
    with pytest.raises(Refused, match="no longer be left out"):
        repeat_broadcasts.skip(rule_id, FIRST, **given)
    with pytest.raises(Refused, match="nothing to take back"):
        repeat_broadcasts.reopen(rule_id, FIRST + DAY, **given)


def test_the_same_rule_twice_is_one_rule(city: Newsroom) -> None:
    broadcast_id = draft(city)
    given = {"by": "ada", "now": city.now}

    first = repeat_broadcasts.repeat(broadcast_id, daily(), **given)

    assert repeat_broadcasts.repeat(broadcast_id, daily(), **given) == first
    assert repeat_broadcasts.repeat(broadcast_id, daily(interval=2), **given) != first


def test_a_rule_that_could_never_go_out_is_refused(city: Newsroom) -> None:
    with pytest.raises(Refused, match="in the past"):
        repeat_broadcasts.repeat(draft(city), daily(), by="ada", now=FIRST)
    with pytest.raises(Refused, match="text is empty"):
        repeat(city, text="  ")
    with transaction() as session:
        session.get_one(BroadcastList, city.list_id).from_hour = 9
    with pytest.raises(Refused, match=r"never goes out .*City: 9 to 24 h"):
        repeat(city)
