"""Which broadcast somebody had last before they left or wrote: what the reports call its effect."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.statuses import DeliveryStatus
from app.storage.models import Broadcast, Delivery

EFFECT_LASTS: Final = timedelta(hours=72)
_HAD_IT: Final = (DeliveryStatus.SENT.value, DeliveryStatus.DELIVERED.value, DeliveryStatus.UNKNOWN.value)


class Moment(NamedTuple):
    """Somebody did something."""

    subscriber_id: int
    at: datetime


def last_had(session: Session, moments: Sequence[Moment]) -> Iterator[tuple[Moment, int]]:
    """Yield each moment with the broadcast, begun in the three days before it, that the person had last.

    A moment without such a broadcast is no effect of any, and is left out.
    """
    if not moments:
        return
    begun = [one.at for one in moments]
    rows = session.execute(
        select(Delivery.subscriber_id, Broadcast.id, Broadcast.started_at)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            Delivery.subscriber_id.in_({one.subscriber_id for one in moments}),
            Delivery.inbound_id == 0,
            Delivery.status.in_(_HAD_IT),
            Broadcast.started_at > min(begun) - EFFECT_LASTS,
            Broadcast.started_at <= max(begun),
        )
        .order_by(Broadcast.started_at, Broadcast.id)
    )
    had: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for subscriber_id, broadcast_id, started_at in rows:
        if started_at is not None:
            had[subscriber_id].append((started_at, broadcast_id))
    for one in moments:
        theirs = [
            broadcast_id
            for started_at, broadcast_id in had[one.subscriber_id]
            if one.at - EFFECT_LASTS < started_at <= one.at
        ]
        if theirs:
            yield one, theirs[-1]
