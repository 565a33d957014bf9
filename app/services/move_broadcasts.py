"""Move a broadcast that waits for its time to another: everything is checked as if it were scheduled anew."""

from datetime import datetime

from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, move
from app.services.controller import Refused
from app.services.schedule_broadcasts import schedule_in
from app.storage.database import transaction


def move_to(
    broadcast_id: int,
    *,
    at: datetime | None,
    local_at: datetime | None = None,
    by: str,
    now: datetime,
    over_cap_reason: str = "",
) -> datetime:
    """Let it go at the UTC instant `at`, or at `local_at` on each person's own clock; returns when the first get it.

    Its zone, its first wave and a reason given before stay. Moving it back undoes it. Raises `NotFound`, and `Refused`
    for one that does not wait, or for what `schedule` refuses; it then keeps its time.
    """
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state != BroadcastState.SCHEDULED:
            raise Refused(
                f"This broadcast is {broadcast.state}; only one that waits for its time can be moved."
            )
        before, reason = broadcast.next_at, over_cap_reason.strip() or broadcast.over_cap_reason
        move(broadcast, BroadcastState.DRAFT, by, now)
        session.flush()
        instant = schedule_in(
            session,
            broadcast_id,
            at=at,
            local_at=local_at,
            zone=broadcast.zone,
            by=by,
            now=now,
            over_cap_reason=reason or "",
            first_percent=broadcast.first_percent,
        )
        note(
            session,
            by,
            "broadcast.move",
            f"broadcast {broadcast_id}",
            now,
            before=before.isoformat() if before else None,
            at=instant.isoformat(),
        )
        return instant
