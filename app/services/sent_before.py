"""Finds broadcasts that say the same at about that time: somebody may be about to send twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.domain.same_text import squeezed
from app.domain.statuses import BroadcastState
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget

WITHIN: Final = timedelta(hours=48)


@dataclass(frozen=True)
class SentBefore:
    """A broadcast with the same words: when it began, or is `planned` to begin, and which of the lists it went to."""

    broadcast_id: int
    title: str
    at: datetime
    planned: bool
    lists: tuple[str, ...]


def sent_before(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime
) -> tuple[SentBefore, ...]:
    """Return what says the same words to one of these lists, the latest first.

    That is what went out in the 48 hours before `at`, and what waits for a time within 48 hours of it, either way.
    """
    words = squeezed(broadcast.text)
    if not words:
        return ()
    waits = and_(
        Broadcast.state == BroadcastState.SCHEDULED.value,
        Broadcast.started_at.is_(None),
        Broadcast.next_at > at - WITHIN,
        Broadcast.next_at < at + WITHIN,
    )
    moment = func.coalesce(Broadcast.started_at, Broadcast.next_at)
    rows = session.execute(
        select(
            Broadcast.id,
            Broadcast.title,
            Broadcast.started_at,
            Broadcast.next_at,
            Broadcast.text,
            BroadcastList.name,
        )
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .join(BroadcastList, BroadcastList.id == BroadcastTarget.list_id)
        .where(
            BroadcastTarget.list_id.in_([one.id for one in lists]),
            Broadcast.id != broadcast.id,
            or_(Broadcast.started_at > at - WITHIN, waits),
        )
        .order_by(moment.desc(), Broadcast.id, BroadcastList.name)
    )
    found: dict[int, SentBefore] = {}
    for broadcast_id, title, started_at, next_at, text, name in rows:
        began = started_at or next_at
        if began is not None and squeezed(text) == words:
            before = found.get(broadcast_id)
            names = (*(before.lists if before else ()), name)
            found[broadcast_id] = SentBefore(broadcast_id, title, began, started_at is None, names)
    return tuple(found.values())
