"""Deliveries of which nobody knows whether they left: which there are, and what a look-up made of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from app.domain.messages import ErrorKind
from app.domain.statuses import NOT_AT_PROVIDER, WORKER_DIED, DeliveryStatus
from app.storage.models import Broadcast, Delivery, Sender, Slice, Subscriber
from app.storage.variants import wordings_of

# Why a delivery is UNKNOWN of which nobody has asked the provider with an answer yet.
OPEN_REASONS = (WORKER_DIED, ErrorKind.UNKNOWN.value)


class Unclear(NamedTuple):
    """One of them: where it was to go, in which words of all that its channel got, and since when it may have left."""

    broadcast_id: int
    subscriber_id: int
    channel: str
    address: str
    attributes: dict[str, object]
    text: str
    texts: Sequence[str]
    started_at: datetime


def senders(session: Session, began_after: datetime, quiet_since: datetime) -> Sequence[int]:
    """Return the senders that have any, of broadcasts that began after a moment, unchanged since another."""
    rows = session.scalars(
        select(Slice.sender_id)
        .join(Delivery, (Delivery.broadcast_id == Slice.broadcast_id) & (Delivery.slice == Slice.seq))
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(*_open(began_after, quiet_since))
        .distinct()
    )
    return sorted(rows)


def some(
    session: Session, sender_id: int, began_after: datetime, quiet_since: datetime, most: int
) -> Sequence[Unclear]:
    """Return up to `most` of a sender's, those asked about longest ago first."""
    here = exists().where(
        Slice.broadcast_id == Delivery.broadcast_id,
        Slice.seq == Delivery.slice,
        Slice.sender_id == sender_id,
    )
    rows = session.execute(
        select(Delivery.subscriber_id, Subscriber, Broadcast)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(*_open(began_after, quiet_since), Subscriber.erased_at.is_(None), here)
        .order_by(Delivery.updated_at, Delivery.broadcast_id, Delivery.subscriber_id)
        .limit(most)
    ).all()
    channel = session.get_one(Sender, sender_id).channel
    words = wordings_of(session, {broadcast for _, _, broadcast in rows}, channel)
    return [
        Unclear(
            broadcast.id,
            subscriber_id,
            person.channel,
            person.address,
            person.attributes,
            words[broadcast.id].to(person.language),
            words[broadcast.id].texts,
            broadcast.started_at or broadcast.created_at,
        )
        for subscriber_id, person, broadcast in rows
    ]


def others_ids(session: Session, unclear: Unclear, provider_ids: Collection[str]) -> set[str]:
    """Return which of the provider's ids are known to be other messages to the same person."""
    rows = session.scalars(
        select(Delivery.provider_id).where(
            Delivery.subscriber_id == unclear.subscriber_id, Delivery.provider_id.in_(provider_ids)
        )
    )
    return {one for one in rows if one is not None}


def is_absent(session: Session, broadcast_id: int, people: Collection[int], now: datetime) -> None:
    """Note that the provider knows of no such message."""
    _write(session, broadcast_id, people, {"reason": NOT_AT_PROVIDER, "updated_at": now})


def was_asked(session: Session, broadcast_id: int, people: Collection[int], now: datetime) -> None:
    """Note that asking told nothing, so that others are asked about first."""
    _write(session, broadcast_id, people, {"updated_at": now})


def _write(session: Session, broadcast_id: int, people: Collection[int], values: dict[str, object]) -> None:
    session.execute(
        update(Delivery)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.subscriber_id.in_(people),
            Delivery.inbound_id == 0,
            Delivery.status == DeliveryStatus.UNKNOWN.value,
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )


def _open(began_after: datetime, quiet_since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        # In the words of the partial index.
        Delivery.status == DeliveryStatus.UNKNOWN.value,
        Delivery.reason.in_(OPEN_REASONS),
        Delivery.inbound_id == 0,
        Delivery.updated_at < quiet_since,
        Broadcast.started_at > began_after,
    )
