"""Let files go that no broadcast needs any more: not before the links to them have run out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.services.media.files import Files
from app.services.media.links import GOOD_FOR
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastMedia, MediaFile, MediaUpload, VersionMedia

KEPT: Final = GOOD_FOR + timedelta(days=1)
"""How long after its last broadcast a file is kept: somewhat longer than the links in it are good."""
UNUSED_FOR: Final = timedelta(days=1)
"""How long a file waits that was uploaded and is carried by nothing."""
_AT_ONCE: Final = 50
_OVER: Final = (BroadcastState.FINISHED.value, BroadcastState.CANCELED.value)


def let_go(files: Files, *, now: datetime) -> int:
    """Delete the bytes of some files that are needed no more; returns how many. Raises OSError.

    What a broadcast carried is needed while people may open its links; what a draft or a rule carries, and what a draft
    carried in a version that may be taken back, always.
    """
    return sum(_let_go(files, media_id, now) for media_id in _ripe(db.session(), now))


def _ripe(session: Session, now: datetime) -> Sequence[int]:
    ids = session.scalars(
        select(MediaFile.id).where(_needed_no_more(now)).order_by(MediaFile.id).limit(_AT_ONCE)
    )
    found = ids.all()
    session.rollback()
    return found


def _let_go(files: Files, media_id: int, now: datetime) -> bool:
    """The row is held until the bytes are gone: whoever brings them again meanwhile waits, and puts them back."""
    with transaction() as session:
        row = session.scalar(
            select(MediaFile).where(MediaFile.id == media_id, _needed_no_more(now)).with_for_update()
        )
        if row is None:
            return False
        session.execute(delete(MediaUpload).where(MediaUpload.media_id == media_id))
        row.removed_at = now
        files.delete(row.sha256)
        return True


def _needed_no_more(now: datetime) -> ColumnElement[bool]:
    """Versions count as their broadcast does: of one that is over none can be taken back."""
    ended = func.coalesce(Broadcast.finished_at, Broadcast.state_at, Broadcast.updated_at)
    carried = [
        exists().where(
            table.media_id == MediaFile.id,
            Broadcast.id == table.broadcast_id,
            or_(Broadcast.state.not_in(_OVER), ended > now - KEPT),
        )
        for table in (BroadcastMedia, VersionMedia)
    ]
    return and_(MediaFile.removed_at.is_(None), MediaFile.created_at <= now - UNUSED_FOR, ~or_(*carried))
