"""A broadcast to a segment or to all: how it is planned while it is being sent, and what changes nothing."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.domain.messages import Address, InboundMessage, ProviderSignal
from app.domain.segments import (
    Among,
    Clause,
    Had,
    OnList,
    Outcome,
    Segment,
    Trait,
    parse,
)
from app.gateways.base import Reply
from app.services import (
    correct_broadcasts,
    fan_out,
    manage_segments,
    plan_slices,
    read_segments,
    stop_broadcasts,
)
from app.services.approval import mark_of
from app.services.controller import Conflict, NotFound, Refused
from app.services.receive_message import receive_message
from app.services.review_broadcasts import check
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import copy_broadcast, create_draft, save_draft
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Delivery, LinkedAddress, Slice, SlicePeople, Subscriber
from tests.support.world import NOON, FakeProvider, Newsroom, accepted, number

GERMAN = Segment((Clause(Among(Trait.LANGUAGE, ("de",))),))


def speak_german(numbers: Sequence[str], language: str = "de") -> None:
    with transaction() as session:
        session.execute(update(Subscriber).where(Subscriber.address.in_(numbers)).values(language=language))


def draft(newsroom: Newsroom, rule: Segment | None = GERMAN, words: str = "Hallo") -> int:
    broadcast_id = create_draft(
        title="Bridge", text=words, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )
    if rule is not None:
        manage_segments.choose_rule(broadcast_id, rule, by="ada", now=newsroom.now)
    return broadcast_id


def start(newsroom: Newsroom, broadcast_id: int, first_percent: int | None = None) -> int:
    schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now, first_percent=first_percent)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    return broadcast_id


def plan(newsroom: Newsroom) -> int:
    """Let the planner work to its end."""
    until = newsroom.now + timedelta(seconds=1)
    return plan_slices.go_on(controller=newsroom.controller, until=until, clock=lambda: newsroom.now)


def leap() -> None:
    """Let the next subscriber's id lie beyond the stretch of ids in which the last one is."""
    with transaction() as session:
        last = session.scalar(text("SELECT max(id) FROM subscriber")) or 0
        far = last + plan_slices.STEP_IDS
        if db.engine.dialect.name == "postgresql":
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('subscriber', 'id'), {far})"))
        else:
            session.add(
                Subscriber(
                    id=far,
                    channel="sms",
                    address=f"nobody-{far}",
                    subject_ref=f"nobody-{far}",
                    language="en",
                    created_at=NOON,
                )
            )


def people_far_apart(newsroom: Newsroom, groups: int = 6, each: int = 3) -> list[str]:
    """Let German-speaking people join whose ids lie in so many stretches; the start plans the first of them."""
    numbers: list[str] = []
    for group in range(groups):
        numbers += newsroom.join(each, first=group * each)
        leap()
    speak_german(numbers)
    return numbers


def row(broadcast_id: int) -> Broadcast:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id)


def adds_up(newsroom: Newsroom, broadcast_id: int) -> None:
    tally = newsroom.tally(broadcast_id)
    assert tally.pending >= 0
    done = tally.delivered + tally.sent + tally.failed + tally.unknown + tally.skipped
    assert tally.audience == done + tally.handing_over + tally.pending
    people = db.session.scalars(select(Slice.people).where(Slice.broadcast_id == broadcast_id))
    assert tally.audience == sum(one or 0 for one in people)


def test_a_broadcast_goes_to_its_segment_and_to_nobody_else(newsroom: Newsroom) -> None:
    numbers = newsroom.join(9)
    speak_german(numbers[:4])
    broadcast_id = draft(newsroom)
    review = check(broadcast_id, now=newsroom.now)
    assert (review.audience, review.reachable) == (4, 4)

    start(newsroom, broadcast_id)
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(numbers[:4], 1)
    assert row(broadcast_id).state == "finished"
    assert newsroom.tally(broadcast_id).audience == 4
    assert db.session.scalars(select(SlicePeople.seq)).all() == []
    adds_up(newsroom, broadcast_id)


def saved_german(newsroom: Newsroom) -> int:
    return manage_segments.add(newsroom.list_id, "Germans", GERMAN, by="ada", now=newsroom.now)


