"""What is left of a broadcast that was stopped for good: whoever has not had it is skipped, a few slices at a time.

Nothing of it leaves any more, for that it is canceled was committed before. A lane that is claiming a slice holds the
slice's row; whoever waits for it here sees what it claimed. Rows are locked in the order of the whole product:
broadcast, slices by their number, deliveries.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.services.figures import no_files
from app.storage import audience
from app.storage.claim import claim_rows
from app.storage.database import transaction
from app.storage.models import Broadcast, Delivery, Slice

SLICES_AT_ONCE: Final = 20


def end_canceled(broadcast_id: int, now: datetime) -> None:
    """Skip everybody who has not had a canceled broadcast; harmless when it was done already."""
    while _skip_some(broadcast_id, now):
        pass


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
    """Tell whether there is more to do."""
    with transaction() as session:
        broadcast = session.get_one(Broadcast, broadcast_id, with_for_update=True)
        if broadcast.state != BroadcastState.CANCELED.value or broadcast.finished_at is not None:
            return False
        still_open = select(Slice).where(Slice.broadcast_id == broadcast_id, Slice.state != "done")
        some = still_open.order_by(Slice.seq).limit(SLICES_AT_ONCE).with_for_update()
        parts = session.scalars(some).all()
        for part in parts:
            if part.lo is not None and part.hi is not None:
                claim_rows(session, broadcast, part, now, cancel=True)
            part.state = "done"
        if not parts:
            _finish(session, broadcast, now)
        return bool(parts)


def _finish(session: Session, broadcast: Broadcast, now: datetime) -> None:
    """Skip those who were claimed and wait; nobody claims any more."""
    session.execute(
        update(Delivery)
        .where(Delivery.broadcast_id == broadcast.id, Delivery.status == DeliveryStatus.PENDING.value)
        .values(
            status=DeliveryStatus.SKIPPED.value, reason=SkipReason.CANCELED.value, due_at=None, updated_at=now
        )
    )
    if broadcast.corrects_id is not None:
        broadcast.audience = audience.counted(session, broadcast.id)
    broadcast.finished_at = now
    no_files.keep(session, broadcast)
