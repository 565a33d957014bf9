"""What providers call our files, for each sender: kept, so that a file is handed over once for many broadcasts."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.storage.models import MediaUpload


def handle_for(session: Session, sender_id: int, media_id: int, now: datetime) -> str:
    """Return the provider's id for a file while it is good; empty when there is none."""
    row = session.get(MediaUpload, (sender_id, media_id))
    if row is None or row.handle is None or (row.good_until is not None and row.good_until <= now):
        return ""
    return row.handle


def keep_handle(
    session: Session, sender_id: int, media_id: int, handle: str, good_until: datetime | None
) -> None:
    """Keep what a provider calls a file."""
    row = _row(session, sender_id, media_id)
    row.handle, row.good_until, row.tries, row.tried_at, row.problem = handle, good_until, 0, None, None


def note_failure(session: Session, sender_id: int, media_id: int, problem: str, now: datetime) -> int:
    """Note that a provider did not take a file; returns how often that happened in a row."""
    row = _row(session, sender_id, media_id)
    row.tries, row.tried_at, row.problem = row.tries + 1, now, problem[:300]
    return row.tries


def last_try(session: Session, sender_id: int, media_id: int) -> MediaUpload | None:
    """Return what is known of a file at a sender's provider."""
    return session.get(MediaUpload, (sender_id, media_id), populate_existing=True)


def _row(session: Session, sender_id: int, media_id: int) -> MediaUpload:
    row = session.scalar(
        select(MediaUpload)
        .where(MediaUpload.sender_id == sender_id, MediaUpload.media_id == media_id)
        .with_for_update()
    )
    if row is None:
        row = MediaUpload(sender_id=sender_id, media_id=media_id, tries=0)
        session.add(row)
        session.flush()
    return row
