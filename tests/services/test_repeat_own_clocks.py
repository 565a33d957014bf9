"""Broadcasts that repeat on each person's own clock: made in time for the first of them, late for nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain.recurrence import Every, RunState, make_rule
from app.services import fan_out, repeat_broadcasts, write_drafts
from app.services.controller import Refused
from app.services.make_editions import AHEAD, make_editions
from app.services.read_rules import rule_view
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, RepeatRun
from tests.services.test_hold_back import BERLIN, WASHINGTON, join, sent_to
from tests.support.world import Newsroom

# Europe put its clocks forward on Sunday 29 March 2026 at 01:00 UTC; America had done so three weeks before.
SATURDAY = datetime(2026, 3, 28, 9, 0)
FIRST_ON_EARTH = datetime(2026, 3, 27, 19, 0, tzinfo=UTC)  # nine on Saturday in Kiritimati
IN_BERLIN = datetime(2026, 3, 28, 8, 0, tzinfo=UTC)
IN_WASHINGTON = datetime(2026, 3, 28, 13, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def repeat(newsroom: Newsroom, *people: str) -> int:
    newsroom.now = FIRST_ON_EARTH - timedelta(hours=3)
    join(newsroom, "CITY", *people)
    newsroom.send_replies()
    newsroom.provider.arrived.clear()
    draft = write_drafts.create_draft(
        title="Morning", text="Good morning.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )
    rule = make_rule(SATURDAY, "Europe/Berlin", Every.DAY, own_clocks=True)
    return repeat_broadcasts.repeat(draft, rule, by="ada", now=newsroom.now)


def at(newsroom: Newsroom, moment: datetime) -> set[str]:
    """Let the clock and the lane do what they do at a moment; returns who got something by then."""
    newsroom.now = moment
    make_editions(moment)
    fan_out.open_due(controller=newsroom.controller, now=moment)
    fan_out.bring_back(moment)
    newsroom.send()
    found = sent_to(newsroom, "Good morning.")
    newsroom.provider.arrived.clear()
    return found


def editions(rule_id: int) -> list[Broadcast]:
    db.session.rollback()
    runs = select(Broadcast).join(RepeatRun, RepeatRun.broadcast_id == Broadcast.id)
    return list(db.session.scalars(runs.where(RepeatRun.rule_id == rule_id).order_by(Broadcast.id)))


def test_an_edition_is_made_an_hour_before_the_first_clocks_on_earth_show_its_time(
    newsroom: Newsroom,
) -> None:
    rule_id = repeat(newsroom, BERLIN, WASHINGTON)

    too_early = make_editions(FIRST_ON_EARTH - AHEAD - timedelta(seconds=1))
    made, again = make_editions(FIRST_ON_EARTH - AHEAD), make_editions(FIRST_ON_EARTH - AHEAD)

    assert (too_early, again) == ([], [])
    assert [(one.rule_id, one.at, one.state) for one in made] == [(rule_id, IN_BERLIN, RunState.MADE)]
    (edition,) = editions(rule_id)
    assert (edition.local_at, edition.next_at, edition.state) == (SATURDAY, IN_BERLIN, "scheduled")


def test_everybody_gets_it_at_nine_on_their_own_clock_also_when_only_theirs_was_put_forward(
    newsroom: Newsroom,
) -> None:
    rule_id = repeat(newsroom, BERLIN, WASHINGTON)

    assert at(newsroom, FIRST_ON_EARTH) == set()
    assert at(newsroom, IN_BERLIN) == {BERLIN}
    assert at(newsroom, IN_WASHINGTON + timedelta(seconds=61)) == {WASHINGTON}
    sunday_in_berlin = IN_BERLIN + DAY - timedelta(hours=1)
    assert at(newsroom, sunday_in_berlin - timedelta(seconds=1)) == set()
    assert at(newsroom, sunday_in_berlin) == {BERLIN}
    assert at(newsroom, IN_WASHINGTON + DAY + timedelta(seconds=61)) == {WASHINGTON}
    assert [one.state for one in editions(rule_id)] == ["finished", "finished"]


def test_what_goes_late_goes_to_nobody_for_whom_the_hour_is_long_over(newsroom: Newsroom) -> None:
    repeat(newsroom, BERLIN, WASHINGTON)

    assert at(newsroom, IN_BERLIN + timedelta(hours=2)) == set()
    assert at(newsroom, IN_WASHINGTON + timedelta(seconds=61)) == {WASHINGTON}


def test_a_pause_stops_what_was_made_a_day_ahead(newsroom: Newsroom) -> None:
    rule_id = repeat(newsroom, WASHINGTON)
    make_editions(FIRST_ON_EARTH)

    stopped = repeat_broadcasts.pause(rule_id, by="ada", now=IN_BERLIN + timedelta(minutes=1))

    assert (stopped, [one.state for one in editions(rule_id)]) == (1, ["canceled"])


def test_promised_hours_are_those_on_the_clock_of_each_person(newsroom: Newsroom) -> None:
    """Nine in Berlin is eight in the zone of the list, and what people read when they joined names no zone."""
    rule_id = repeat(newsroom, BERLIN)
    with transaction() as session:
        row = session.get_one(BroadcastList, newsroom.list_id)
        row.from_hour, row.until_hour = 9, 10

    view = rule_view(rule_id, now=newsroom.now, country="US")
    early = make_rule(SATURDAY.replace(hour=8), "Europe/Berlin", Every.DAY, own_clocks=True)

    assert {(one.outside, one.shift) for one in view.coming} == {((), None)}
    with pytest.raises(Refused, match="never goes out within the hours"):
        repeat_broadcasts.repeat(view.template.id, early, by="ada", now=newsroom.now)
