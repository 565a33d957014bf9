"""The standing broadcast that carries a sender's answers, so that there is one way out for everything."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.storage.database import is_sqlite
from app.storage.models import Broadcast, Sender
from app.storage.shared import once


def replies_broadcast(session: Session, sender: Sender, now: datetime) -> int:
    """Return the id of a sender's replies broadcast, made on first use."""
    return once(session, ("replies", sender.id), lambda here: _replies_broadcast(here, sender, now))


def _replies_broadcast(session: Session, sender: Sender, now: datetime) -> int:
    found = select(Broadcast.id).where(
        Broadcast.sender_id == sender.id, Broadcast.state == BroadcastState.REPLIES.value
    )
    existing = session.scalar(found)
    if existing is not None:
        return existing
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(
        dialect.insert(Broadcast)
        .values(
            title=f"Replies of {sender.name}",
            text="",
            state=BroadcastState.REPLIES.value,
            sender_id=sender.id,
            zone="UTC",
            fresh_minutes=0,
            revision=1,
            created_by="system",
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(found).one()
