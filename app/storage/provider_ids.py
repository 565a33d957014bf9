"""Finds deliveries by the id that a provider gave them, for receipts that bring back nothing else."""

from collections.abc import Collection, Mapping

from sqlalchemy import ARRAY, String, any_, exists, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.storage.database import is_sqlite
from app.storage.models import Broadcast, Delivery, Slice

# To the letter what the index is limited to, or no database would use it.
_IN_INDEX = literal_column("substr(delivery.provider_id, 1, 1)") == literal_column("'#'")


def deliveries_found_by(
    session: Session, sender_id: int, provider_ids: Collection[str]
) -> Mapping[str, DeliveryRef]:
    """Return id -> delivery, for those of `provider_ids` that this sender's gateway gave out (see `found_by`).

    Another sender's provider may count from 1, too; and one may begin anew: of two the newer is meant.
    """
    ids = list(provider_ids)
    # One parameter where that is possible: psycopg reads a statement with hundreds anew each time.
    named = (
        Delivery.provider_id.in_(ids)
        if is_sqlite(session)
        else Delivery.provider_id == any_(literal(ids, ARRAY(String)))
    )
    rows = session.execute(
        select(Delivery.provider_id, Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
        .where(
            named,
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
