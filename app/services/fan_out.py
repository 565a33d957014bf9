"""What the clock asks for each second: open what is due, bring back what is to be tried again, end what is done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.domain.statuses import WORKER_DIED, BroadcastState, DeliveryStatus
from app.services import comments, plan_slices, quotas
from app.services.controller import Controller
from app.services.figures import no_files
from app.services.hear_platform import stop_if_lost
from app.storage import audience, headcounts, in_place, tallies
from app.storage.consent import lock_head
from app.storage.database import changed, transaction
from app.storage.models import Broadcast, Delivery, Sender, Slice
from app.storage.ways import ways_of_broadcast

# A reply that a dead worker had in its hands has no slice whose lease runs out; after this it is unknown.
REPLY_GIVEN_UP_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Opened:
    """A broadcast that became due: sent to `audience` people, or expired before it could start,
    or paused as a template of it is gone.

    Of a large list or a segment, these are the people of its first slices.
    """

    broadcast_id: int
    state: BroadcastState
    audience: int


def open_due(*, controller: Controller, now: datetime) -> list[Opened]:
    """Start every broadcast whose time has come: freeze its audience and write its first slices.

    One that comes too late (the machine was down) expires instead: stale news is worse than none.
    """
    with transaction() as session:
        due = session.scalars(
            select(Broadcast.id)
            .where(Broadcast.state == BroadcastState.SCHEDULED.value, Broadcast.next_at <= now)
            .order_by(Broadcast.next_at)
        ).all()
    opened = [_open(broadcast_id, controller, now) for broadcast_id in due]
    return [one for one in opened if one is not None]


def open_now(broadcast_id: int, *, controller: Controller, now: datetime) -> Opened | None:
    """Start one broadcast whose time has come without waiting for the clock; None when it has begun already."""
    return _open(broadcast_id, controller, now)


def _open(broadcast_id: int, controller: Controller, now: datetime) -> Opened | None:
    with transaction() as session:
        # Under the ledger's lock nobody joins or leaves between the count and the freeze.
        head = lock_head(session, controller.ledger)
        claimed = session.execute(
            update(Broadcast)
            .where(Broadcast.id == broadcast_id, Broadcast.state == BroadcastState.SCHEDULED.value)
            .values(state=BroadcastState.SENDING.value, started_at=now, state_at=now, as_of_seq=head.seq)
        )
        if changed(claimed) != 1:
            return None
        comments.forget(session, broadcast_id)  # nobody reads them any more
        broadcast = session.get_one(Broadcast, broadcast_id)
        if broadcast.expires_at is not None and now >= broadcast.expires_at:
            broadcast.state, broadcast.finished_at, broadcast.audience = BroadcastState.EXPIRED.value, now, 0
            broadcast.state_by = "system"
            broadcast.state_reason = "Its time had passed when the system came to it, so nothing was sent."
            return Opened(broadcast_id, BroadcastState.EXPIRED, 0)
        plan_slices.begin(session, broadcast, controller)
        if broadcast.tests_id is None:
            stop_if_lost(session, broadcast, now)
        return Opened(broadcast_id, BroadcastState(broadcast.state), broadcast.audience or 0)


def bring_back(now: datetime) -> int:
    """Put deliveries whose time for another try has come into slices of their own; returns how many slices."""
    with transaction() as session:
        due = session.scalars(
            select(Delivery.broadcast_id)
            .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
            .where(
                Delivery.status == DeliveryStatus.PENDING.value,
                Delivery.due_at.is_not(None),
                Delivery.due_at <= now,
                Broadcast.state == BroadcastState.SENDING.value,
            )
            .distinct()
        ).all()
        return sum(_retry_slices(session, broadcast_id, now) for broadcast_id in due)


def _retry_slices(session: Session, broadcast_id: int, now: datetime) -> int:
    """Move a broadcast's deliveries that are due into new slices; none when another clock has just done so."""
    # Two clocks that read the same last number would both write the next one.
    broadcast = session.get_one(Broadcast, broadcast_id, with_for_update=True, populate_existing=True)
    if broadcast.state != BroadcastState.SENDING.value:
        return 0  # somebody stopped it meanwhile
    last = session.scalar(select(func.max(Slice.seq)).where(Slice.broadcast_id == broadcast_id))
    seq = (last if last is not None else -1) + 1
    slices = 0
    senders = ways_of_broadcast(session, broadcast_id).values()
    sizes = quotas.slice_sizes(session, senders)
    for sender_id in senders:
        size = sizes.get(sender_id, audience.SLICE_SIZE)
        while _move_due(session, broadcast_id, sender_id, seq + slices, size, now):
            session.add(
                Slice(broadcast_id=broadcast_id, seq=seq + slices, sender_id=sender_id, state="open", epoch=0)
            )
            session.flush()
            slices += 1
    return slices


def _move_due(session: Session, broadcast_id: int, sender_id: int, seq: int, size: int, now: datetime) -> int:
    """Move as many deliveries as one slice holds; after a night with the clock down a million may be due at once."""
    due = (
        Delivery.broadcast_id == broadcast_id,
        Delivery.status == DeliveryStatus.PENDING.value,
        Delivery.due_at <= now,
        exists().where(
            Slice.broadcast_id == broadcast_id, Slice.seq == Delivery.slice, Slice.sender_id == sender_id
        ),
    )
    some = select(Delivery.subscriber_id).where(*due).order_by(Delivery.subscriber_id).limit(size)
    return changed(
        session.execute(
            update(Delivery)
            .where(*due, Delivery.subscriber_id.in_(some.scalar_subquery()))
            .values(slice=seq, due_at=None, updated_at=now),
            execution_options={"synchronize_session": False},
        )
    )


