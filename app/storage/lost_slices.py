"""Slices whose holder is gone: which there are, and which of their deliveries nobody has settled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage.deliveries import Lost, lost_of
from app.storage.models import Broadcast, Delivery, Slice

_SOME = 500


def may_have_left(session: Session, lost: Lost) -> Sequence[int]:
    """Return the subscribers of whom nobody can tell, when the journal is gone: all up to the last one reached.

    Whoever was skipped by a cancel is among them, for it may have come when their message had left.
    """
    canceled = and_(
        Delivery.status == DeliveryStatus.SKIPPED.value, Delivery.reason == SkipReason.CANCELED.value
    )
    waits = and_(Delivery.status == DeliveryStatus.PENDING.value, Delivery.due_at.is_(None))
    query = select(Delivery.subscriber_id).where(
        *_in_slice(lost), Delivery.subscriber_id <= lost.reached, or_(waits, canceled)
    )
    return session.scalars(query.order_by(Delivery.subscriber_id)).all()


def unsettled(session: Session, lost: Lost, subscriber_ids: Sequence[int]) -> dict[int, int]:
    """Return those of a lost slice's subscribers about whom the database knows nothing yet, with their attempts.

    Whoever waits for another try (`due_at`) or was moved to another slice has been settled before.
    """
    rows = session.execute(
        select(Delivery.subscriber_id, Delivery.attempts).where(
            *_in_slice(lost),
            Delivery.subscriber_id.in_(subscriber_ids),
            Delivery.status.in_((DeliveryStatus.PENDING.value, DeliveryStatus.SKIPPED.value)),
            Delivery.due_at.is_(None),
        )
    )
    return {subscriber_id: attempts for subscriber_id, attempts in rows}


def is_settled(session: Session, lost: Lost) -> None:
    """Note that nothing of what left under this epoch is open any more."""
    session.execute(
        update(Slice)
        .where(
            Slice.broadcast_id == lost.broadcast_id, Slice.seq == lost.seq, Slice.reached_epoch == lost.epoch
        )
        .values(reached=None, reached_epoch=None)
    )


def fence_off(session: Session, now: datetime) -> list[tuple[Lost, int]]:
    """Raise the epoch of slices whose lease has run out and that no lane will take; returns them with their senders."""
    sending = Broadcast.state == BroadcastState.SENDING.value
    rows = session.scalars(
        select(Slice)
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .where(Slice.reached.is_not(None), Slice.lease_until < now, or_(~sending, Slice.state == "done"))
        .limit(_SOME)
        .with_for_update(skip_locked=True, of=Slice)
    ).all()
    found = []
    for part in rows:
        part.epoch += 1
        lost = lost_of(part)
        if lost is not None:
            found.append((lost, part.sender_id))
    return found


def _in_slice(lost: Lost) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.broadcast_id == lost.broadcast_id,
        Delivery.inbound_id == 0,
        Delivery.slice == lost.seq,
    )
