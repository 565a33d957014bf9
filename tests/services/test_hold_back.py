"""Quiet hours and the cap in the lane: who waits, who is left out, and that the sums stay right meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.services import fan_out, hold_back, review_broadcasts, schedule_broadcasts, write_drafts
from app.services.broadcast_rows import targets_of
from app.services.controller import Refused
from app.services.look_ahead import look_ahead
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, Delivery, QuietGroup, Subscriber
from tests.support.world import FakeProvider, Newsroom, number

WASHINGTON, LONDON, BERLIN = "+12025550123", "+447700900123", "+493023125123"
EIGHT_IN_WASHINGTON = datetime(2026, 3, 2, 13, tzinfo=UTC)  # a Monday; 13:00 in London, 14:00 in Berlin


def join(newsroom: Newsroom, word: str, *people: str) -> None:
    for one in people:
        newsroom.text(word, from_=one)


def quiet_list(newsroom: Newsroom, *people: str) -> int:
    list_id = newsroom.new_list("Quiet", "QUIET", any_hour="")
    join(newsroom, "QUIET", *people)
    newsroom.send_replies()
    newsroom.provider.arrived.clear()
    return list_id


def state_of(broadcast_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id).state


def sent_to(newsroom: Newsroom, text: str) -> set[str]:
    return {to for to, body in newsroom.provider.arrived if body == text}


def send_one(newsroom: Newsroom, list_ids: Sequence[int], **options: str) -> int:
    """Schedule a broadcast for now and send it."""
    broadcast_id = write_drafts.create_draft(
        title="x", text="The bridge.", list_ids=list_ids, by="ada", now=newsroom.now
    )
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now, **options)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.send()
    return broadcast_id


def test_whoever_sleeps_gets_it_when_the_morning_opens_and_the_broadcast_waits(newsroom: Newsroom) -> None:
    newsroom.now = EIGHT_IN_WASHINGTON
    list_id = quiet_list(newsroom, WASHINGTON, LONDON, BERLIN)

    broadcast_id = newsroom.broadcast("The bridge.", [list_id])
    newsroom.send()

    assert sent_to(newsroom, "The bridge.") == {LONDON, BERLIN}
    tally = newsroom.tally(broadcast_id)
    assert (tally.audience, tally.sent, tally.pending, tally.skipped) == (3, 2, 1, 0)
    assert state_of(broadcast_id) == BroadcastState.SENDING
    due = db.session.scalars(select(Delivery.due_at).where(Delivery.due_at.is_not(None))).one()
    assert due is not None
    assert timedelta(0) <= due - datetime(2026, 3, 2, 14, tzinfo=UTC) < timedelta(seconds=60)

    newsroom.now = due - timedelta(seconds=1)
    assert fan_out.bring_back(newsroom.now) == 0
    newsroom.now = due
    assert fan_out.bring_back(newsroom.now) == 1
    newsroom.send()

    assert newsroom.provider.copies == {LONDON: 1, BERLIN: 1, WASHINGTON: 1}
    assert newsroom.tally(broadcast_id).sent == 3
    assert state_of(broadcast_id) == BroadcastState.FINISHED


def test_what_would_be_stale_by_the_morning_is_skipped_and_replies_never_wait(newsroom: Newsroom) -> None:
    newsroom.now = EIGHT_IN_WASHINGTON - timedelta(hours=3)
    list_id = quiet_list(newsroom, WASHINGTON, LONDON)
    newsroom.text("HELP", from_=WASHINGTON)

    newsroom.send_replies()
    broadcast_id = newsroom.broadcast("The bridge.", [list_id])
    newsroom.send()

    assert newsroom.provider.copies[WASHINGTON] == 1  # the help
    assert sent_to(newsroom, "The bridge.") == {LONDON}
    assert newsroom.tally(broadcast_id).reasons == {SkipReason.QUIET_HOURS: 1}
    assert state_of(broadcast_id) == BroadcastState.FINISHED


def test_whoever_said_stop_while_waiting_gets_nothing_in_the_morning(newsroom: Newsroom) -> None:
    newsroom.now = EIGHT_IN_WASHINGTON
    list_id = quiet_list(newsroom, WASHINGTON)
    broadcast_id = newsroom.broadcast("The bridge.", [list_id])
    newsroom.send()

    newsroom.text("STOP", from_=WASHINGTON)
    newsroom.later(hours=1, minutes=2)
    fan_out.bring_back(newsroom.now)
    newsroom.send()

    assert sent_to(newsroom, "The bridge.") == set()
    assert newsroom.tally(broadcast_id).reasons == {SkipReason.STOPPED: 1}


def test_hours_that_end_while_we_send_are_kept_at_the_second_gate(newsroom: Newsroom) -> None:
    newsroom.now = datetime(2026, 3, 2, 19, 59, 58, tzinfo=UTC)
    list_id = quiet_list(newsroom, LONDON, "+447700900124")

    def two_seconds_pass(_to: str) -> None:
        newsroom.now += timedelta(seconds=2)

    provider = FakeProvider(capacity=1, before_answer=two_seconds_pass)
    broadcast_id = newsroom.broadcast("The bridge.", [list_id])
    newsroom.send(provider)

    assert len(provider.arrived) == 1
    tally = newsroom.tally(broadcast_id)
    assert (tally.sent, tally.reasons) == (1, {SkipReason.QUIET_HOURS: 1})


def test_promised_hours_end_for_everybody_and_a_list_for_any_hour_knows_no_night(newsroom: Newsroom) -> None:
    newsroom.now = EIGHT_IN_WASHINGTON - timedelta(hours=5)
    join(newsroom, "CITY", WASHINGTON, LONDON)
    night = send_one(newsroom, [newsroom.list_id])
    assert newsroom.tally(night).sent == 2

    broadcast_id = newsroom.broadcast("The bridge.")
    with transaction() as session:
        session.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(fresh_minutes=120))
        session.execute(update(Delivery).values(updated_at=newsroom.now - timedelta(days=2)))
        city = targets_of(session, broadcast_id)[0]
        city.until_hour = newsroom.now.hour
    newsroom.send()

    assert newsroom.tally(broadcast_id).reasons == {SkipReason.QUIET_HOURS: 2}


def test_people_whom_nobody_has_looked_at_are_put_into_groups_by_the_claim_or_by_the_clock(
    newsroom: Newsroom,
) -> None:
    newsroom.now = EIGHT_IN_WASHINGTON
    list_id = quiet_list(newsroom, WASHINGTON, LONDON)

    def forget() -> None:
        with transaction() as session:
            session.execute(update(Subscriber).values(quiet_group_id=None))

    forget()
    broadcast_id = newsroom.broadcast("The bridge.", [list_id])
    newsroom.send()
    assert newsroom.tally(broadcast_id).pending == 1

    forget()
    assert (hold_back.group_some("US"), hold_back.group_some("US")) == (2, 0)
    keys = db.session.scalars(
        select(QuietGroup.key)
        .join(Subscriber, Subscriber.quiet_group_id == QuietGroup.id)
        .order_by(QuietGroup.key)
    ).all()
    assert keys == ["country GB GB Europe/London", "number US-DC US America/New_York"]


def test_t22_the_fourth_message_in_a_day_waits_until_the_first_is_a_day_old(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    join(newsroom, "CITY", WASHINGTON, LONDON)
    join(newsroom, "SPORT", WASHINGTON)
    start = newsroom.now
    for list_id in (newsroom.list_id, sport, newsroom.list_id):
        send_one(newsroom, [list_id])
        newsroom.later(hours=1)

    too_much = send_one(newsroom, [sport])
    assert newsroom.tally(too_much).reasons == {SkipReason.FREQUENCY_CAP: 1}

    newsroom.now = start + timedelta(hours=23)
    waits = send_one(newsroom, [newsroom.list_id])
    tally = newsroom.tally(waits)
    assert (tally.sent, tally.pending) == (1, 1)  # London has had two
    newsroom.now = start + timedelta(hours=24)
    fan_out.bring_back(newsroom.now)
    newsroom.send()
    assert newsroom.tally(waits).sent == 2
    assert state_of(waits) == BroadcastState.FINISHED


def test_an_editor_may_go_over_the_cap_and_the_promise_with_a_reason_that_is_kept(newsroom: Newsroom) -> None:
    join(newsroom, "CITY", WASHINGTON)
    for _ in range(3):
        send_one(newsroom, [newsroom.list_id])

    with pytest.raises(Refused, match="City promised at most 3 messages a day"):
        send_one(newsroom, [newsroom.list_id])
    broadcast_id = send_one(newsroom, [newsroom.list_id], over_cap_reason="the dam is breaking")

    assert newsroom.tally(broadcast_id).sent == 1
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.details["over_cap"] == "the dam is breaking"


def test_the_dry_run_counts_who_waits_until_when_and_who_is_left_out_as_the_lane_will(
    newsroom: Newsroom,
) -> None:
    newsroom.now = EIGHT_IN_WASHINGTON
    honolulu, texas = "+18085550123", "+12145550123"
    list_id = quiet_list(newsroom, WASHINGTON, LONDON, honolulu, texas, number(1))
    newsroom.text("STOP", from_=number(1))
    broadcast_id = write_drafts.create_draft(
        title="x", text="The bridge.", list_ids=[list_id], by="a", now=newsroom.now
    )

    review = review_broadcasts.check(broadcast_id, now=newsroom.now)

    assert (review.audience, review.reachable, review.skipped) == (4, 2, {"quiet_hours": 2})
    (waiting,) = review.waiting
    opens = datetime(2026, 3, 2, 14, tzinfo=UTC)
    assert (waiting.reason, waiting.people, waiting.first, waiting.last) == ("quiet_hours", 1, opens, opens)
    later = review_broadcasts.check(broadcast_id, now=newsroom.now, at=newsroom.now + timedelta(hours=6.5))
    assert (later.reachable, later.waiting, later.skipped) == (4, (), {})

    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="a", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.send()
    tally = newsroom.tally(broadcast_id)
    assert (tally.audience, tally.skipped, tally.pending) == (4, 2, 1)


def test_the_dry_run_counts_who_has_had_enough(newsroom: Newsroom) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    join(newsroom, "CITY", WASHINGTON, LONDON)
    join(newsroom, "SPORT", WASHINGTON)
    start = newsroom.now
    for list_id in (newsroom.list_id, newsroom.list_id, sport):
        send_one(newsroom, [list_id])
    draft = write_drafts.create_draft(
        title="x", text="T", list_ids=[newsroom.list_id], by="a", now=newsroom.now
    )

    soon = review_broadcasts.check(draft, now=start + timedelta(hours=1))
    tomorrow = review_broadcasts.check(draft, now=start + timedelta(hours=23))

    assert (soon.reachable, soon.skipped, soon.waiting) == (1, {"frequency_cap": 1}, ())
    assert (tomorrow.reachable, tomorrow.skipped) == (2, {})
    assert (tomorrow.waiting[0].people, tomorrow.waiting[0].first) == (1, start + timedelta(hours=24))
    assert look_ahead(draft, start + timedelta(hours=23), now=start).waiting == tomorrow.waiting


def test_a_slice_of_those_brought_back_is_no_larger_than_others(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.audience.SLICE_SIZE", 2)
    newsroom.join(5)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id)
            .values(status=DeliveryStatus.PENDING.value, due_at=newsroom.now)
        )
        session.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(state="sending"))

    assert fan_out.bring_back(newsroom.now) == 3
