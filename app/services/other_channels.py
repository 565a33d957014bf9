"""When a broadcast definitely failed on one channel of a person: the next channel that they linked takes over.

Only after FAILED: what was handed over, or whose outcome nobody knows, may have arrived, and twice is worse than late.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.linked import next_channels
from app.domain.messages import DeliveryRef
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.services.broadcast_rows import move
from app.storage import again, linked
from app.storage.claim import linked_of
from app.storage.models import Broadcast, Delivery
from app.storage.ways import ways_gone_by

_STOOD_BACK = ((DeliveryStatus.SKIPPED, frozenset({SkipReason.OTHER_CHANNEL.value})),)
_GOES_ON = (BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.FINISHED)


def fall_back(session: Session, failed: Iterable[DeliveryRef], now: datetime) -> int:
    """Let other channels take over from these deliveries, past the gate of now; returns how many do.

    In the transaction that writes the failure, so that it is never forgotten. A broadcast that had finished goes on
    as long as it is fresh.
    """
    by_broadcast: dict[int, set[int]] = {}
    for ref in failed:
        if ref.inbound_id == 0:
            by_broadcast.setdefault(ref.broadcast_id, set()).add(ref.subscriber_id)
    if not by_broadcast or not linked.any_links(session):
        return 0
    return sum(_fall_back(session, key, people, now) for key, people in sorted(by_broadcast.items()))


def _fall_back(session: Session, broadcast_id: int, people: set[int], now: datetime) -> int:
    persons = linked.persons_of(session, people)
    # Locked: the clock may be calling it finished at this moment, having seen nobody who waits.
    broadcast = session.get(Broadcast, broadcast_id, with_for_update=True, populate_existing=True)
    if not persons or broadcast is None or broadcast.state not in _GOES_ON:
        return 0
    if broadcast.expires_at is not None and broadcast.expires_at <= now:
        return 0
    addresses = linked_of(session, broadcast, persons, now)
    moved = 0
    for person_id in persons:
        theirs = [one for one in addresses if one.person_id == person_id]
        moved += any(
            _takes_over(session, broadcast_id, one.subscriber_id, now) for one in next_channels(theirs)
        )
    if moved and broadcast.state == BroadcastState.FINISHED:
        move(broadcast, BroadcastState.SENDING, "system", now)
        broadcast.finished_at = None
    return moved


def _takes_over(session: Session, broadcast_id: int, subscriber_id: int, now: datetime) -> bool:
    """Tell whether it waits now; whom the gate refuses is skipped for the gate's reason, and the next one is asked."""
    ways = ways_gone_by(session, broadcast_id)
    again.put_back(session, broadcast_id, _STOOD_BACK, ways, now, among=[subscriber_id])
    row = session.get(Delivery, (broadcast_id, subscriber_id, 0), populate_existing=True)
    return row is not None and row.status == DeliveryStatus.PENDING
