"""The lane's statements: lease a slice, read its people, ask at the door whether they may still leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Update, and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.domain.wording import Wording
from app.storage import gate
from app.storage.database import OwnConnection, Statement, changed
from app.storage.holding import Limits, hold_back
from app.storage.models import Broadcast, Delivery, LedgerHead, Sender, Slice, Subscriber
from app.storage.models.people import route_key
from app.storage.variants import wording_of

_SENDING = BroadcastState.SENDING.value
_PENDING = DeliveryStatus.PENDING.value


@dataclass(frozen=True)
class Lease:
    """A slice in one worker's hands. `epoch` fences off whoever held it before; `wording` is its channel's."""

    broadcast_id: int
    seq: int
    epoch: int
    wording: Wording
    urgent: bool = False


class Lost(NamedTuple):
    """A slice whose holder let something out and never came back: under `epoch`, up to subscriber `reached`."""

    broadcast_id: int
    seq: int
    epoch: int
    reached: int


class Person(NamedTuple):
    """One claimed recipient: the delivery, where to (`route` and `reply_token` as in `Recipient`), and the values of
    placeholders."""

    ref: DeliveryRef
    channel: str
    address: str
    attributes: Mapping[str, Any]
    attempts: int = 0
    text: str | None = None
    route: str = ""
    reply_token: str = ""


def lease_slice(
    session: Session,
    sender_id: int,
    worker: str,
    now: datetime,
    lease_for: timedelta,
    without: Sequence[int] = (),
) -> tuple[Lease, Slice, Broadcast] | None:
    """Take the next open slice of a sender, or one whose holder let the lease run out; None when there is none.

    Those of urgent broadcasts come first; the broadcasts in `without` are left out.
    """
    free = or_(Slice.state == "open", and_(Slice.state == "leased", Slice.lease_until < now))
    row = session.execute(
        select(Slice, Broadcast, Sender.channel)
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .join(Sender, Sender.id == Slice.sender_id)
        .where(Sender.id == sender_id, Sender.paused_at.is_(None), Broadcast.state == _SENDING, free)
        .where(*([Broadcast.id.not_in(without)] if without else []))
        .order_by(Broadcast.urgent.desc(), Slice.seq, Slice.broadcast_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Slice)
    ).first()
    if row is None:
        return None
    part, broadcast, channel = row
    part.state, part.worker, part.epoch, part.lease_until = "leased", worker, part.epoch + 1, now + lease_for
    session.flush()
    words = wording_of(session, broadcast, channel)
    lease = Lease(broadcast.id, part.seq, part.epoch, words, broadcast.urgent)
    return lease, part, broadcast


def leased(session: Session, lease: Lease) -> tuple[Slice, Broadcast] | None:
    """Return the slice of a lease and its broadcast in a further transaction; None when it is not ours any more."""
    part = session.get_one(Slice, (lease.broadcast_id, lease.seq), with_for_update=True)
    return (part, session.get_one(Broadcast, lease.broadcast_id)) if part.epoch == lease.epoch else None


def lost_of(part: Slice) -> Lost | None:
    """Return what a holder of this slice never came back from; None when everything is settled."""
    if part.reached is None or part.reached_epoch is None:
        return None
    return Lost(part.broadcast_id, part.seq, part.reached_epoch, part.reached)


def people_of(
    session: Session, lease: Lease, names: Sequence[str] = (), *, routed_by: int | None = None
) -> list[Person]:
    """Return the slice's recipients that wait to be handed over, in a stable order, with the attributes in `names`.

    Their routes to the sender `routed_by` come along; None: its gateway needs none.
    """
    names = tuple(names) if routed_by is None else (*names, route_key(routed_by))
    which = {"b_broadcast": lease.broadcast_id, "b_slice": lease.seq}
    rows = session.connection().execute(_people_with(names), which)
    broadcast_id = lease.broadcast_id
    return [
        Person(
            DeliveryRef(broadcast_id, subscriber_id),
            channel,
            address,
            dict(zip(names, values, strict=True)) if names else {},
            attempts,
            route="" if routed_by is None else values[-1],
        )
        for subscriber_id, channel, address, attempts, *values in rows
    ]


def languages_of(session: Session, lease: Lease) -> dict[int, str]:
    """Return subscriber id -> language of the slice's recipients that wait to be handed over."""
    which = {"b_broadcast": lease.broadcast_id, "b_slice": lease.seq}
    rows = session.connection().execute(_LANGUAGES, which)
    return {subscriber_id: language for subscriber_id, language in rows}


