"""Replies that wait for hand-over: taken oldest first, dropped when they come too late."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.replies import CONFIRM_WITHIN, CONFIRMATIONS
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage.deliveries import Person
from app.storage.models import Broadcast, Delivery, InboundRow, Subscriber


def claim_replies(
    session: Session,
    broadcast_id: int,
    now: datetime,
    limit: int,
    reply_within: timedelta | None = None,
) -> list[Person]:
    """Take waiting replies of a sender, oldest first, and mark them HANDING_OVER.

    The token of a message goes with its answer when that is not older than `reply_within`, and is forgotten here either
    way: it is good for one attempt, and whoever tries again has none (docs/adr/0038).

    A confirmation of STOP later than five minutes after the word is not sent any more: from then on the sender
    would have to justify it (47 CFR 64.1200(a)(12)). Other answers are dropped after an hour.
    """
    key = (Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
    waiting = (
        select(*key)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.slice.is_(None),
            Delivery.inbound_id > 0,
            Delivery.status == DeliveryStatus.PENDING.value,
            or_(Delivery.due_at.is_(None), Delivery.due_at <= now),
        )
        .order_by(Delivery.inbound_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = [tuple(row) for row in session.execute(waiting)]
    if not keys:
        return []
    rows = session.execute(
        select(InboundRow, Subscriber, Delivery.attempts)
        .join(Subscriber, Subscriber.id == InboundRow.subscriber_id)
        .join(
            Delivery,
            and_(
                Delivery.broadcast_id == broadcast_id,
                Delivery.subscriber_id == Subscriber.id,
                Delivery.inbound_id == InboundRow.id,
            ),
        )
        .where(InboundRow.id.in_([key[2] for key in keys]))
        .order_by(InboundRow.id)
    ).all()
    late = [inbound.id for inbound, *_ in rows if now - inbound.received_at > _patience(inbound.reply_kind)]
    _mark_replies(session, broadcast_id, late, DeliveryStatus.SKIPPED, SkipReason.LATE_REPLY.value, now)
    ready = [row for row in rows if row[0].id not in set(late)]
    ids = [inbound.id for inbound, *_ in ready]
    _mark_replies(session, broadcast_id, ids, DeliveryStatus.HANDING_OVER, None, now)
    tokens = _take_tokens([inbound for inbound, *_ in rows], reply_within, now)
    return [
        Person(
            DeliveryRef(broadcast_id, person.id, inbound.id),
            person.channel,
            person.address,
            {},
            attempts,
            inbound.reply_text,
            person.route(inbound.sender_id),
            tokens.get(inbound.id, ""),
        )
        for inbound, person, attempts in ready
    ]


def late_confirmations(session: Session, now: datetime) -> list[tuple[int, int]]:
    """Return (broadcast, inbound) of confirmations of STOP that wait longer than they may: no worker came."""
    rows = session.execute(
        select(Delivery.broadcast_id, Delivery.inbound_id)
        .join(InboundRow, InboundRow.id == Delivery.inbound_id)
        .where(
            Delivery.slice.is_(None),
            Delivery.status == DeliveryStatus.PENDING.value,
            InboundRow.reply_kind.in_([kind.value for kind in CONFIRMATIONS]),
            InboundRow.received_at < now - CONFIRM_WITHIN,
        )
        .limit(500)
    )
    return [(broadcast_id, inbound_id) for broadcast_id, inbound_id in rows]


def drop_late_confirmations(session: Session, now: datetime) -> list[int]:
    """Skip the `late_confirmations`; returns their inbound ids."""
    late = late_confirmations(session, now)
    for broadcast_id, inbound_id in late:
        reason = SkipReason.LATE_REPLY.value
        _mark_replies(session, broadcast_id, [inbound_id], DeliveryStatus.SKIPPED, reason, now)
        session.get_one(InboundRow, inbound_id).reply_token = None
    return [inbound_id for _, inbound_id in late]


def dropped_confirmations(session: Session, since: datetime) -> int:
    """Count the confirmations of STOP that were dropped since then because they would have come too late."""
    found = (
        select(func.count())
        .select_from(Delivery)
        .join(InboundRow, InboundRow.id == Delivery.inbound_id)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            Broadcast.state == BroadcastState.REPLIES.value,
            Delivery.slice.is_(None),  # lets the index find them among all deliveries
            InboundRow.received_at >= since,
            InboundRow.reply_kind.in_([kind.value for kind in CONFIRMATIONS]),
            Delivery.subscriber_id == InboundRow.subscriber_id,
            Delivery.status == DeliveryStatus.SKIPPED.value,
            Delivery.reason == SkipReason.LATE_REPLY.value,
        )
    )
    return session.scalar(found) or 0


def _take_tokens(
    rows: Sequence[InboundRow], reply_within: timedelta | None, now: datetime
) -> Mapping[int, str]:
    """Return the tokens that are young enough, by inbound id; none of them stays with its message."""
    tokens = {}
    for row in rows:
        if row.reply_token and reply_within is not None and now - row.received_at < reply_within:
            tokens[row.id] = row.reply_token
        row.reply_token = None
    return tokens


def _patience(reply_kind: str | None) -> timedelta:
    return CONFIRM_WITHIN if reply_kind in CONFIRMATIONS else timedelta(hours=1)


def _mark_replies(
    session: Session,
    broadcast_id: int,
    inbound_ids: Sequence[int],
    status: DeliveryStatus,
    reason: str | None,
    now: datetime,
) -> None:
    if inbound_ids:
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.inbound_id.in_(inbound_ids))
            .values(status=status.value, reason=reason, attempts=Delivery.attempts + 1, updated_at=now),
            execution_options={"synchronize_session": False},
        )
