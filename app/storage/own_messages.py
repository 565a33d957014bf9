"""Own messages that wait for hand-over: the oldest due first, each with what the gate needs to know of its person."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.domain.statuses import DeliveryStatus
from app.storage.models import BroadcastList, Delivery, OwnMessage, Subscriber, Subscription

Row = tuple[OwnMessage, Delivery, Subscriber, BroadcastList, Subscription | None]


def add(session: Session, messages: Sequence[tuple[OwnMessage, datetime | None]], replies_id: int) -> None:
    """Store messages of one sender, each with a delivery that waits until its moment; None: it may go at once."""
    session.add_all(message for message, _ in messages)
    session.flush()
    session.add_all(
        Delivery(
            broadcast_id=replies_id,
            subscriber_id=message.subscriber_id,
            inbound_id=-message.id,
            status=DeliveryStatus.PENDING.value,
            attempts=0,
            due_at=due_at,
            updated_at=message.created_at,
        )
        for message, due_at in messages
    )


def waiting(session: Session, replies_id: int, now: datetime, limit: int) -> int:
    """Count, up to `limit`, the messages of a sender that are due."""
    found = select(Delivery.inbound_id).where(*_due(replies_id, now)).limit(limit)
    return len(session.execute(found).all())


def lock_due(session: Session, replies_id: int, now: datetime, limit: int) -> list[Row]:
    """Return messages of a sender that are due, in the order in which they were made, locked."""
    rows = session.execute(
        select(OwnMessage, Delivery, Subscriber, BroadcastList, Subscription)
        .select_from(Delivery)
        .join(OwnMessage, OwnMessage.id == -Delivery.inbound_id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .join(BroadcastList, BroadcastList.id == OwnMessage.list_id)
        .outerjoin(
            Subscription,
            and_(Subscription.list_id == OwnMessage.list_id, Subscription.subscriber_id == Subscriber.id),
        )
        .where(*_due(replies_id, now))
        .order_by(Delivery.inbound_id.desc())
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    return [(message, delivery, person, list_, row) for message, delivery, person, list_, row in rows]


def _due(replies_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.broadcast_id == replies_id,
        Delivery.slice.is_(None),
        Delivery.inbound_id < 0,
        Delivery.status == DeliveryStatus.PENDING.value,
        or_(Delivery.due_at.is_(None), Delivery.due_at <= now),
    )
