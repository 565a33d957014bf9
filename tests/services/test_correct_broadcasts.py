"""A correction goes to exactly those who got the wrong message, and to nobody who has left since."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.statuses import DeliveryStatus
from app.gateways.base import Reply
from app.services import (
    fan_out,
    reports,
    review_broadcasts,
    schedule_broadcasts,
    stop_broadcasts,
    write_drafts,
)
from app.services.controller import Refused
from app.services.correct_broadcasts import corrections_of, draft_correction
from app.services.try_again import try_again
from app.storage.database import db, transaction
from app.storage.models import AuditEntry, Broadcast, Delivery, Subscriber, Subscription
from tests.support.world import FakeProvider, Newsroom, accepted, number

RIGHT = "Correction: the bridge is closed."


def correct(newsroom: Newsroom, wrong: int, text: str = RIGHT) -> int:
    return draft_correction(wrong, title="Right", text=text, by="ada", now=newsroom.now)


def let_go(newsroom: Newsroom, broadcast_id: int) -> None:
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)


def texts_to(newsroom: Newsroom, text: str = RIGHT) -> set[str]:
    return {to for to, body in newsroom.provider.arrived if body == text}


def refusing_one(to: str, body: str) -> Reply:
    """Nothing reaches number 3, and of number 4 nobody can tell."""
    if to == number(3):
        return Reply(400, b'{"code": 21211, "message": "no such number"}')
    return Reply(504, b"") if to == number(4) and "open" in body else accepted(to, body)


def state_of(broadcast_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id).state


def test_it_goes_to_those_who_may_have_had_the_wrong_one_and_to_nobody_else(newsroom: Newsroom) -> None:
    newsroom.join(6)
    newsroom.provider = FakeProvider(refusing_one)
    wrong = newsroom.broadcast("The bridge is open.")
    newsroom.send()
    newsroom.join(2, first=10)  # too late for the wrong one
    newsroom.text("STOP", number(1))
    right = correct(newsroom, wrong)

    review = review_broadcasts.check(right, now=newsroom.now)
    let_go(newsroom, right)
    newsroom.send()

    assert (review.audience, review.reachable, review.skipped) == (5, 4, {"stopped": 1})
    assert texts_to(newsroom) == {number(0), number(2), number(4), number(5)}
    reach = corrections_of(wrong)[0].reach
    assert reach is not None
    assert (reach.audience, reach.sent, reach.skipped, reach.pending) == (5, 4, 1, 0)
    assert reach.reasons == {"stopped": 1}
    assert state_of(right) == "finished"


def test_neither_the_cap_nor_the_promise_of_the_list_holds_it_back(newsroom: Newsroom) -> None:
    newsroom.join(2)
    for words in ("One.", "Two.", "Three, and wrong."):
        wrong = newsroom.broadcast(words)
        newsroom.send()
        newsroom.later(minutes=5)

    right = correct(newsroom, wrong)
    assert review_broadcasts.check(right, now=newsroom.now).promise == ""
    let_go(newsroom, right)
    newsroom.send()

    assert len(texts_to(newsroom)) == 2
    db.session.rollback()
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.subject == f"broadcast {right}")).all()[-1]
    assert (entry.action, entry.details["over_cap"]) == ("broadcast.schedule", "correction")


def test_whoever_says_stop_at_the_last_moment_does_not_get_it(newsroom: Newsroom) -> None:
    newsroom.join(3)
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    right = correct(newsroom, wrong)
    let_go(newsroom, right)
    newsroom.provider.capacity = 1
    newsroom.provider.before_answer = lambda to: None if to == number(2) else _stop(newsroom, number(2))

    newsroom.send()

    assert number(2) not in texts_to(newsroom)
    assert reports.tally(right).reasons == {"stopped": 1}


def _stop(newsroom: Newsroom, from_: str) -> None:
    newsroom.text("STOP", from_)


def test_who_leaves_before_the_claim_is_counted_once_and_strangers_never(newsroom: Newsroom) -> None:
    numbers = newsroom.join(3)
    wrong = newsroom.broadcast()
    newsroom.send()
    newsroom.join(1, first=7)
    correction = draft_correction(wrong, title="Correction", text="Sorry", by="ada", now=newsroom.now)
    schedule_broadcasts.schedule(correction, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.text("STOP", numbers[0])
    newsroom.text("STOP", number(7))  # who never had the wrong one
    assert newsroom.tally(correction).pending == 3
    newsroom.send()

    tally = newsroom.tally(correction)
    assert (tally.audience, tally.sent, tally.skipped, tally.pending) == (3, 2, 1, 0)


def test_the_wrong_one_must_not_go_on_and_never_follows_the_right_one(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.provider.answer = lambda to, body: Reply(500, b"") if to == number(2) else accepted(to, body)
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    right = correct(newsroom, wrong)

    with pytest.raises(Refused, match="still being sent"):
        schedule_broadcasts.schedule(right, at=None, zone="UTC", by="ada", now=newsroom.now)
    stop_broadcasts.pause(wrong, by="ada", reason="", now=newsroom.now)
    let_go(newsroom, right)

    with pytest.raises(Refused, match="was corrected"):
        stop_broadcasts.resume(wrong, by="ada", now=newsroom.now)
    with pytest.raises(Refused, match="was corrected"):
        try_again(wrong, by="ada", controller=newsroom.controller, now=newsroom.now)


def test_whoever_turns_out_later_to_have_had_the_wrong_one_is_not_forgotten(newsroom: Newsroom) -> None:
    """A receipt that overtakes: one failed after the count and one was delivered after the claim."""
    newsroom.join(4)
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    ids = _people_of(wrong)
    _becomes(wrong, ids[3], DeliveryStatus.FAILED)
    right = correct(newsroom, wrong)
    let_go(newsroom, right)
    _becomes(wrong, ids[0], DeliveryStatus.FAILED)
    newsroom.lane().drain(newsroom.now + timedelta(seconds=20))
    before = reports.tally(right)
    assert (before.audience, before.pending) == (2, 0)
    _becomes(wrong, ids[3], DeliveryStatus.DELIVERED)

    assert fan_out.end_finished(newsroom.now) == []
    newsroom.send()

    assert texts_to(newsroom) == {number(1), number(2), number(3)}


def test_the_true_reason_is_told_for_everybody_left_out(newsroom: Newsroom) -> None:
    newsroom.join(8)
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    ids = _people_of(wrong)
    now = dict.fromkeys(("erased_at", "suppressed_at", "blocked_at"), newsroom.now)
    newsroom.text("STOP", number(0))
    newsroom.text("PAUSE", number(1))
    with transaction() as session:
        for index, name in ((2, "erased_at"), (3, "suppressed_at"), (4, "blocked_at")):
            person = session.get_one(Subscriber, ids[index])
            setattr(person, name, now[name])
            _stands(session, ids[index], "stopped", "provider_signal")
        _stands(session, ids[5], "stopped", "operator")
        _stands(session, ids[6], "stale", None)
    right = correct(newsroom, wrong)

    review = review_broadcasts.check(right, now=newsroom.now)
    let_go(newsroom, right)
    newsroom.send()

    told = ("stopped", "paused_by_person", "erased", "suppressed", "blocked", "taken_off", "ran_out")
    assert review.skipped == dict.fromkeys(told, 1)
    assert corrections_of(wrong)[0].left_out == review.skipped
    assert texts_to(newsroom) == {number(7)}


def _stands(session: Session, subscriber_id: int, state: str, act: str | None) -> None:
    session.execute(
        update(Subscription)
        .where(Subscription.subscriber_id == subscriber_id)
        .values(state=state, stopped_act=act)
    )


def test_who_agreed_to_an_earlier_purpose_is_told_apart_from_who_said_stop(newsroom: Newsroom) -> None:
    newsroom.join(1)
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    newsroom.change_purpose(newsroom.list_id, "News of City", "Advertising")

    review = review_broadcasts.check(correct(newsroom, wrong), now=newsroom.now)

    assert review.skipped == {"other_purpose": 1}


def _people_of(broadcast_id: int) -> list[int]:
    query = select(Delivery.subscriber_id).where(Delivery.broadcast_id == broadcast_id)
    found = list(db.session.scalars(query.order_by(Delivery.subscriber_id)))
    db.session.rollback()
    return found


def _becomes(broadcast_id: int, subscriber_id: int, status: DeliveryStatus) -> None:
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.subscriber_id == subscriber_id)
            .values(status=status.value)
        )


def test_stopping_a_correction_keeps_the_sums(newsroom: Newsroom) -> None:
    newsroom.join(3)
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    right = correct(newsroom, wrong)
    let_go(newsroom, right)

    stop_broadcasts.cancel(right, by="ada", now=newsroom.now)

    tally = reports.tally(right)
    assert (tally.audience, tally.skipped, tally.reasons) == (3, 3, {"canceled": 3})


def test_what_nobody_got_cannot_be_corrected(newsroom: Newsroom) -> None:
    newsroom.join(1)
    waiting = newsroom.broadcast_waiting()

    with pytest.raises(Refused, match="Nobody got this broadcast"):
        correct(newsroom, waiting)


def test_a_correction_keeps_its_people_whatever_lists_are_ticked(newsroom: Newsroom) -> None:
    newsroom.join(1)
    other = newsroom.new_list("Sports", "SPORTS")
    wrong = newsroom.broadcast("Wrong.")
    newsroom.send()
    right = correct(newsroom, wrong)

    write_drafts.save_draft(
        right, title="Right", text=RIGHT, list_ids=[other], revision=1, by="ada", now=newsroom.now
    )

    assert review_broadcasts.check(right, now=newsroom.now).reachable == 1
