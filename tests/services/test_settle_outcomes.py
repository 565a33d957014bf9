"""What is written for each kind of refusal, and how long whom it concerns waits."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, Receipt, ReceiptStatus, SendError
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Reply
from app.services import fan_out
from app.services.correct_broadcasts import draft_correction
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.schedule_broadcasts import schedule
from app.services.settle_outcomes import settlement
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Delivery, Sender
from app.storage.outcomes import Settlement
from tests.support.world import NOON, Newsroom

BROADCAST, ANSWER, OWN = DeliveryRef(1, 2), DeliveryRef(1, 2, 3), DeliveryRef(1, 2, -3)
USED_UP = Reply(400, b'{"code": 63038, "message": "daily limit"}')


def settled(kind: ErrorKind, ref: DeliveryRef, attempt: int = 1, wait: float | None = None) -> Settlement:
    return settlement(Outcome(ref, error=SendError(kind, "7", retry_after=wait)), attempt, NOON)


def waits(kind: ErrorKind, ref: DeliveryRef, attempts: range) -> list[float]:
    due = [settled(kind, ref, one).due_at for one in attempts]
    return [(one - NOON).total_seconds() for one in due if one]


@pytest.mark.parametrize("ref", [ANSWER, OWN])
def test_an_answer_without_quota_waits_minutes_that_grow_and_is_dropped_in_the_end(ref: DeliveryRef) -> None:
    first, last = settled(ErrorKind.QUOTA, ref), settled(ErrorKind.QUOTA, ref, 5)

    assert waits(ErrorKind.QUOTA, ref, range(1, 5)) == [60, 120, 240, 480]
    assert first.attempt_counts
    assert (last.status, last.reason) == (DeliveryStatus.FAILED, "quota_exhausted")


def test_a_broadcast_without_quota_is_paused_and_costs_nobody_an_attempt() -> None:
    held = settled(ErrorKind.QUOTA, BROADCAST, 9)

    assert (held.status, held.due_at, held.attempt_counts) == (DeliveryStatus.PENDING, NOON, False)


def test_a_pair_limit_that_names_no_wait_backs_off_up_to_an_hour() -> None:
    assert waits(ErrorKind.PAIR_LIMITED, BROADCAST, range(1, 8)) == [4, 16, 64, 256, 1024, 3600, 3600]
    assert settled(ErrorKind.PAIR_LIMITED, BROADCAST).attempt_counts
    assert not settled(ErrorKind.PAIR_LIMITED, BROADCAST, wait=9.0).attempt_counts


def test_a_rate_limit_that_names_no_wait_is_a_second() -> None:
    assert waits(ErrorKind.RATE_LIMITED, ANSWER, range(1, 3)) == [1, 1]


def test_an_answer_that_meets_an_empty_quota_does_not_spin(newsroom: Newsroom) -> None:
    newsroom.provider.answer = lambda to, body: USED_UP
    newsroom.text("HELP")

    for _ in range(3):
        newsroom.send_replies()
    at_once = len(newsroom.provider.arrived)
    newsroom.now += timedelta(seconds=61)
    newsroom.send_replies()

    assert (at_once, len(newsroom.provider.arrived)) == (1, 2)


def told(newsroom: Newsroom, broadcast_id: int, kind: ErrorKind, *, id_: str = "") -> None:
    """The provider reports that it took the message of everybody of a broadcast and failed with it."""
    db.session.rollback()
    rows = db.session.execute(
        select(Delivery.subscriber_id, Delivery.provider_id).where(Delivery.broadcast_id == broadcast_id)
    ).all()
    failed = [
        Receipt(DeliveryRef(broadcast_id, person), id_ or given, ReceiptStatus.FAILED, SendError(kind, "131"))
        for person, given in rows
    ]
    receipts = [SenderReceipt(newsroom.sender_id, one) for one in failed]
    record_receipts(receipts, controller=newsroom.controller, now=newsroom.now)
    db.session.rollback()


def stands(broadcast_id: int) -> tuple[str, DeliveryStatus, str | None]:
    row = db.session.scalars(select(Delivery).where(Delivery.broadcast_id == broadcast_id)).one()
    return db.session.get_one(Broadcast, broadcast_id).state, DeliveryStatus(row.status), row.reason


def sent_fresh_for(newsroom: Newsroom, hours: int) -> int:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    with transaction() as session:
        session.get_one(Broadcast, broadcast_id).expires_at = newsroom.now + timedelta(hours=hours)
    return broadcast_id


def test_a_cap_that_is_told_later_is_tried_again_after_a_day_once_though_told_twice(
    newsroom: Newsroom,
) -> None:
    broadcast_id = sent_fresh_for(newsroom, hours=72)

    told(newsroom, broadcast_id, ErrorKind.PREFERENCE_CAP)
    told(newsroom, broadcast_id, ErrorKind.PREFERENCE_CAP)

    assert stands(broadcast_id) == ("sending", DeliveryStatus.PENDING, None)
    newsroom.later(hours=25)
    assert fan_out.bring_back(newsroom.now) == 1
    newsroom.send()
    assert stands(broadcast_id) == ("finished", DeliveryStatus.SENT, None)
    assert list(newsroom.provider.copies.values()) == [2]
    told(newsroom, broadcast_id, ErrorKind.PREFERENCE_CAP, id_="the id of the first message")
    assert stands(broadcast_id) == ("finished", DeliveryStatus.SENT, None)


def test_a_cap_that_is_told_of_stale_news_is_a_failure(newsroom: Newsroom) -> None:
    broadcast_id = sent_fresh_for(newsroom, hours=12)

    told(newsroom, broadcast_id, ErrorKind.PREFERENCE_CAP)

    assert stands(broadcast_id) == ("finished", DeliveryStatus.FAILED, "preference_cap")


def test_a_cap_that_is_told_of_words_that_were_corrected_is_a_failure(newsroom: Newsroom) -> None:
    broadcast_id = sent_fresh_for(newsroom, hours=72)
    right = draft_correction(broadcast_id, title="Right", text="It is shut.", by="ada", now=newsroom.now)
    schedule(right, at=None, zone="UTC", by="ada", now=newsroom.now)

    told(newsroom, broadcast_id, ErrorKind.PREFERENCE_CAP)

    assert stands(broadcast_id) == ("finished", DeliveryStatus.FAILED, "preference_cap")


def test_a_quota_that_is_told_later_pauses_what_is_still_being_sent(newsroom: Newsroom) -> None:
    broadcast_id = sent_fresh_for(newsroom, hours=12)
    with transaction() as session:
        session.get_one(Broadcast, broadcast_id).state = "sending"

    told(newsroom, broadcast_id, ErrorKind.QUOTA)

    assert stands(broadcast_id) == ("paused", DeliveryStatus.PENDING, None)
    assert "quota" in str(db.session.get_one(Broadcast, broadcast_id).state_reason)


@pytest.mark.parametrize("kind", [ErrorKind.CONFIG, ErrorKind.AUTH])
def test_settings_that_are_refused_later_close_the_sender(newsroom: Newsroom, kind: ErrorKind) -> None:
    broadcast_id = sent_fresh_for(newsroom, hours=12)

    told(newsroom, broadcast_id, kind)

    assert db.session.get_one(Sender, newsroom.sender_id).paused_at is not None
    assert stands(broadcast_id) == ("finished", DeliveryStatus.FAILED, kind.value)


def test_a_passing_fault_that_is_told_later_is_the_providers_last_word(newsroom: Newsroom) -> None:
    broadcast_id = sent_fresh_for(newsroom, hours=72)

    told(newsroom, broadcast_id, ErrorKind.TEMPORARY)

    assert stands(broadcast_id) == ("finished", DeliveryStatus.FAILED, "temporary")
