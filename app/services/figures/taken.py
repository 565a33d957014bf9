"""Counts the messages of which nothing more will be heard, for their platform tells of no delivery."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.domain.channels import TELL_NO_DELIVERY
from app.domain.statuses import DeliveryStatus
from app.storage.models import Delivery, DeliveryTally, Sender, Slice

# To be joined from the outside to deliveries: the sender of each, where its slice is still known.
SLICE_OF_DELIVERY: Any = and_(Slice.broadcast_id == Delivery.broadcast_id, Slice.seq == Delivery.slice)
SENDER_OF_SLICE: Any = Sender.id == Slice.sender_id


def nothing_more(status: int, gateway: str | None) -> bool:
    """Tell whether a delivery with this status, out of a sender of this gateway, will never have a receipt."""
    return status == DeliveryStatus.SENT.value and gateway in TELL_NO_DELIVERY


def taken(session: Session, broadcast_id: int) -> Mapping[str, int]:
    """Return, by channel, how many messages of a broadcast such platforms took; {} where there are none."""
    people = func.sum(DeliveryTally.people)
    rows = session.execute(
        _silent(Sender.channel, people)
        .where(DeliveryTally.broadcast_id == broadcast_id)
        .group_by(Sender.channel)
        .having(people > 0)
    )
    return {channel: int(count) for channel, count in rows}


def taken_of(session: Session, broadcast_ids: Collection[int]) -> Mapping[int, int]:
    """Return, by broadcast, how many of its messages such platforms took; without those that have none."""
    people = func.sum(DeliveryTally.people)
    rows = session.execute(
        _silent(DeliveryTally.broadcast_id, people)
        .where(DeliveryTally.broadcast_id.in_(broadcast_ids))
        .group_by(DeliveryTally.broadcast_id)
        .having(people > 0)
    )
    return {broadcast_id: int(count) for broadcast_id, count in rows}


def _silent(*columns: Any) -> Any:
    return (
        select(*columns)
        .select_from(DeliveryTally)
        .join(Sender, Sender.id == DeliveryTally.sender_id)
        .where(DeliveryTally.status == DeliveryStatus.SENT.value, Sender.gateway.in_(TELL_NO_DELIVERY))
    )
