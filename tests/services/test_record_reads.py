"""Reads are counted once for each person, and never stand in for *delivered*."""

from datetime import timedelta

from sqlalchemy import func, select, update

from app.domain.messages import DeliveryRef, Receipt, ReceiptStatus
from app.domain.statuses import DeliveryStatus
from app.services.figures.compare import compare
from app.services.figures.sheets import make, window
from app.services.record_reads import forget, reads_of, record_reads
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage.database import db, transaction
from app.storage.models import Delivery, DeliveryRead, Sender
from tests.support.world import Newsroom


def sent(newsroom: Newsroom, people: int = 3) -> tuple[int, list[DeliveryRef]]:
    """A broadcast that was handed over, and its deliveries."""
    newsroom.join(people)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    ids = db.session.scalars(
        select(Delivery.subscriber_id)
        .where(Delivery.broadcast_id == broadcast_id)
        .order_by(Delivery.subscriber_id)
    ).all()
    db.session.rollback()
    return broadcast_id, [DeliveryRef(broadcast_id, one) for one in ids]


def tell(newsroom: Newsroom, *refs: DeliveryRef, read: bool = True, sender_id: int = 0) -> None:
    receipts = [
        SenderReceipt(
            sender_id or newsroom.sender_id, Receipt(ref, f"SM{ref}", ReceiptStatus.DELIVERED, read=read)
        )
        for ref in refs
    ]
    record_receipts(receipts, controller=newsroom.controller, now=newsroom.now)


def on_whatsapp(newsroom: Newsroom) -> None:
    with transaction() as session:
        session.execute(update(Sender).where(Sender.id == newsroom.sender_id).values(channel="whatsapp"))


def test_a_read_counts_once_and_what_is_read_is_delivered(newsroom: Newsroom) -> None:
    broadcast_id, refs = sent(newsroom)

    tell(newsroom, refs[0], refs[1], refs[1])
    tell(newsroom, refs[0])
    tell(newsroom, refs[2], read=False)

    assert reads_of(db.session(), broadcast_id) == {newsroom.sender_id: 2}
    assert newsroom.tally(broadcast_id).delivered == 3


def test_another_sender_replies_and_messages_that_are_not_delivered_count_nothing(newsroom: Newsroom) -> None:
    broadcast_id, refs = sent(newsroom)

    tell(newsroom, refs[0], sender_id=newsroom.sender_id + 1)
    reply = DeliveryRef(broadcast_id, refs[1].subscriber_id, 7)

    assert record_reads([(newsroom.sender_id, refs[2]), (newsroom.sender_id, reply)], newsroom.now) == 0
    assert reads_of(db.session(), broadcast_id) == {}


def test_who_read_is_let_go_and_is_not_counted_again(newsroom: Newsroom) -> None:
    broadcast_id, refs = sent(newsroom)
    tell(newsroom, refs[0])

    newsroom.later(days=8, minutes=1)
    gone = forget(newsroom.now)
    tell(newsroom, *refs)

    assert gone == 1
    assert db.session.scalar(select(func.count()).select_from(DeliveryRead)) == 0
    assert reads_of(db.session(), broadcast_id) == {newsroom.sender_id: 1}


def test_reports_have_it_where_the_channel_tells_and_a_gap_where_it_does_not(newsroom: Newsroom) -> None:
    broadcast_id, refs = sent(newsroom)
    tell(newsroom, *refs[:2])
    chosen = window(7, now=newsroom.now + timedelta(minutes=1))
    by_sms = make("channels", chosen).column("read")
    db.session.rollback()

    on_whatsapp(newsroom)
    sheets = {name: make(name, chosen) for name in ("broadcasts", "lists", "channels", "days")}
    compared = compare(broadcast_id)

    assert by_sms == [None]
    assert {name: sheet.column("read")[-1] for name, sheet in sheets.items()} == dict.fromkeys(sheets, 2)
    assert compared is not None
    assert [one.own for one in compared.measures if one.measure == "read"] == [100.0]


def test_a_read_of_a_message_that_waits_to_be_settled_counts(newsroom: Newsroom) -> None:
    broadcast_id, refs = sent(newsroom, people=1)
    with transaction() as session:
        session.execute(update(Delivery).values(status=DeliveryStatus.PENDING.value))

    tell(newsroom, refs[0])

    assert reads_of(db.session(), broadcast_id) == {newsroom.sender_id: 1}
