"""Receipts that bring back nothing but the provider's id."""

import pytest
from sqlalchemy import event, select, update

from app.domain.messages import DeliveryRef, Receipt, ReceiptStatus, found_by
from app.domain.statuses import DeliveryStatus
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage.database import db, transaction
from app.storage.models import Delivery
from app.storage.provider_ids import deliveries_found_by
from tests.support.world import Newsroom


@pytest.fixture
def sent(newsroom: Newsroom) -> list[int]:
    """Three people got a broadcast; the provider gave their messages the ids 1, 2 and 3."""
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    of = Delivery.broadcast_id == broadcast_id
    people = list(
        db.session.scalars(select(Delivery.subscriber_id).where(of).order_by(Delivery.subscriber_id))
    )
    for id_, person in enumerate(people, 1):
        give(person, str(id_))
    return people


def give(person: int, id_: str) -> None:
    with transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.subscriber_id == person).values(provider_id=found_by(id_))
        )


def receipt(sender_id: int, id_: str) -> SenderReceipt:
    return SenderReceipt(sender_id, Receipt(None, found_by(id_), ReceiptStatus.DELIVERED))


def statuses() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Delivery.status).order_by(Delivery.subscriber_id)))


def test_a_receipt_finds_the_delivery_of_its_id_and_says_which_id_nobody_has(
    newsroom: Newsroom, sent: list[int]
) -> None:
    receipts = [receipt(newsroom.sender_id, one) for one in ("1", "3", "4")]

    unknown = record_receipts(receipts, controller=newsroom.controller, now=newsroom.now)

    assert unknown == [receipts[2]]
    assert statuses() == [DeliveryStatus.DELIVERED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED]


def test_the_id_of_another_senders_message_is_nobodys(newsroom: Newsroom, sent: list[int]) -> None:
    foreign = receipt(newsroom.sender_id + 1, "1")

    assert record_receipts([foreign], controller=newsroom.controller, now=newsroom.now) == [foreign]
    assert statuses() == [DeliveryStatus.SENT] * 3


def test_where_a_provider_counts_anew_the_newer_message_is_meant(newsroom: Newsroom, sent: list[int]) -> None:
    newsroom.later(days=1)
    second = newsroom.broadcast("Good evening")
    newsroom.send()
    with transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.broadcast_id == second).values(provider_id=found_by("1"))
        )
        found = deliveries_found_by(session, newsroom.sender_id, [found_by("1")])

    assert found[found_by("1")].broadcast_id == second


def test_ids_of_other_gateways_find_nothing(newsroom: Newsroom, sent: list[int]) -> None:
    with transaction() as session:
        session.execute(update(Delivery).values(provider_id="SM1"))

        assert deliveries_found_by(session, newsroom.sender_id, ["SM1"]) == {}


def test_the_index_is_used(newsroom: Newsroom, sent: list[int]) -> None:
    postgres = db.engine.dialect.name == "postgresql"
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, sql: str, values: object, *_more: object) -> None:
        asked.append((sql, values))

    event.listen(db.engine, "before_cursor_execute", note)
    with transaction() as session:
        deliveries_found_by(session, newsroom.sender_id, ["#1", "#2"])
        event.remove(db.engine, "before_cursor_execute", note)
        if postgres:  # the table is so small that reading it all is quicker
            session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
        statement = next(one for one in asked if "provider_id" in one[0])
        plan = session.connection().exec_driver_sql(f"{explain} {statement[0]}", statement[1])  # type: ignore[arg-type]
        shown = "\n".join(map(str, plan))

    assert "ix_delivery_provider_id" in shown


def test_one_reference_is_as_good_as_an_id(newsroom: Newsroom, sent: list[int]) -> None:
    broadcast_id = db.session.scalars(select(Delivery.broadcast_id)).first()
    assert broadcast_id is not None
    by_ref = Receipt(DeliveryRef(broadcast_id, sent[1]), found_by("2"), ReceiptStatus.DELIVERED)
    both = [SenderReceipt(newsroom.sender_id, by_ref), receipt(newsroom.sender_id, "1")]

    assert record_receipts(both, controller=newsroom.controller, now=newsroom.now) == []
    assert statuses()[:2] == [DeliveryStatus.DELIVERED] * 2