def test_a_broadcast_to_everybody_but_a_segment_goes_to_the_others(newsroom: Newsroom) -> None:
    numbers = newsroom.join(9)
    speak_german(numbers[:4])
    broadcast_id = draft(newsroom, None)
    segment_id = saved_german(newsroom)
    manage_segments.choose_saved(broadcast_id, segment_id, by="ada", now=newsroom.now, but=True)
    review = check(broadcast_id, now=newsroom.now)
    assert (review.audience, review.reachable) == (5, 5)
    said = "Everybody on City but those whose language is German."
    assert read_segments.said_of(row(broadcast_id), "en") == said

    start(newsroom, broadcast_id)
    manage_segments.remove(segment_id, by="ada", now=newsroom.now)
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(numbers[4:], 1)
    assert read_segments.said_of(row(broadcast_id), "en") == said
    adds_up(newsroom, broadcast_id)


def test_everybody_but_is_planned_step_by_step_as_the_lists_are(newsroom: Newsroom) -> None:
    numbers = people_far_apart(newsroom)
    others = newsroom.join(3, first=50)
    broadcast_id = draft(newsroom, None)
    manage_segments.choose_saved(broadcast_id, saved_german(newsroom), by="ada", now=newsroom.now, but=True)

    start(newsroom, broadcast_id)
    plan(newsroom)
    newsroom.send()

    assert numbers
    assert newsroom.provider.copies == dict.fromkeys(others, 1)
    assert row(broadcast_id).state == "finished"


def test_a_copy_and_what_waits_keep_that_it_is_everybody_but(newsroom: Newsroom) -> None:
    speak_german(newsroom.join(5)[:2])
    broadcast_id = draft(newsroom, None)
    segment_id = saved_german(newsroom)
    manage_segments.choose_saved(broadcast_id, segment_id, by="ada", now=newsroom.now, but=True)
    copy_id = copy_broadcast(broadcast_id, by="ada", now=newsroom.now)

    manage_segments.remove(segment_id, by="ada", now=newsroom.now)

    for one in (broadcast_id, copy_id):
        assert check(one, now=newsroom.now).audience == 3
        assert (
            read_segments.said_of(row(one), "en") == "Everybody on City but those whose language is German."
        )
    manage_segments.choose_rule(copy_id, GERMAN, by="ada", now=newsroom.now)
    assert check(copy_id, now=newsroom.now).audience == 2


def test_a_yes_to_a_segment_is_no_yes_to_everybody_but(newsroom: Newsroom) -> None:
    broadcast_id = draft(newsroom, None)
    segment_id = saved_german(newsroom)
    manage_segments.choose_saved(broadcast_id, segment_id, by="ada", now=newsroom.now)
    before = mark_of(db.session(), row(broadcast_id))

    manage_segments.choose_saved(broadcast_id, segment_id, by="ada", now=newsroom.now, but=True)

    assert mark_of(db.session(), row(broadcast_id)) != before


PART_OR_ALL = pytest.mark.parametrize("rule", [GERMAN, None], ids=["segment", "whole list"])


@PART_OR_ALL
def test_planning_goes_on_while_it_is_sent(newsroom: Newsroom, rule: Segment | None) -> None:
    numbers = people_far_apart(newsroom)
    broadcast_id = start(newsroom, draft(newsroom, rule))
    assert newsroom.tally(broadcast_id).audience == 3
    assert plan_slices.plan_step(broadcast_id, newsroom.controller)  # and then the planner is killed
    adds_up(newsroom, broadcast_id)
    assert plan(newsroom) == 4
    assert plan(newsroom) == 0
    assert not plan_slices.plan_step(broadcast_id, newsroom.controller)
    adds_up(newsroom, broadcast_id)
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(numbers, 1)
    assert row(broadcast_id).state == "finished"
    adds_up(newsroom, broadcast_id)


@PART_OR_ALL
def test_a_lane_with_nothing_to_do_plans_for_itself(newsroom: Newsroom, rule: Segment | None) -> None:
    numbers = people_far_apart(newsroom)
    broadcast_id = start(newsroom, draft(newsroom, rule))
    newsroom.send()  # and the clock is busy elsewhere

    assert newsroom.provider.copies == dict.fromkeys(numbers, 1)
    assert newsroom.tally(broadcast_id).audience == len(numbers)
    assert row(broadcast_id).state == "finished"
    adds_up(newsroom, broadcast_id)


def test_a_lane_looks_past_stretches_in_which_nobody_is_meant(newsroom: Newsroom) -> None:
    everybody = people_far_apart(newsroom, groups=7)
    speak_german(everybody, "en")
    speak_german(everybody[-1:])
    broadcast_id = start(newsroom, draft(newsroom))
    assert newsroom.tally(broadcast_id).audience == 0
    newsroom.send()

    assert newsroom.provider.copies == {everybody[-1]: 1}
    assert row(broadcast_id).state == "finished"


