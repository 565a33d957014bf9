"""The counts of a broadcast meet its audience and its rows at every moment, whoever moves the deliveries."""

import threading
from collections import Counter
from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select, text, update

from app.domain.messages import DeliveryRef, Receipt, ReceiptStatus
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Reply
from app.services import fan_out, stop_broadcasts
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage import tallies
from app.storage.database import db, transaction
from app.storage.models import Delivery, DeliveryTally
from tests.support.world import FakeProvider, Newsroom, number


def adds_up(newsroom: Newsroom, broadcast_id: int) -> None:
    """Compare the counts with the audience, and with the rows themselves."""
    tally = newsroom.tally(broadcast_id)
    parts = tally.delivered + tally.sent + tally.failed + tally.unknown + tally.skipped
    assert tally.audience == parts + tally.handing_over + tally.pending
    rows = db.session.execute(
        select(Delivery.status, Delivery.reason, Delivery.error_code, func.count())
        .where(Delivery.broadcast_id == broadcast_id, Delivery.status != DeliveryStatus.PENDING.value)
        .group_by(Delivery.status, Delivery.reason, Delivery.error_code)
    )
    truth = Counter({(status, reason or "", code or ""): n for status, reason, code, n in rows})
    kept = tallies.counts(db.session(), broadcast_id)
    assert Counter({(status, reason, code): n for status, reason, code, n in kept}) == truth


def begin(app: Flask, act: Callable[[], None], errors: list[Exception]) -> threading.Thread:
    """Do `act` in a thread of its own; what it raises is kept for the test's own thread."""

    def run() -> None:
        try:
            with app.app_context():
                act()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_counts_are_exact_at_every_step_of_a_running_broadcast(newsroom: Newsroom) -> None:
    numbers = newsroom.join(30)
    broadcast_id = newsroom.broadcast()
    adds_up(newsroom, broadcast_id)
    newsroom.text("STOP", number(29))
    adds_up(newsroom, broadcast_id)
    answers = {
        numbers[3]: Reply(400, b'{"code": 30005, "message": "unknown"}'),
        numbers[4]: Reply(400, b'{"code": 21610, "message": "unsubscribed"}'),
        numbers[5]: Reply(503, b""),
        numbers[6]: Reply(0, left=True, reason="curl_28"),
    }
    provider = FakeProvider(
        lambda to, body: answers.get(to) or Reply(201, b'{"sid": "SM%032x"}' % int(to)),
        before_answer=lambda to: adds_up(newsroom, broadcast_id),
    )
    newsroom.send(provider)
    adds_up(newsroom, broadcast_id)

    ids = db.session.scalars(select(Delivery.subscriber_id).order_by(Delivery.subscriber_id)).all()
    for status in (ReceiptStatus.DELIVERED, ReceiptStatus.SENT, ReceiptStatus.DELIVERED):
        found = [Receipt(DeliveryRef(broadcast_id, one), "SM1", status) for one in ids[:20]]
        record_receipts(
            [SenderReceipt(newsroom.sender_id, one) for one in found],
            controller=newsroom.controller,
            now=newsroom.now,
        )
        adds_up(newsroom, broadcast_id)
    newsroom.later(minutes=1)
    fan_out.bring_back(newsroom.now)
    adds_up(newsroom, broadcast_id)
    stop_broadcasts.cancel(broadcast_id, by="ada", now=newsroom.now)
    adds_up(newsroom, broadcast_id)

    tally = newsroom.tally(broadcast_id)
    assert tally.pending == 0
    assert (tally.delivered, tally.skipped) == (20, 1)  # one waited for another try when the receipts came


def test_folding_the_counts_changes_no_sum(newsroom: Newsroom) -> None:
    newsroom.join(5)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO delivery_tally (broadcast_id, status, reason, error_code, shard, people) "
                "SELECT broadcast_id, status, reason, error_code, shard + 7, 3 FROM delivery_tally"
            )
        )
    before = tallies.counts(db.session(), broadcast_id)
    with transaction() as session:
        assert tallies.fold(session, above=0) > 0

    assert tallies.counts(db.session(), broadcast_id) == before
    with transaction() as session:
        assert tallies.fold(session, above=0) == 0
    assert set(db.session.scalars(select(DeliveryTally.shard))) == {0}


def test_four_writers_and_two_clocks_that_fold_lose_no_count(app: Flask, newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast_waiting()
    with transaction() as session:
        session.add_all(
            Delivery(
                broadcast_id=broadcast_id, subscriber_id=one, inbound_id=0, status=0, updated_at=newsroom.now
            )
            for one in range(10, 410)
        )
    errors: list[Exception] = []
    over = threading.Event()

    def write(first: int) -> None:
        for low in range(first, first + 100, 20):
            with transaction() as session:
                for status in (DeliveryStatus.SENT, DeliveryStatus.FAILED):
                    theirs = Delivery.subscriber_id.between(low, low + 19)
                    session.execute(
                        update(Delivery)
                        .where(Delivery.broadcast_id == broadcast_id, theirs)
                        .values(status=status.value)
                    )

    def fold() -> None:
        while not over.is_set():
            with transaction() as session:
                tallies.fold(session, above=0)

    writers = [begin(app, lambda first=first: write(first), errors) for first in range(10, 410, 100)]  # type: ignore[misc]
    clocks = [begin(app, fold, errors) for _ in range(2)]
    for thread in writers:
        thread.join()
    over.set()
    for thread in clocks:
        thread.join()

    assert errors == []
    db.session.rollback()
    assert list(tallies.counts(db.session(), broadcast_id)) == [(DeliveryStatus.FAILED.value, "", "", 400)]
