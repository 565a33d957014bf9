"""What is left of a broadcast that was stopped for good: whoever has not had it is skipped, a few slices at a time.

Nothing of it leaves any more, for that it is canceled was committed before. A lane that is claiming a slice holds the
slice's row; whoever waits for it here sees what it claimed. The broadcast's own row is locked only when all else is
done: whoever writes answers locks it first, and shall not wait for a million rows.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.services.figures import no_files
from app.storage import audience, in_place
from app.storage.claim import claim_rows
from app.storage.database import transaction
from app.storage.models import Broadcast, Delivery, Slice

SLICES_AT_ONCE: Final = 20


def end_canceled(broadcast_id: int, now: datetime) -> None:
    """Skip everybody who has not had a canceled broadcast; nothing for any other, and for one that is ended."""
    with transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id)
        if broadcast.state != BroadcastState.CANCELED.value or broadcast.finished_at is not None:
            return
    while _skip_some(broadcast_id, now):
        pass
    _skip_the_claimed(broadcast_id, now)
    _finish(broadcast_id, now)


def end_all_canceled(now: datetime) -> list[int]:
    """Do it for every broadcast at which a process died between stopping it and this; returns their ids."""
    with transaction() as session:
        halfway = select(Broadcast.id).where(
            Broadcast.state == BroadcastState.CANCELED.value,
            Broadcast.started_at.is_not(None),
            Broadcast.finished_at.is_(None),
        )
        ids = list(session.scalars(halfway))
    for broadcast_id in ids:
        end_canceled(broadcast_id, now)
    return ids


def _skip_some(broadcast_id: int, now: datetime) -> bool:
    """Skip the people of some slices; tells whether there were any."""
    with transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id)
        still_open = select(Slice).where(Slice.broadcast_id == broadcast_id, Slice.state != "done")
        some = still_open.order_by(Slice.seq).limit(SLICES_AT_ONCE).with_for_update()
        parts = session.scalars(some).all()
        for part in parts:
            if part.lo is not None and part.hi is not None:
                claim_rows(session, broadcast, part, now, cancel=True)
            part.state = "done"
        return bool(parts)


def _skip_the_claimed(broadcast_id: int, now: datetime) -> None:
    """Skip those who were claimed and wait; nobody claims any more."""
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.status == DeliveryStatus.PENDING.value)
            .values(
                status=DeliveryStatus.SKIPPED.value,
                reason=SkipReason.CANCELED.value,
                due_at=None,
                updated_at=now,
            )
        )


def _finish(broadcast_id: int, now: datetime) -> None:
    with transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id, with_for_update=True)
        if broadcast.finished_at is None:
            if broadcast.corrects_id is not None:
                broadcast.audience = audience.counted(session, broadcast_id)
            broadcast.finished_at = now
            no_files.keep(session, broadcast)
            in_place.keep_count(session, broadcast)
