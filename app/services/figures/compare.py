"""Holds a broadcast against the last five of the same lists, by the middle one of each figure."""

from dataclasses import dataclass
from statistics import median
from typing import Final

from sqlalchemy import select

from app.domain.statuses import BroadcastState
from app.services.figures.read import Told, told
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastTarget

LAST: Final = 5
# What is compared, and of which hundred people it is a share.
MEASURES: Final = (
    ("delivered", "receipted"),
    ("failed", "sent_to"),
    ("read", "tells"),
    ("answered", "delivered"),
    ("clicks", "delivered"),
    ("left", "delivered"),
)


@dataclass(frozen=True)
class Compared:
    """One figure in per cent: of this broadcast, and the median of the `others` before it; None of nobody."""

    measure: str
    own: float | None
    others: float | None


@dataclass(frozen=True)
class Comparison:
    """A broadcast, and what is usual: `against` is how many others there were, five at most."""

    broadcast: Told
    against: int
    measures: tuple[Compared, ...]


def compare(broadcast_id: int) -> Comparison | None:
    """Return the comparison; None of a broadcast that has not begun."""
    session = db.session()
    own = told(
        session, select(Broadcast.id).where(Broadcast.id == broadcast_id, Broadcast.started_at.is_not(None))
    )
    if not own:
        return None
    shared = select(BroadcastTarget.broadcast_id).where(BroadcastTarget.list_id.in_(own[0].list_ids))
    before = (
        select(Broadcast.id)
        .where(
            Broadcast.id.in_(shared),
            Broadcast.started_at < own[0].started_at,
            Broadcast.state == BroadcastState.FINISHED.value,
            Broadcast.corrects_id.is_(None),
        )
        .order_by(Broadcast.started_at.desc())
        .limit(LAST)
    )
    others = told(session, before)
    measures = [
        Compared(name, own[0].sums.share(name, of), _median(others, name, of)) for name, of in MEASURES
    ]
    return Comparison(own[0], len(others), tuple(measures))


def _median(others: list[Told], name: str, of: str) -> float | None:
    shares = [share for one in others if (share := one.sums.share(name, of)) is not None]
    return median(shares) if shares else None
