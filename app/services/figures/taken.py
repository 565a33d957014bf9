"""Counts the messages of which nothing more will be heard, for their platform tells of no delivery."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.channels import TELL_NO_DELIVERY
from app.domain.statuses import DeliveryStatus
from app.storage.models import DeliveryTally, Sender


def taken(session: Session, broadcast_id: int) -> Mapping[str, int]:
    """Return, by channel, how many messages of a broadcast such platforms took; {} where there are none."""
    people = func.sum(DeliveryTally.people)
    rows = session.execute(
        select(Sender.channel, people)
        .join(Sender, Sender.id == DeliveryTally.sender_id)
        .where(
            DeliveryTally.broadcast_id == broadcast_id,
            DeliveryTally.status == DeliveryStatus.SENT.value,
            Sender.gateway.in_(TELL_NO_DELIVERY),
        )
        .group_by(Sender.channel)
        .having(people > 0)
    )
    return {channel: int(count) for channel, count in rows}
