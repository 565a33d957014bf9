"""The lane's statements: lease a slice, read its people, pass the gate once more at the door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, or_, select, update
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.storage import audience
from app.storage.database import changed
from app.storage.holding import Limits, hold_back
from app.storage.models import Broadcast, BroadcastVariant, Delivery, Sender, Slice, Subscriber

_SENDING = BroadcastState.SENDING.value
_PENDING = DeliveryStatus.PENDING.value
_HANDING = DeliveryStatus.HANDING_OVER.value
_UNKNOWN = DeliveryStatus.UNKNOWN.value


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
        select(Slice, Broadcast, BroadcastVariant.text)
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .join(Sender, Sender.id == Slice.sender_id)
        .outerjoin(
            BroadcastVariant,
            and_(BroadcastVariant.broadcast_id == Broadcast.id, BroadcastVariant.channel == Sender.channel),
        )
        .where(Sender.id == sender_id, Sender.paused_at.is_(None), Broadcast.state == _SENDING, free)
        .order_by(Slice.seq, Slice.broadcast_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Slice)
    ).first()
    if row is None:
        return None
    part, broadcast, variant = row
    part.state, part.worker, part.epoch, part.lease_until = "leased", worker, part.epoch + 1, now + lease_for
    session.flush()
    return Lease(broadcast.id, part.seq, part.epoch, variant or broadcast.text), part, broadcast


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


_MAY_HAND_OVER = (
    update(Slice.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed as FromClause
    .where(
        Slice.broadcast_id == bindparam("b_broadcast"),
        Slice.seq == bindparam("b_slice"),
        Slice.epoch == bindparam("b_epoch"),
        exists().where(Broadcast.id == bindparam("b_broadcast"), Broadcast.state == _SENDING),
        exists().where(Sender.id == Slice.sender_id, Sender.paused_at.is_(None)),
    )
    .values(lease_until=bindparam("b_lease_until", type_=Slice.lease_until.type))
)
_EXPIRES = select(Broadcast.expires_at).where(Broadcast.id == bindparam("b_broadcast")).scalar_subquery()
_ANSWER = (
    select(
        # By Subscriber.id: a Delivery in there would not be the row being updated but any delivery at all.
        audience.refusal(
            audience.consent_seq(bindparam("b_broadcast"), Subscriber.id),
            _EXPIRES,
            bindparam("b_now", type_=Delivery.updated_at.type),
        )
    )
    .where(Subscriber.id == Delivery.subscriber_id)
    .correlate(Delivery)
    .scalar_subquery()
)
# Built once: putting it together for every window would cost the worker more than sending does.
_GATE = (
    update(Delivery.__table__)  # type: ignore[arg-type]  # as above
    .where(
        Delivery.broadcast_id == bindparam("b_broadcast"),
        Delivery.inbound_id == 0,
        Delivery.slice == bindparam("b_slice"),
        Delivery.subscriber_id.in_(bindparam("b_people", expanding=True)),
        Delivery.status == _PENDING,
    )
    .values(
        status=case((_ANSWER.is_(None), _HANDING), else_=DeliveryStatus.SKIPPED.value),
        reason=_ANSWER,
        attempts=Delivery.attempts + 1,
        updated_at=bindparam("b_now", type_=Delivery.updated_at.type),
    )
    .returning(Delivery.subscriber_id, Delivery.status)
)


def pass_gate(
    session: Session,
    lease: Lease,
    subscriber_ids: Sequence[int],
    now: datetime,
    lease_for: timedelta,
    limits: Limits,
) -> set[int] | None:
    """Mark these deliveries HANDING_OVER where the gate still says "send"; returns the subscribers who passed.
    None means that this worker may hand over nothing more of the slice.

    The last word before the bytes leave: a STOP, a pause, a cancel, an expiry or a lost lease that was
    committed before this statement wins. Those refused become SKIPPED with the reason; those whom `limits` hold
    back wait, or are skipped. Renews the lease.
    """
    connection = session.connection()
    part = {"b_broadcast": lease.broadcast_id, "b_slice": lease.seq}
    held = connection.execute(
        _MAY_HAND_OVER, part | {"b_epoch": lease.epoch, "b_lease_until": now + lease_for}
    )
    if changed(held) != 1:
        return None
    held_back = hold_back(session, lease.broadcast_id, lease.seq, limits, now, subscriber_ids)
    people = [one for one in subscriber_ids if one not in held_back]
    rows = connection.execute(_GATE, part | {"b_people": people, "b_now": now})
    return {subscriber_id for subscriber_id, status in rows if status == _HANDING}


def finish_slice(session: Session, lease: Lease, state: str) -> None:
    """Give the slice back: `done`, or `open` when the worker leaves before its end."""
    session.execute(
        update(Slice)
        .where(Slice.broadcast_id == lease.broadcast_id, Slice.seq == lease.seq, Slice.epoch == lease.epoch)
        .values(state=state, lease_until=None, worker=None)
    )
