"""Comments of authors on a draft: say something, call it resolved, read them, let them go with the draft."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.services.broadcast_rows import broadcast_for_change
from app.services.controller import NotFound, Refused
from app.storage.database import db, transaction
from app.storage.models import DraftComment

LONGEST: Final = 1000


def add(broadcast_id: int, text: str, *, by: str, now: datetime) -> int:
    """Say something about a draft; returns the comment's id. Raises `NotFound`, `Refused`."""
    words = text.replace("\r\n", "\n").strip()
    if not 1 <= len(words) <= LONGEST:
        raise Refused(f"A comment has 1 to {LONGEST} characters.")
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state != BroadcastState.DRAFT.value:
            raise Refused("Only drafts have comments.")
        row = DraftComment(broadcast_id=broadcast_id, text=words, by=by, at=now)
        session.add(row)
        session.flush()
        return row.id


def resolve(broadcast_id: int, comment_id: int, *, resolved: bool, by: str, now: datetime) -> None:
    """Call a comment resolved, or open again; twice changes nothing. Raises `NotFound`."""
    with transaction() as session:
        row = session.get(DraftComment, comment_id, with_for_update=True)
        if row is None or row.broadcast_id != broadcast_id:
            raise NotFound("There is no such comment.")
        if resolved and row.resolved_at is None:
            row.resolved_by, row.resolved_at = by, now
        elif not resolved:
            row.resolved_by = row.resolved_at = None


def of_draft(broadcast_id: int) -> Sequence[DraftComment]:
    """Return the comments on a draft, the open ones first, then by age."""
    done = DraftComment.resolved_at.is_not(None)
    rows = select(DraftComment).where(DraftComment.broadcast_id == broadcast_id)
    return db.session.scalars(rows.order_by(done, DraftComment.id)).all()


def open_ones(broadcast_id: int) -> int:
    """Count the comments on a draft that nobody has called resolved."""
    query = select(func.count()).where(
        DraftComment.broadcast_id == broadcast_id, DraftComment.resolved_at.is_(None)
    )
    return db.session.scalar(query) or 0


def forget(session: Session, broadcast_id: int) -> None:
    """Delete the comments on a draft that is discarded, or has begun to go out."""
    session.execute(delete(DraftComment).where(DraftComment.broadcast_id == broadcast_id))
