"""What waits in each lane and since when, for the metrics: a few small questions, whatever the size of a broadcast."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus
from app.storage.models import AccountRate, Broadcast, Delivery, Sender, Slice

_ON_THE_WAY = (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


class LaneFigures(NamedTuple):
    """One sender: its pace, whether it is paused, its slices by state, and since when the oldest thing is due."""

    sender_id: int
    name: str
    rate: float
    paused: bool
    slices: Mapping[str, int]
    oldest_due: datetime | None


def lanes(session: Session, now: datetime) -> Sequence[LaneFigures]:
    """Return every sender, by id."""
    slices, due = _slices(session), _due(session, now)
    return [
        LaneFigures(
            one.id,
            one.name,
            one.rate,
            one.paused_at is not None,
            slices.get(one.id, {}),
            min(due.get(one.id, ()), default=None),
        )
        for one in session.scalars(select(Sender).order_by(Sender.id))
    ]


def account_rates(session: Session) -> Mapping[str, float]:
    """Return the limits of accounts, in messages (SMS: parts) a second."""
    return {one.account: one.rate for one in session.scalars(select(AccountRate))}


def on_the_way(session: Session) -> Sequence[int]:
    """Return the broadcasts that are being sent or paused."""
    rows = select(Broadcast.id).where(Broadcast.state.in_(_ON_THE_WAY)).order_by(Broadcast.id)
    return session.scalars(rows).all()


def unknown(session: Session) -> int:
    """Count the deliveries of which nobody knows whether they left."""
    rows = select(func.count()).where(Delivery.status == DeliveryStatus.UNKNOWN.value)
    return session.scalar(rows) or 0


def _slices(session: Session) -> dict[int, dict[str, int]]:
    rows = session.execute(
        select(Slice.sender_id, Slice.state, func.count())
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .where(Broadcast.state.in_(_ON_THE_WAY))
        .group_by(Slice.sender_id, Slice.state)
    )
    found: dict[int, dict[str, int]] = {}
    for sender_id, state, count in rows:
        found.setdefault(sender_id, {})[state] = count
    return found


def _due(session: Session, now: datetime) -> dict[int, list[datetime]]:
    """Since when something waits: a broadcast with slices that nobody holds, a person's turn, an answer or a question.

    A slice whose holder said nothing for the length of its lease waits, too: since then.
    """
    broadcasts = session.execute(
        select(Slice.sender_id, func.min(Broadcast.started_at))
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .where(Broadcast.state == BroadcastState.SENDING.value, Slice.state == "open")
        .group_by(Slice.sender_id)
    ).all()
    left_lying = session.execute(
        select(Slice.sender_id, func.min(Slice.lease_until))
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .where(
            Broadcast.state == BroadcastState.SENDING.value,
            Slice.state == "leased",
            Slice.lease_until < now,
        )
        .group_by(Slice.sender_id)
    ).all()
    turns = session.execute(
        select(Slice.sender_id, func.min(Delivery.due_at))
        .join(Slice, (Slice.broadcast_id == Delivery.broadcast_id) & (Slice.seq == Delivery.slice))
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            Delivery.status == DeliveryStatus.PENDING.value,
            Delivery.due_at <= now,
            Broadcast.state == BroadcastState.SENDING.value,
        )
        .group_by(Slice.sender_id)
    ).all()
    answers = session.execute(
        select(Broadcast.sender_id, func.min(func.coalesce(Delivery.due_at, Delivery.updated_at)))
        .join(Delivery, Delivery.broadcast_id == Broadcast.id)
        .where(
            Broadcast.state == BroadcastState.REPLIES.value,
            Delivery.slice.is_(None),
            Delivery.status == DeliveryStatus.PENDING.value,
            or_(Delivery.due_at.is_(None), Delivery.due_at <= now),
        )
        .group_by(Broadcast.sender_id)
    ).all()
    found: dict[int, list[datetime]] = {}
    for sender_id, moment in (*broadcasts, *left_lying, *turns, *answers):
        if sender_id is not None and moment is not None:
            found.setdefault(sender_id, []).append(moment)
    return found
