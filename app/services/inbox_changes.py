"""Corrections in the store behind the inbox on a site's pages: other words in the place of the old, or none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.in_place import InPlace
from app.domain.messages import DeliveryRef
from app.storage.models import InboxMessage


def change(
    session: Session, olds: Mapping[DeliveryRef, DeliveryRef], given: Mapping[str, Any], now: datetime
) -> list[DeliveryRef]:
    """Do what the call `given` asks with the messages that were stored for `olds`; returns whose message is no more.

    A message with other words is unread again, and its reading is a receipt of the correction. To take away what is
    not there, or to say again what stands there, is done.
    """
    rows = _rows(session, olds)
    if given["act"] == InPlace.DELETE:
        session.execute(delete(InboxMessage).where(InboxMessage.id.in_([row.id for row in rows.values()])))
        return []
    for ref, row in rows.items():
        if row.edited_by != ref.broadcast_id:
            row.text, row.buttons = given["text"], given.get("buttons")
            row.edited_by, row.edited_at, row.read_at = ref.broadcast_id, now, None
    return [ref for ref in olds if ref not in rows]


def _rows(session: Session, olds: Mapping[DeliveryRef, DeliveryRef]) -> dict[DeliveryRef, InboxMessage]:
    """Return the rows by who changes them, also where other corrections changed them since."""
    found = session.scalars(
        select(InboxMessage).where(
            InboxMessage.subscriber_id.in_([one.subscriber_id for one in olds]),
            InboxMessage.broadcast_id.in_({one.broadcast_id for one in olds.values()}),
            InboxMessage.inbound_id == 0,
        )
    )
    by_person = {row.subscriber_id: row for row in found}
    return {ref: by_person[ref.subscriber_id] for ref in olds if ref.subscriber_id in by_person}
