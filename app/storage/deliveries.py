"""The lane's statements: lease a slice, pass the gate once more at the door, write outcomes in bulk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, literal, or_, select, text, tuple_, update
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage import audience
from app.storage.database import changed, is_sqlite
from app.storage.models import Broadcast, Delivery, InboundRow, Sender, Slice, Subscriber

_SENDING = BroadcastState.SENDING.value
_PENDING = DeliveryStatus.PENDING.value
_HANDING = DeliveryStatus.HANDING_OVER.value
_UNKNOWN = DeliveryStatus.UNKNOWN.value
_NEVER_COUNTED = text("SELECT reltuples < 1 FROM pg_class WHERE oid = 'delivery'::regclass")


@dataclass(frozen=True)
class Lease:
    """A slice in one worker's hands. `epoch` fences off whoever held it before."""

    broadcast_id: int
    seq: int
    epoch: int
    text: str


@dataclass(frozen=True)
class Person:
    """One claimed recipient: the delivery, where to, and the values of placeholders."""

    ref: DeliveryRef
    channel: str
    address: str
    attributes: Mapping[str, Any]
    attempts: int = 0
    text: str | None = None


def lease_slice(
    session: Session, sender_id: int, worker: str, now: datetime, lease_for: timedelta
) -> tuple[Lease, Slice, Broadcast] | None:
    """Take the next open slice of a sender, or one whose holder let the lease run out; None when there is none."""
    free = or_(Slice.state == "open", and_(Slice.state == "leased", Slice.lease_until < now))
    row = session.execute(
        select(Slice, Broadcast)
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .join(Sender, Sender.id == Broadcast.sender_id)
        .where(Sender.id == sender_id, Sender.paused_at.is_(None), Broadcast.state == _SENDING, free)
        .order_by(Slice.seq, Slice.broadcast_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Slice)
    ).first()
    if row is None:
        return None
    part, broadcast = row
    part.state, part.worker, part.epoch, part.lease_until = "leased", worker, part.epoch + 1, now + lease_for
    session.flush()
    return Lease(broadcast.id, part.seq, part.epoch, broadcast.text), part, broadcast


def settle_abandoned(session: Session, lease: Lease, now: datetime) -> int:
    """Call UNKNOWN what a dead worker had in its hands; returns how many. They are never sent again by themselves."""
    done = session.execute(
        update(Delivery)
        .where(
            Delivery.broadcast_id == lease.broadcast_id,
            Delivery.slice == lease.seq,
            Delivery.status == _HANDING,
        )
        .values(status=_UNKNOWN, reason="worker_died", updated_at=now)
    )
    return changed(done)


def people_of(session: Session, lease: Lease) -> list[Person]:
    """Return the slice's recipients that wait to be handed over, in a stable order."""
    rows = session.execute(
        select(
            Delivery.subscriber_id,
            Subscriber.channel,
            Subscriber.address,
            Subscriber.attributes,
            Delivery.attempts,
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Delivery.broadcast_id == lease.broadcast_id,
            Delivery.slice == lease.seq,
            Delivery.status == _PENDING,
            Delivery.due_at.is_(None),
        )
        .order_by(Delivery.subscriber_id)
    )
    return [Person(DeliveryRef(lease.broadcast_id, subscriber_id), *rest) for subscriber_id, *rest in rows]


def count_for_planner(session: Session) -> None:
    """Let PostgreSQL count the deliveries after the first claim ever, before autovacuum does.

    Until then it plans for an empty table, keeps that plan, and finds one delivery by reading its whole broadcast.
    """
    if not is_sqlite(session) and session.scalar(_NEVER_COUNTED):
        session.execute(text("ANALYZE delivery"))


def pass_gate(
    session: Session, lease: Lease, subscriber_ids: Sequence[int], now: datetime, lease_for: timedelta
) -> set[int] | None:
    """Mark these deliveries HANDING_OVER where the gate still says "send"; returns the subscribers who passed.
    None means that this worker may hand over nothing more of the slice.

    The last word before the bytes leave: a STOP, a pause, a cancel, an expiry or a lost lease that was
    committed before this statement wins. Those refused become SKIPPED with the reason. Renews the lease.
    """
    held = session.execute(
        update(Slice)
        .where(Slice.broadcast_id == lease.broadcast_id, Slice.seq == lease.seq, Slice.epoch == lease.epoch)
        .where(
            exists().where(
                Broadcast.id == lease.broadcast_id,
                Broadcast.state == _SENDING,
                Sender.id == Broadcast.sender_id,
                Sender.paused_at.is_(None),
            )
        )
        .values(lease_until=now + lease_for)
    )
    if changed(held) != 1:
        return None
    expires = select(Broadcast.expires_at).where(Broadcast.id == lease.broadcast_id).scalar_subquery()
    answer = (
        select(
            # By Subscriber.id: a Delivery in there would not be the row being updated but any delivery at all.
            audience.refusal(audience.consent_seq(lease.broadcast_id, Subscriber.id), expires, now)
        )
        .where(Subscriber.id == Delivery.subscriber_id)
        .correlate(Delivery)
        .scalar_subquery()
    )
    rows = session.execute(
        update(Delivery)
        .where(
            Delivery.broadcast_id == lease.broadcast_id,
            Delivery.inbound_id == 0,
            Delivery.slice == lease.seq,  # so that the index on slices reads one slice at most
            Delivery.subscriber_id.in_(subscriber_ids),
            Delivery.status == _PENDING,
        )
        .values(
            status=case((answer.is_(None), _HANDING), else_=DeliveryStatus.SKIPPED.value),
            reason=answer,
            attempts=Delivery.attempts + 1,
            updated_at=now,
        )
        .returning(Delivery.subscriber_id, Delivery.status),
        execution_options={"synchronize_session": False},
    )
    return {subscriber_id for subscriber_id, status in rows if status == _HANDING}


