"""Who writes deliveries, and who waits for whom: always in the order of the deliveries, or two would wait for good."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import RECEIPT_OVERWRITES, DeliveryStatus
from app.storage.database import db, transaction
from app.storage.models import Delivery
from app.storage.outcomes import Settlement, settle
from app.storage.reports import Report, apply_reports
from tests.support.waiting import until_somebody_waits
from tests.support.world import Newsroom

FIRST, SECOND, THIRD = 1, 2, 3


@pytest.fixture
def three(newsroom: Newsroom) -> list[DeliveryRef]:
    """Deliveries to three people whose answers have not been written."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")
    newsroom.join(3)
    broadcast_id = newsroom.broadcast_waiting()
    refs = [DeliveryRef(broadcast_id, one) for one in (FIRST, SECOND, THIRD)]
    with transaction() as session:
        session.add_all(
            Delivery(
                broadcast_id=broadcast_id,
                subscriber_id=ref.subscriber_id,
                inbound_id=0,
                status=DeliveryStatus.PENDING.value,
                updated_at=newsroom.now,
            )
            for ref in refs
        )
    return refs


def lock(session: Session, ref: DeliveryRef) -> None:
    """Lock one delivery; raises an `OperationalError` where another has it."""
    those = (Delivery.broadcast_id == ref.broadcast_id, Delivery.subscriber_id == ref.subscriber_id)
    session.execute(select(Delivery.status).where(*those).with_for_update(nowait=True)).one()


def statuses() -> list[DeliveryStatus]:
    db.session.rollback()
    return [
        DeliveryStatus(one)
        for one in db.session.scalars(select(Delivery.status).order_by(Delivery.subscriber_id))
    ]


def waits_for_the_first_only(app: Flask, refs: list[DeliveryRef], write: Callable[[Session], None]) -> None:
    """Hold the first delivery while `write` runs: it must not have taken the others yet."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            with app.app_context(), transaction() as session:
                write(session)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    with transaction() as session:
        lock(session, refs[0])
        thread.start()
        until_somebody_waits(session)
        for ref in refs[1:]:
            lock(session, ref)
    thread.join()
    assert errors == []


def test_answers_of_several_kinds_are_written_in_the_order_of_the_deliveries(
    app: Flask, newsroom: Newsroom, three: list[DeliveryRef]
) -> None:
    answers = [
        Settlement(three[0], DeliveryStatus.FAILED, reason="permanent"),
        Settlement(three[1], DeliveryStatus.SENT, "SM2"),
        Settlement(three[2], DeliveryStatus.SENT, "SM3"),
    ]

    waits_for_the_first_only(app, three, lambda session: settle(session, answers, newsroom.now))

    assert statuses() == [DeliveryStatus.FAILED, DeliveryStatus.SENT, DeliveryStatus.SENT]


def test_receipts_of_several_kinds_are_written_in_the_order_of_the_deliveries(
    app: Flask, newsroom: Newsroom, three: list[DeliveryRef]
) -> None:
    kinds = [DeliveryStatus.DELIVERED, DeliveryStatus.SENT, DeliveryStatus.SENT]
    reports = [
        Report(ref, newsroom.sender_id, kind, RECEIPT_OVERWRITES[kind], f"SM{ref.subscriber_id}")
        for ref, kind in zip(three, kinds, strict=True)
    ]

    waits_for_the_first_only(app, three, lambda session: apply_reports(session, reports, newsroom.now))

    assert statuses() == kinds


def test_of_two_reports_of_one_delivery_in_a_batch_the_later_counts_and_another_sender_moves_nothing(
    newsroom: Newsroom, three: list[DeliveryRef]
) -> None:
    def report(ref: DeliveryRef, kind: DeliveryStatus, sender_id: int) -> Report:
        return Report(ref, sender_id, kind, RECEIPT_OVERWRITES[kind], "SM")

    mine = newsroom.sender_id
    reports = [
        report(three[0], DeliveryStatus.SENT, mine),
        report(three[0], DeliveryStatus.DELIVERED, mine),
        report(three[1], DeliveryStatus.DELIVERED, mine + 1),
    ]
    with transaction() as session:
        moved = apply_reports(session, reports, newsroom.now)

    assert moved == [three[0], three[0]]
    assert statuses() == [DeliveryStatus.DELIVERED, DeliveryStatus.PENDING, DeliveryStatus.PENDING]
