"""What counts against a platform's quota: broadcasts that a sender sent, sends, or will send in a period."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union
from sqlalchemy.orm import Session

from app.domain.consent import SubscriptionState
from app.domain.statuses import BroadcastState
from app.storage import audience
from app.storage.holding import HAD_IT
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    Delivery,
    ListSender,
    Sender,
    Slice,
    Subscriber,
    Subscription,
)
from app.storage.segments import Chosen

_RUNS = (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


class Planned(NamedTuple):
    """A broadcast of a sender in a period; `sent`: some of it may have left, else it will."""

    broadcast_id: int
    title: str
    sent: bool


def sent_by(session: Session, sender_id: int, since: datetime) -> list[int]:
    """Return the broadcasts of a sender of which somebody may have got a message since a moment."""
    recent = or_(Broadcast.state.in_(_RUNS), Broadcast.state_at >= since)
    query = select(Broadcast.id).where(recent, _had(sender_id, since)).order_by(Broadcast.id)
    return list(session.scalars(query))


def sends_before(session: Session, broadcast: Broadcast, sender_id: int) -> list[int]:
    """Return the broadcasts that began before this one and still have people to send to over the same sender.

    So of two that begin at the same time only one takes what is left of the quota.
    """
    if broadcast.started_at is None:
        return []
    waits = exists().where(
        Slice.broadcast_id == Broadcast.id, Slice.sender_id == sender_id, Slice.state != "done"
    )
    earlier = or_(
        Broadcast.started_at < broadcast.started_at,
        and_(Broadcast.started_at == broadcast.started_at, Broadcast.id < broadcast.id),
    )
    query = select(Broadcast.id).where(Broadcast.state == BroadcastState.SENDING.value, earlier, waits)
    return list(session.scalars(query))


def planned_for(session: Session, sender_id: int, start: datetime, end: datetime, but: int) -> list[Planned]:
    """Return what a sender sent, sends or will send between two moments, besides the broadcast `but`."""
    sent = set(sent_by(session, sender_id, start))
    waits = and_(
        Broadcast.state == BroadcastState.SCHEDULED.value, Broadcast.next_at >= start, Broadcast.next_at < end
    )
    runs = and_(Broadcast.state.in_(_RUNS), Broadcast.started_at < end, Broadcast.expires_at > start)
    by_this_sender = exists().where(
        BroadcastTarget.broadcast_id == Broadcast.id, BroadcastTarget.list_id.in_(_lists_of(sender_id))
    )
    rows = session.execute(
        select(Broadcast.id, Broadcast.title)
        .where(
            Broadcast.id != but,
            or_(Broadcast.id.in_(sent), and_(or_(waits, runs), by_this_sender)),
        )
        .order_by(func.coalesce(Broadcast.started_at, Broadcast.next_at), Broadcast.id)
    )
    return [Planned(one, title, one in sent) for one, title in rows]


def people_full(
    session: Session,
    list_ids: Collection[int],
    channel: str,
    others: Collection[Planned],
    count: int,
    start: datetime,
    at: datetime,
    corrects: int | None = None,
    chosen: Chosen | None = None,
) -> int:
    """Count those on a channel whom the gate lets through at `at`, and who had or will have `count` of `others`."""
    had = select(Delivery.subscriber_id, Delivery.broadcast_id).where(
        Delivery.broadcast_id.in_([one.broadcast_id for one in others]),
        Delivery.inbound_id == 0,
        Delivery.status.in_(HAD_IT),
        Delivery.updated_at >= start,
    )
    coming = (
        select(Subscription.subscriber_id, BroadcastTarget.broadcast_id)
        .join(BroadcastTarget, BroadcastTarget.list_id == Subscription.list_id)
        .where(
            BroadcastTarget.broadcast_id.in_([one.broadcast_id for one in others if not one.sent]),
            Subscription.state == SubscriptionState.ACTIVE.value,
        )
    )
    theirs = union(had, coming).subquery()
    people = audience.reachable(list(list_ids), at, corrects=corrects, chosen=chosen)
    full = (
        select(theirs.c.subscriber_id)
        .join(people, people.c.subscriber_id == theirs.c.subscriber_id)
        .join(Subscriber, Subscriber.id == theirs.c.subscriber_id)
        .where(Subscriber.channel == channel)
        .group_by(theirs.c.subscriber_id)
        .having(func.count() >= count)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(full)) or 0


def gateways_of(session: Session, sender_ids: Collection[int]) -> dict[int, str]:
    """Return sender -> the name of its gateway."""
    rows = session.execute(select(Sender.id, Sender.gateway).where(Sender.id.in_(sender_ids)))
    return {sender_id: gateway for sender_id, gateway in rows}


def _had(sender_id: int, since: datetime) -> ColumnElement[bool]:
    """By way of the slices, whose index leads to this sender's deliveries among those of other channels."""
    found = (
        select(Slice.seq)
        .join(Delivery, and_(Delivery.slice == Slice.seq, Delivery.broadcast_id == Slice.broadcast_id))
        .where(
            Slice.broadcast_id == Broadcast.id,
            Slice.sender_id == sender_id,
            Delivery.inbound_id == 0,
            Delivery.status.in_(HAD_IT),
            Delivery.updated_at >= since,
        )
    )
    return found.correlate(Broadcast).exists()


def _lists_of(sender_id: int) -> Select[int]:
    further = select(ListSender.list_id).where(ListSender.sender_id == sender_id)
    return select(BroadcastList.id).where(
        or_(BroadcastList.sender_id == sender_id, BroadcastList.id.in_(further))
    )
