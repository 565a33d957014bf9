"""Stop everything when the database turns out to be an old one: what went out since would go out again."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.restored import Seen
from app.services.manage_senders import pause_all
from app.storage.database import db
from app.storage.deliveries import ledger_end
from app.storage.models import Broadcast, ConsentEvent, Slice

BY: Final = "the clock: the database is older than what was sent"
"""Stands as the reason beside each sender. What to do: docs/operators.md, Restore."""
_NEWEST: Final = 10


def seen_now() -> Seen | None:
    """Return what only grows in this database; None for one without any consent, from which nothing was sent."""
    session = db.session()
    try:
        first = session.scalar(
            select(ConsentEvent.entry_hash)
            .where(ConsentEvent.seq == 1)
            .order_by(ConsentEvent.ledger)
            .limit(1)
        )
        return None if first is None else Seen(first, ledger_end(session), _leases(session))
    finally:
        session.rollback()


def stop_all(now: datetime) -> int:
    """Let nothing go out of any sender until somebody has looked; returns how many were not paused already."""
    return pause_all(by=BY, now=now)


def _leases(session: Session) -> dict[int, int | None]:
    """Whatever is taken in hand raises the epoch of its slice, and no epoch ever falls."""
    newest = (
        select(Broadcast.id)
        .where(Broadcast.started_at.is_not(None))
        .order_by(Broadcast.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    rows = session.execute(
        select(newest.c.id, func.sum(Slice.epoch))
        .outerjoin(Slice, Slice.broadcast_id == newest.c.id)
        .group_by(newest.c.id)
    )
    return {broadcast_id: None if times is None else int(times) for broadcast_id, times in rows}
