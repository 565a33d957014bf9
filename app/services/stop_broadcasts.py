"""Pause, resume or cancel a broadcast that is on its way."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.services import comments
from app.services.audit import note
from app.services.brake_samples import sample_of
from app.services.broadcast_rows import broadcast_for_change, move, refuse_if_corrected
from app.services.controller import Refused
from app.services.figures import no_files
from app.storage import audience
from app.storage.claim import claim_rows
from app.storage.database import transaction
from app.storage.models import Broadcast, Delivery, Slice


def pause(broadcast_id: int, *, by: str, reason: str, now: datetime) -> None:
    """Hold a broadcast that is being sent; what is on the wire is not called back."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        move(broadcast, BroadcastState.PAUSED, by, now, reason)
        note(session, by, "broadcast.pause", f"broadcast {broadcast_id}", now, reason=reason)


def resume(broadcast_id: int, *, by: str, now: datetime) -> None:
    """Go on with a paused broadcast. Its freshness still counts from the planned moment, its brakes from now."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state != BroadcastState.PAUSED.value:
            raise Refused(f"This broadcast is {broadcast.state}, not paused.")
        refuse_if_corrected(session, broadcast_id)
        move(broadcast, BroadcastState.SENDING, by, now)
        broadcast.brake_base = sample_of(session, broadcast).as_dict()
        note(session, by, "broadcast.resume", f"broadcast {broadcast_id}", now)


def cancel(broadcast_id: int, *, by: str, now: datetime) -> None:
    """End a broadcast for good: whoever has not had it is skipped, so that the sums still meet the audience."""
    with transaction() as session:
        cancel_in(session, broadcast_id, by=by, now=now)


def cancel_in(session: Session, broadcast_id: int, *, by: str, now: datetime) -> None:
    """Do what `cancel` does within the caller's transaction."""
    broadcast = broadcast_for_change(session, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT.value:
        comments.forget(session, broadcast_id)
    was_running = broadcast.state in (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)
    move(broadcast, BroadcastState.CANCELED, by, now)
    if was_running:
        _skip_the_rest(session, broadcast, now)
        if broadcast.corrects_id is not None:
            broadcast.audience = audience.counted(session, broadcast_id)
        broadcast.finished_at = now
        no_files.keep(session, broadcast)
    note(session, by, "broadcast.cancel", f"broadcast {broadcast_id}", now)


def _skip_the_rest(session: Session, broadcast: Broadcast, now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.broadcast_id == broadcast.id, Delivery.status == DeliveryStatus.PENDING.value)
        .values(
            status=DeliveryStatus.SKIPPED.value, reason=SkipReason.CANCELED.value, due_at=None, updated_at=now
        )
    )
    open_slices = session.scalars(
        select(Slice).where(Slice.broadcast_id == broadcast.id, Slice.state != "done")
    )
    for part in open_slices.all():
        if part.lo is not None and part.hi is not None:
            claim_rows(session, broadcast, part, now, cancel=True)
        part.state = "done"