def finish_slice(session: Session, lease: Lease, state: str) -> None:
    """Give the slice back: `done`, or `open` when the worker leaves before its end."""
    session.execute(
        update(Slice)
        .where(Slice.broadcast_id == lease.broadcast_id, Slice.seq == lease.seq, Slice.epoch == lease.epoch)
        .values(state=state, lease_until=None, worker=None)
    )


def claim_replies(session: Session, broadcast_id: int, now: datetime, limit: int) -> list[Person]:
    """Take waiting replies of a sender, oldest first, and mark them HANDING_OVER.

    A confirmation of STOP later than five minutes after the word is not sent any more: from then on the sender
    would have to justify it (47 CFR 64.1200(a)(12)). Other answers are dropped after an hour.
    """
    key = (Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
    waiting = (
        select(*key)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.slice.is_(None),
            Delivery.status == _PENDING,
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
    return [
        Person(
            DeliveryRef(broadcast_id, person.id, inbound.id),
            person.channel,
            person.address,
            {},
            attempts,
            inbound.reply_text,
        )
        for inbound, person, attempts in ready
    ]


def _patience(reply_kind: str | None) -> timedelta:
    return timedelta(minutes=5) if reply_kind in ("stopped", "stopped_list") else timedelta(hours=1)


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


@dataclass(frozen=True)
class Settlement:
    """What to write for one delivery after its hand-over. `due_at` with PENDING means: try again then."""

    ref: DeliveryRef
    status: DeliveryStatus
    provider_id: str | None = None
    reason: str | None = None
    error_code: str | None = None
    due_at: datetime | None = None
    attempt_counts: bool = True


_OPEN = or_(Delivery.status == literal(_HANDING), Delivery.status == literal(_UNKNOWN))
_SETTLE = (
    update(Delivery.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed as FromClause
    .where(
        Delivery.broadcast_id == bindparam("b_broadcast"),
        Delivery.subscriber_id == bindparam("b_subscriber"),
        Delivery.inbound_id == bindparam("b_inbound"),
    )
    .values(
        # A receipt may have come first; it knows more than the answer to the hand-over.
        status=case((_OPEN, bindparam("b_status", type_=Delivery.status.type)), else_=Delivery.status),
        reason=case((_OPEN, bindparam("b_reason", type_=Delivery.reason.type)), else_=Delivery.reason),
        error_code=func.coalesce(bindparam("b_code", type_=Delivery.error_code.type), Delivery.error_code),
        provider_id=func.coalesce(
            bindparam("b_provider", type_=Delivery.provider_id.type), Delivery.provider_id
        ),
        due_at=bindparam("b_due", type_=Delivery.due_at.type),
        attempts=Delivery.attempts - bindparam("b_uncounted"),
        updated_at=bindparam("b_now", type_=Delivery.updated_at.type),
    )
)


def settle(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what became of hand-overs, in one round trip."""
    if settlements:
        rows = [_settle_params(one, now) for one in sorted(settlements, key=lambda one: one.ref)]
        session.connection().execute(_SETTLE, rows)


def _settle_params(one: Settlement, now: datetime) -> dict[str, Any]:
    return {
        "b_broadcast": one.ref.broadcast_id,
        "b_subscriber": one.ref.subscriber_id,
        "b_inbound": one.ref.inbound_id,
        "b_status": one.status.value,
        "b_reason": one.reason,
        "b_code": one.error_code,
        "b_provider": one.provider_id,
        "b_due": one.due_at,
        "b_uncounted": 0 if one.attempt_counts else 1,
        "b_now": now,
    }


def apply_receipt(
    session: Session,
    ref: DeliveryRef,
    status: DeliveryStatus,
    overwrites: Sequence[DeliveryStatus],
    *,
    provider_id: str,
    error_code: str | None,
    reason: str | None,
    sender_id: int,
    now: datetime,
) -> bool:
    """Move one delivery forward to `status` if it stands at one of `overwrites`; tells whether it moved.

    Only a delivery of this sender: a provider account may not speak about another's deliveries.
    """
    done = session.execute(
        update(Delivery)
        .where(
            tuple_(Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
            == (ref.broadcast_id, ref.subscriber_id, ref.inbound_id),
            Delivery.status.in_([one.value for one in overwrites]),
            exists().where(Broadcast.id == ref.broadcast_id, Broadcast.sender_id == sender_id),
        )
        .values(
            status=status.value, provider_id=provider_id, error_code=error_code, reason=reason, updated_at=now
        ),
        execution_options={"synchronize_session": False},
    )
    return changed(done) > 0