def test_a_lane_does_not_look_at_each_stretch_in_which_nobody_is_meant(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_slices, "LANE_STEPS", 2)
    everybody = people_far_apart(newsroom, groups=9, each=1)
    speak_german(everybody[:-1], "en")
    broadcast_id = start(newsroom, draft(newsroom))

    assert plan_slices.go_on_for(newsroom.sender_id, newsroom.controller)
    assert newsroom.tally(broadcast_id).audience == 1


def test_a_lane_plans_nothing_for_another_sender_and_nothing_that_pauses(newsroom: Newsroom) -> None:
    people_far_apart(newsroom, groups=2)
    broadcast_id = start(newsroom, draft(newsroom))
    assert not plan_slices.go_on_for(newsroom.sender_id + 1, newsroom.controller)
    stop_broadcasts.pause(broadcast_id, by="ada", reason="a look", now=newsroom.now)
    assert not plan_slices.go_on_for(newsroom.sender_id, newsroom.controller)

    assert newsroom.tally(broadcast_id).audience == 3
    stop_broadcasts.resume(broadcast_id, by="ada", now=newsroom.now)
    assert plan_slices.go_on_for(newsroom.sender_id, newsroom.controller)
    assert newsroom.tally(broadcast_id).audience == 6


@PART_OR_ALL
def test_nothing_ends_before_its_planning(newsroom: Newsroom, rule: Segment | None) -> None:
    people_far_apart(newsroom, groups=2)
    broadcast_id = start(newsroom, draft(newsroom, rule))
    with transaction() as session:
        session.execute(update(Slice).values(state="done"))

    assert fan_out.end_finished(newsroom.now) == []
    plan(newsroom)
    with transaction() as session:
        session.execute(update(Slice).values(state="done"))
    assert fan_out.end_finished(newsroom.now) == [broadcast_id]


def test_a_step_that_dies_leaves_nothing_behind(newsroom: Newsroom) -> None:
    people_far_apart(newsroom, groups=2)
    broadcast_id = start(newsroom, draft(newsroom))
    before = (row(broadcast_id).planned_to, row(broadcast_id).audience)

    with pytest.raises(ZeroDivisionError), transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id)
        plan_slices.step(session, broadcast, newsroom.controller)
        assert broadcast.audience == 6
        raise ZeroDivisionError

    assert (row(broadcast_id).planned_to, row(broadcast_id).audience) == before
    assert plan(newsroom) == 1
    adds_up(newsroom, broadcast_id)


def test_who_leaves_before_during_and_after_planning_is_counted_right(newsroom: Newsroom) -> None:
    numbers = people_far_apart(newsroom)
    speak_german(numbers[1:2], "en")
    broadcast_id = start(newsroom, draft(newsroom))
    newsroom.text("STOP", numbers[0])  # planned, not claimed
    adds_up(newsroom, broadcast_id)
    newsroom.text("STOP", numbers[1])  # of another language
    adds_up(newsroom, broadcast_id)
    newsroom.text("STOP", numbers[-1])  # of a stretch that is not planned
    adds_up(newsroom, broadcast_id)
    assert newsroom.tally(broadcast_id).reasons == {"stopped": 1}
    plan(newsroom)
    newsroom.send()

    tally = newsroom.tally(broadcast_id)
    assert (tally.audience, tally.sent, tally.skipped) == (16, 15, 1)
    got = {to for to, body in newsroom.provider.arrived if body == "Hallo"}
    assert got == {*numbers} - {numbers[0], numbers[1], numbers[-1]}
    adds_up(newsroom, broadcast_id)


def test_who_leaves_a_whole_list_before_and_after_planning_is_counted_right(newsroom: Newsroom) -> None:
    numbers = people_far_apart(newsroom)
    broadcast_id = start(newsroom, draft(newsroom, None))
    newsroom.text("STOP", numbers[0])  # planned, not claimed
    adds_up(newsroom, broadcast_id)
    newsroom.text("STOP", numbers[-1])  # of a stretch that is not planned
    adds_up(newsroom, broadcast_id)
    newsroom.text("STOP", numbers[-2])
    newsroom.text("START", numbers[-2])  # and agreed again, to what comes from now on
    plan(newsroom)
    newsroom.send()

    tally = newsroom.tally(broadcast_id)
    assert (tally.audience, tally.sent, tally.reasons) == (16, 15, {"stopped": 1})
    got = {to for to, body in newsroom.provider.arrived if body == "Hallo"}
    assert got == {*numbers} - {numbers[0], numbers[-1], numbers[-2]}
    adds_up(newsroom, broadcast_id)