_WAITING = and_(
    Delivery.broadcast_id == bindparam("b_broadcast"),
    Delivery.slice == bindparam("b_slice"),
    Delivery.status == _PENDING,
    Delivery.due_at.is_(None),
)
_LANGUAGES = (
    select(Delivery.subscriber_id, Subscriber.language)
    .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    .where(_WAITING)
)


@lru_cache(maxsize=256)
def _people_with(names: tuple[str, ...]) -> Select[Any]:
    values = [func.coalesce(Subscriber.attributes[name].as_string(), "") for name in names]
    return (
        select(Delivery.subscriber_id, Subscriber.channel, Subscriber.address, Delivery.attempts, *values)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(_WAITING)
        .order_by(Delivery.subscriber_id)
    )


_STANDING = (
    "SELECT (SELECT SUM(h.seq) FROM ledger_head h) FROM slice s "
    "JOIN broadcast b ON b.id = s.broadcast_id JOIN sender p ON p.id = s.sender_id "
    "WHERE s.broadcast_id = {0} AND s.seq = {0} AND s.epoch = {0} AND b.state = 'sending' AND p.paused_at IS NULL"
)


def ledger_end(session: Session) -> int:
    """Return the number that moves with every consent event."""
    return int(session.scalar(select(func.sum(LedgerHead.seq))) or 0)


# The bound for those who come after a machine that is gone, and its journal with it.
_REACH = (
    "UPDATE slice SET reached_epoch = epoch, reached = {0} "
    "WHERE broadcast_id = {0} AND seq = {0} AND epoch = {0} RETURNING seq"
)


_REPLIES_WAIT = (
    "SELECT 1 FROM delivery "
    "WHERE slice IS NULL AND broadcast_id = {0} AND status = 0 AND inbound_id > 0 LIMIT 1"
)
# By the index that holds nothing but urgent broadcasts, of which there is none most of the time: SQLite begins a cross
# join with its first table, and would otherwise read every open slice.
_URGENT = (
    "SELECT s.seq FROM broadcast b CROSS JOIN slice s WHERE b.urgent AND b.state = 'sending' "
    "AND s.broadcast_id = b.id AND s.sender_id = {0} AND s.state = 'open' LIMIT 1"
)


class Door:
    """Asked before every window whether a slice may still go on; by hand, for it is asked all the time. Only reads."""

    def __init__(self) -> None:
        self._connection = OwnConnection()
        self._standing = Statement(self._connection, "door_standing", _STANDING)
        self._replies_wait = Statement(self._connection, "door_replies_wait", _REPLIES_WAIT)
        self._urgent = Statement(self._connection, "door_urgent", _URGENT)

    def replies_wait(self, replies_id: int) -> bool:
        """Tell whether an answer of this sender to somebody waits to be handed over, now or later."""
        return self._replies_wait.first(replies_id) is not None

    def ledger_end(self, lease: Lease) -> int | None:
        """Return the end of the ledger if the slice is ours, its broadcast is being sent and its sender open."""
        row = self._standing.first(lease.broadcast_id, lease.seq, lease.epoch)
        return None if row is None else int(row[0] or 0)

    def urgent_waits(self, sender_id: int) -> bool:
        """Tell whether a slice of an urgent broadcast is open for a sender."""
        return self._urgent.first(sender_id) is not None

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class Watermark:
    """Says in SQL, ahead of them, up to whom of a slice something may leave; by hand, as the door."""

    def __init__(self) -> None:
        self._connection = OwnConnection()
        self._reach = Statement(self._connection, "watermark", _REACH)

    def write(self, lease: Lease, subscriber_id: int) -> None:
        """Write it for a slice that is still ours."""
        self._reach.first(subscriber_id, lease.broadcast_id, lease.seq, lease.epoch)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def renew(session: Session, lease: Lease, lease_until: datetime) -> None:
    """Keep the slice for some time more."""
    session.execute(
        update(Slice)
        .where(Slice.broadcast_id == lease.broadcast_id, Slice.seq == lease.seq, Slice.epoch == lease.epoch)
        .values(lease_until=lease_until)
    )