def end_finished(now: datetime) -> list[int]:
    """Mark broadcasts finished in which nobody waits any more; returns their ids."""
    all_done = ~exists().where(Slice.broadcast_id == Broadcast.id, Slice.state != "done")
    with transaction() as session:
        candidates = session.scalars(
            select(Broadcast)
            .where(Broadcast.state == BroadcastState.SENDING.value, Broadcast.planned_to.is_(None), all_done)
            .with_for_update()
        ).all()
        # Counted only for the few whose slices are done: in the others it would read every row, each second.
        finished = [
            one for one in candidates if not _anybody_waits(session, one.id) and not _is_late(session, one)
        ]
        for broadcast in finished:
            broadcast.state, broadcast.state_by = BroadcastState.FINISHED.value, "system"
            broadcast.finished_at = broadcast.state_at = now
            no_files.keep(session, broadcast)
            in_place.keep_count(session, broadcast)
        return [one.id for one in finished]


def _is_late(session: Session, broadcast: Broadcast) -> bool:
    """Tell whether a correction must still go to somebody of whom it was not known that they had the wrong one."""
    if broadcast.corrects_id is None:
        return False
    if _on_the_wire(session, broadcast.corrects_id):
        return True
    late = plan_slices.add_late(session, broadcast)
    broadcast.audience = audience.counted(session, broadcast.id)
    return late > 0


def _on_the_wire(session: Session, broadcast_id: int) -> bool:
    """Tell whether something of a broadcast may have left of which no worker has told yet."""
    out = Slice.reached.is_not(None)
    return (
        session.execute(select(Slice.seq).where(Slice.broadcast_id == broadcast_id, out).limit(1)).first()
        is not None
    )


def fold_tallies(now: datetime) -> int:
    """Keep the counts of each broadcast and each list in few rows; returns how many went."""
    with transaction() as session:
        return tallies.fold(session) + tallies.fold_resting(session, now) + headcounts.fold(session)


def _anybody_waits(session: Session, broadcast_id: int) -> bool:
    open_status = (DeliveryStatus.PENDING.value, DeliveryStatus.HANDING_OVER.value)
    waiting = select(Delivery.subscriber_id).where(
        Delivery.broadcast_id == broadcast_id, Delivery.status.in_(open_status)
    )
    return session.execute(waiting.limit(1)).first() is not None


def lanes_with_work(now: datetime) -> tuple[list[int], list[int]]:
    """Return the senders whose replies wait, and those with slices that nobody holds."""
    with transaction() as session:
        replies = session.scalars(
            select(Broadcast.sender_id).where(
                Broadcast.state == BroadcastState.REPLIES.value,
                exists().where(
                    Delivery.broadcast_id == Broadcast.id,
                    Delivery.slice.is_(None),  # lets the index find them among all replies ever sent
                    Delivery.status == DeliveryStatus.PENDING.value,
                    or_(Delivery.due_at.is_(None), Delivery.due_at <= now),
                ),
                _open_sender(Broadcast.sender_id),
            )
        ).all()
        slices = session.scalars(
            select(Slice.sender_id)
            .join(Broadcast, Slice.broadcast_id == Broadcast.id)
            .where(
                Broadcast.state == BroadcastState.SENDING.value,
                or_(Slice.state == "open", (Slice.state == "leased") & (Slice.lease_until < now)),
                _open_sender(Slice.sender_id),
            )
            .distinct()
        ).all()
    return [one for one in replies if one is not None], list(slices)


def _open_sender(sender_id: Any) -> ColumnElement[bool]:
    return exists().where(Sender.id == sender_id, Sender.paused_at.is_(None))


def leaseholders() -> set[str]:
    """Return the names of the workers that hold slices, or let something out that is not settled."""
    held = or_(Slice.state == "leased", Slice.reached.is_not(None))
    with transaction() as session:
        return {name for name in session.scalars(select(Slice.worker).where(held)) if name}


def leases_run_out(now: datetime) -> int:
    """Count the slices of broadcasts being sent whose holder let the lease run out: the next lane takes them."""
    with transaction() as session:
        found = session.scalar(
            select(func.count())
            .select_from(Slice)
            .join(Broadcast, Broadcast.id == Slice.broadcast_id)
            .where(
                Slice.state == "leased",
                Slice.lease_until < now,
                Broadcast.state == BroadcastState.SENDING.value,
            )
        )
    return found or 0


def take_from_dead(workers: Collection[str], now: datetime) -> int:
    """End the leases of workers that are known to be dead, so that their slices go on at once."""
    if not workers:
        return 0
    with transaction() as session:
        return changed(
            session.execute(
                update(Slice)
                .where(or_(Slice.state == "leased", Slice.reached.is_not(None)), Slice.worker.in_(workers))
                .values(lease_until=now - timedelta(seconds=1))
            )
        )


def give_up_replies(now: datetime) -> int:
    """Call UNKNOWN the replies that a dead worker had in its hands; returns how many."""
    standing = select(Broadcast.id).where(Broadcast.state == BroadcastState.REPLIES.value)
    with transaction() as session:
        return changed(
            session.execute(
                update(Delivery)
                .where(
                    Delivery.broadcast_id.in_(standing),
                    Delivery.status == DeliveryStatus.HANDING_OVER.value,
                    Delivery.updated_at < now - REPLY_GIVEN_UP_AFTER,
                )
                .values(status=DeliveryStatus.UNKNOWN.value, reason=WORKER_DIED, updated_at=now)
            )
        )
