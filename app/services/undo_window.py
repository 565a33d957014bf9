"""The seconds after *Send now* in which nothing leaves yet, and one press takes the broadcast back."""

from datetime import datetime, timedelta

from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change
from app.services.controller import Refused
from app.storage.database import transaction
from app.storage.models import Broadcast


def seconds_left(broadcast: Broadcast, window: timedelta, now: datetime) -> int | None:
    """Return the whole seconds until a broadcast that was sent "now" begins; None for every other one.

    One that was scheduled for later is not sent early by mistake: it must have been planned within the window.
    """
    if broadcast.state != BroadcastState.SCHEDULED or broadcast.local_at is not None:
        return None
    if broadcast.next_at is None or broadcast.state_at is None:
        return None
    if broadcast.next_at - broadcast.state_at > window:
        return None
    return max(0, int((broadcast.next_at - now).total_seconds()))


def skip(broadcast_id: int, *, window: timedelta, by: str, now: datetime) -> None:
    """Let such a broadcast be due at once. Raises `Refused` for one that waits for a time of its own, or has begun."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if seconds_left(broadcast, window, now) is None:
            raise Refused("This broadcast does not wait to be taken back; it goes at its time, or has gone.")
        if broadcast.next_at is not None and broadcast.next_at > now:
            broadcast.next_at = now
        note(session, by, "broadcast.start", f"broadcast {broadcast_id}", now)