_EXPIRES = select(Broadcast.expires_at).where(Broadcast.id == bindparam("b_broadcast")).scalar_subquery()
_NOW = bindparam("b_now", type_=Delivery.updated_at.type)
_WROTE_SINCE = bindparam("b_wrote_since", type_=Delivery.updated_at.type)
_WINDOW = and_(
    Delivery.broadcast_id == bindparam("b_broadcast"),
    Delivery.inbound_id == 0,
    Delivery.slice == bindparam("b_slice"),
    Delivery.subscriber_id.in_(bindparam("b_people", expanding=True)),
    Delivery.status == _PENDING,
)
_STILL_WAIT = select(Delivery.subscriber_id).where(_WINDOW, Delivery.due_at.is_(None))


# Built once: putting it together for every window would cost the worker more than sending does.
@lru_cache(maxsize=256)
def _refuse(way: gate.Way) -> Update:
    answer = (
        select(
            # By Subscriber.id: a Delivery in there would not be the row being updated but any delivery at all.
            gate.refusal(
                gate.consent_seq(bindparam("b_broadcast"), Subscriber.id),
                _EXPIRES,
                _NOW,
                gate.closed_to([way], {way.sender_id: _WROTE_SINCE}),
            )
        )
        .where(Subscriber.id == Delivery.subscriber_id)
        .correlate(Delivery)
        .scalar_subquery()
    )
    return (
        update(Delivery.__table__)  # type: ignore[arg-type]  # as above
        .where(_WINDOW, answer.is_not(None))
        .values(status=DeliveryStatus.SKIPPED.value, reason=answer, updated_at=_NOW)
    )


def pass_gate(
    session: Session,
    lease: Lease,
    subscriber_ids: Sequence[int],
    now: datetime,
    limits: Limits,
    way: gate.Way,
) -> set[int]:
    """Skip those of a slice whom the gate refuses now; returns who may still be sent to.

    Those refused become SKIPPED with the reason; those whom `limits` hold back wait, or are skipped.
    """
    hold_back(session, lease.broadcast_id, lease.seq, limits, now, subscriber_ids)
    window = {"b_broadcast": lease.broadcast_id, "b_slice": lease.seq, "b_people": list(subscriber_ids)}
    connection = session.connection()
    since = {} if way.path.within is None else {"b_wrote_since": now - way.path.within}
    connection.execute(_refuse(way), {**window, "b_now": now, **since})
    return set(connection.execute(_STILL_WAIT, window).scalars())


def finish_slice(session: Session, lease: Lease, state: str) -> bool:
    """Give the slice back, with everything settled: `done`, or `open` when the worker leaves before its end.

    False when it was not ours any more. A slice of what was canceled meanwhile is done, and stays so.
    """
    done = session.execute(
        update(Slice)
        .where(Slice.broadcast_id == lease.broadcast_id, Slice.seq == lease.seq, Slice.epoch == lease.epoch)
        .values(
            state=case((Slice.state == "done", "done"), else_=state),
            lease_until=None,
            worker=None,
            reached=None,
            reached_epoch=None,
        )
    )
    return changed(done) == 1
