"""The versions of a draft: what each save said, the last fifty of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.storage.models import Broadcast, BroadcastVersion

KEPT: Final = 50


def keep(session: Session, broadcast: Broadcast, variants: Mapping[str, str], by: str, at: datetime) -> None:
    """Keep what a draft says now, unless its newest version says the same; the oldest goes for the fifty-first."""
    newest = session.scalar(_of(broadcast.id).limit(1))
    if newest is not None and _says(newest) == (broadcast.title, broadcast.text, dict(variants)):
        return
    session.add(
        BroadcastVersion(
            broadcast_id=broadcast.id,
            revision=broadcast.revision,
            title=broadcast.title,
            text=broadcast.text,
            variants=dict(variants),
            saved_by=by,
            saved_at=at,
        )
    )
    session.flush()
    if old := [one.revision for one in session.scalars(_of(broadcast.id).offset(KEPT))]:
        session.execute(
            delete(BroadcastVersion).where(
                BroadcastVersion.broadcast_id == broadcast.id, BroadcastVersion.revision.in_(old)
            )
        )


def versions(session: Session, broadcast_id: int) -> Sequence[BroadcastVersion]:
    """Return the versions that are kept, newest first."""
    return session.scalars(_of(broadcast_id)).all()


def _of(broadcast_id: int) -> Select[BroadcastVersion]:
    query = select(BroadcastVersion).where(BroadcastVersion.broadcast_id == broadcast_id)
    return query.order_by(BroadcastVersion.revision.desc())


def _says(version: BroadcastVersion) -> tuple[str, str, dict[str, str]]:
    return version.title, version.text, version.variants
