"""Counts whom a provider of SMS took a broadcast with a file for, and to whom the file does not get.

Their texts are longer, for something stands for the file. While a broadcast is sent they are counted each time, over
its deliveries; when it ends once more, for good, so that a report on a year reads one number of each.
"""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.media.limits import beginnings_with_files
from app.domain.statuses import DeliveryStatus
from app.storage.models import Broadcast, BroadcastTotal, Delivery, Sender, Slice, Subscriber

NO_FILES: Final = "no_files"
SMS: Final = "sms"
TAKEN: Final = (
    DeliveryStatus.SENT.value,
    DeliveryStatus.DELIVERED.value,
    DeliveryStatus.UNKNOWN.value,
)


def count(session: Session, broadcast_ids: Collection[int]) -> Mapping[int, int]:
    """Return them by broadcast."""
    if not broadcast_ids:
        return {}
    rows = session.execute(
        select(Delivery.broadcast_id, func.count())
        .join(Slice, (Slice.broadcast_id == Delivery.broadcast_id) & (Slice.seq == Delivery.slice))
        .join(Sender, Sender.id == Slice.sender_id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Delivery.broadcast_id.in_(broadcast_ids),
            Sender.channel == SMS,
            Delivery.inbound_id == 0,
            Delivery.status.in_(TAKEN),
            *(~Subscriber.address.startswith(one) for one in beginnings_with_files()),
        )
        .group_by(Delivery.broadcast_id)
    )
    return {broadcast_id: people for broadcast_id, people in rows}


def keep(session: Session, broadcast: Broadcast) -> None:
    """Keep the number of a broadcast that has just ended; one without a file on SMS has none."""
    if broadcast.sms_parts_elsewhere is not None:
        people = count(session, [broadcast.id]).get(broadcast.id, 0)
        session.merge(BroadcastTotal(broadcast_id=broadcast.id, kind=NO_FILES, people=people))