def test_who_leaves_on_a_channel_that_a_broadcast_does_not_go_to_is_not_of_its_audience(
    newsroom: Newsroom,
) -> None:
    newsroom.join(2)
    stranger = newsroom.join(1, first=2)
    with transaction() as session:
        session.execute(update(Subscriber).where(Subscriber.address.in_(stranger)).values(channel="telegram"))
    broadcast_id = start(newsroom, draft(newsroom, None))
    text_from = Address("telegram", stranger[0])
    stop = InboundMessage("stop", text_from, "STOP", ProviderSignal.NONE)
    receive_message(stop, sender_id=newsroom.sender_id, controller=newsroom.controller, now=newsroom.now)

    assert newsroom.tally(broadcast_id).audience == 2
    adds_up(newsroom, broadcast_id)
    newsroom.send()
    assert row(broadcast_id).state == "finished"


def test_the_audience_stays_as_it_was_planned(newsroom: Newsroom) -> None:
    numbers = newsroom.join(6)
    speak_german(numbers[:3])
    broadcast_id = start(newsroom, draft(newsroom))
    speak_german(numbers[:3], "en")
    speak_german(numbers[3:])
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(numbers[:3], 1)
    adds_up(newsroom, broadcast_id)


def test_a_saved_segment_is_followed_until_the_start_and_not_after(newsroom: Newsroom) -> None:
    numbers = newsroom.join(4)
    speak_german(numbers[:1])
    segment_id = manage_segments.add(newsroom.list_id, "Germans", GERMAN, by="ada", now=newsroom.now)
    waiting, other = draft(newsroom, None, "Eins"), draft(newsroom, None, "Zwei")
    for one in (waiting, other):
        manage_segments.choose_saved(one, segment_id, by="ada", now=newsroom.now)
    english = parse({"conditions": [{"test": "language", "of": ["en"]}]})
    manage_segments.change(segment_id, "English", english, revision=1, by="ada", now=newsroom.now)
    assert check(waiting, now=newsroom.now).reachable == 3
    start(newsroom, waiting)
    manage_segments.change(segment_id, "Germans", GERMAN, revision=2, by="ada", now=newsroom.now)
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(numbers[1:], 1)
    assert read_segments.said_of(row(waiting), "en") == "People on City whose language is English."
    with pytest.raises(Conflict):
        manage_segments.change(segment_id, "Old", GERMAN, revision=1, by="ed", now=newsroom.now)

    assert manage_segments.remove(segment_id, by="ada", now=newsroom.now) == "Germans"
    assert read_segments.said_of(row(waiting), "en") == "People on City whose language is English."
    assert read_segments.said_of(row(other), "de") == "Alle auf City, deren Sprache Deutsch ist."
    assert check(other, now=newsroom.now).reachable == 1


def test_who_missed_one_broadcast_gets_the_next(newsroom: Newsroom) -> None:
    numbers = newsroom.join(5)
    newsroom.provider = FakeProvider(
        lambda to, body: Reply(400, b'{"code": 30007}') if to == numbers[2] else accepted(to, body)
    )
    first = newsroom.broadcast()
    newsroom.send()
    newsroom.provider = FakeProvider()
    missed = Segment((Clause(Had(Outcome.RECEIVED, first), negated=True),))
    newsroom.join(1, first=5)
    start(newsroom, draft(newsroom, missed))
    newsroom.send()
    assert newsroom.provider.copies == {numbers[2]: 1, number(5): 1}


def test_a_list_less_another_list(newsroom: Newsroom) -> None:
    numbers = newsroom.join(3)
    sport = newsroom.new_list("Sport", "SPORT")
    newsroom.text("SPORT", numbers[1])
    newsroom.send_replies()
    newsroom.provider = FakeProvider()
    start(newsroom, draft(newsroom, Segment((Clause(OnList(sport), negated=True),))))
    newsroom.send()
    assert newsroom.provider.copies == {numbers[0]: 1, numbers[2]: 1}


@PART_OR_ALL
def test_a_broadcast_that_is_stopped_while_it_is_planned_still_adds_up(
    newsroom: Newsroom, rule: Segment | None
) -> None:
    people_far_apart(newsroom)
    broadcast_id = start(newsroom, draft(newsroom, rule))
    stop_broadcasts.cancel(broadcast_id, by="ada", now=newsroom.now)

    assert plan(newsroom) == 0
    tally = newsroom.tally(broadcast_id)
    assert (tally.audience, tally.reasons) == (3, {"canceled": 3})
    adds_up(newsroom, broadcast_id)


