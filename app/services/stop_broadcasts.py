"""Pause, resume or cancel a broadcast that is on its way."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.services import comments
from app.services.audit import note
from app.services.brake_samples import sample_of
from app.services.broadcast_rows import broadcast_for_change, move, refuse_if_corrected
from app.services.controller import Refused
from app.services.end_canceled import end_canceled
from app.storage.database import transaction


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
    """End a broadcast for good: whoever has not had it is skipped, so that the sums still meet the audience.

    That it is canceled is committed first: from then on nothing leaves, however long the rest takes.
    """
    with transaction() as session:
        was_running = cancel_in(session, broadcast_id, by=by, now=now)
    if was_running:
        end_canceled(broadcast_id, now)


def cancel_in(session: Session, broadcast_id: int, *, by: str, now: datetime) -> bool:
    """Cancel within the caller's transaction; tells whether `end_canceled` must follow once that is committed."""
    broadcast = broadcast_for_change(session, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT.value:
        comments.forget(session, broadcast_id)
    move(broadcast, BroadcastState.CANCELED, by, now)
    note(session, by, "broadcast.cancel", f"broadcast {broadcast_id}", now)
    return broadcast.started_at is not None
