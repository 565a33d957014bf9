"""Finds deliveries by the id that a provider gave them, for receipts that bring back nothing else."""

from collections.abc import Collection, Mapping
from typing import cast

from sqlalchemy import exists, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.messages import DeliveryRef
from app.storage.database import among
from app.storage.models import Broadcast, Delivery, Slice

# To the letter what the index is limited to, or no database would use it.
_IN_INDEX = literal_column("substr(delivery.provider_id, 1, 1)") == literal_column("'#'")


def deliveries_found_by(
    session: Session, sender_id: int, provider_ids: Collection[str]
) -> Mapping[str, DeliveryRef]:
    """Return id -> delivery, for those of `provider_ids` that this sender's gateway gave out (see `found_by`).

    Another sender's provider may count from 1, too; and one may begin anew: of two the newer is meant.
    """
    rows = session.execute(
        select(Delivery.provider_id, Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
        .where(
            among(session, cast("InstrumentedAttribute[str]", Delivery.provider_id), provider_ids),
            _IN_INDEX,
            or_(
                exists().where(Broadcast.id == Delivery.broadcast_id, Broadcast.sender_id == sender_id),
                exists().where(
                    Slice.broadcast_id == Delivery.broadcast_id,
                    Slice.seq == Delivery.slice,
                    Slice.sender_id == sender_id,
                ),
            ),
        )
        .order_by(Delivery.updated_at)
    )
    return {str(found): DeliveryRef(*ref) for found, *ref in rows}