@PART_OR_ALL
def test_the_rest_waits_for_its_first_wave(newsroom: Newsroom, rule: Segment | None) -> None:
    numbers = people_far_apart(newsroom, groups=6, each=10)
    broadcast_id = start(newsroom, draft(newsroom, rule), first_percent=10)
    people = Slice.people, Slice.state
    assert sorted(db.session.execute(select(*people).where(Slice.state == "open"))) == [(1, "open")]
    db.session.rollback()
    newsroom.send()
    assert len(newsroom.provider.copies) == 6
    assert newsroom.tally(broadcast_id).audience == len(numbers)
    adds_up(newsroom, broadcast_id)


def test_a_correction_of_a_segment_goes_to_those_who_got_it(newsroom: Newsroom) -> None:
    numbers = newsroom.join(5)
    speak_german(numbers[:2])
    wrong = start(newsroom, draft(newsroom))
    newsroom.send()
    newsroom.provider = FakeProvider()
    speak_german(numbers)
    correction = correct_broadcasts.draft_correction(
        wrong, title="Correction", text="Sorry", by="ada", now=newsroom.now
    )
    with pytest.raises(Refused, match="A correction goes to those"):
        manage_segments.choose_rule(correction, GERMAN, by="ada", now=newsroom.now)
    start(newsroom, correction)
    newsroom.send()
    assert newsroom.provider.copies == dict.fromkeys(numbers[:2], 1)


def test_a_person_stands_back_only_for_a_channel_that_is_in_the_segment(newsroom: Newsroom) -> None:
    numbers = newsroom.join(3)
    ids = db.session.scalars(select(Subscriber.id).order_by(Subscriber.id)).all()
    speak_german(numbers[:2])
    with transaction() as session:
        session.add_all(
            LinkedAddress(subscriber_id=one, person_id=1, channel=f"c{one}", chosen_at=newsroom.now)
            for one in ids[1:]
        )
    broadcast_id = start(newsroom, draft(newsroom))
    newsroom.send()

    assert newsroom.provider.copies == dict.fromkeys(numbers[:2], 1)
    adds_up(newsroom, broadcast_id)


def test_a_copy_goes_to_the_same_part(newsroom: Newsroom) -> None:
    numbers = newsroom.join(2)
    speak_german(numbers[:1])
    copy = copy_broadcast(draft(newsroom), by="ada", now=newsroom.now)
    assert check(copy, now=newsroom.now).reachable == 1


def test_a_segment_of_a_list_that_the_broadcast_leaves_forbids_sending(newsroom: Newsroom) -> None:
    newsroom.join(1)
    sport = newsroom.new_list("Sport", "SPORT")
    segment_id = manage_segments.add(newsroom.list_id, "Germans", GERMAN, by="ada", now=newsroom.now)
    broadcast_id = draft(newsroom, None)
    manage_segments.choose_saved(broadcast_id, segment_id, by="ada", now=newsroom.now)
    save_draft(broadcast_id, title="x", text="y", list_ids=[sport], revision=1, by="ada", now=newsroom.now)
    message = "“Germans” is part of a list that this broadcast does not go to."
    assert message in check(broadcast_id, now=newsroom.now).problems
    manage_segments.choose_all(broadcast_id, by="ada", now=newsroom.now)
    assert message not in check(broadcast_id, now=newsroom.now).problems
    with pytest.raises(Refused, match="part of a list"):
        manage_segments.choose_saved(broadcast_id, segment_id, by="ada", now=newsroom.now)


def test_what_cannot_be_saved_is_refused_with_the_reason(newsroom: Newsroom) -> None:
    def add(name: str, rule: Segment = GERMAN) -> int:
        return manage_segments.add(newsroom.list_id, name, rule, by="ada", now=newsroom.now)

    add("Germans")
    with pytest.raises(Refused, match="already"):
        add(" Germans ")
    with pytest.raises(Refused, match="1 to 80"):
        add(" ")
    with pytest.raises(NotFound, match="no broadcast 77"):
        add("Ghosts", Segment((Clause(Had(Outcome.FAILED, 77)),)))
    with pytest.raises(NotFound, match="no list number 77"):
        add("Ghosts", Segment((Clause(OnList(77)),)))
    with pytest.raises(Refused, match="Condition 2: There is no test “age”"):
        manage_segments.read({"conditions": [{"test": "language", "of": ["de"]}, {"test": "age", "of": 3}]})


def test_a_broadcast_without_a_segment_names_nobody(newsroom: Newsroom) -> None:
    newsroom.join(2)
    newsroom.broadcast()
    assert db.session.scalars(select(SlicePeople.seq)).all() == []
    newsroom.send()
    assert len(db.session.scalars(select(Delivery.subscriber_id)).all()) == 2
