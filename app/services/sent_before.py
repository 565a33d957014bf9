"""Finds broadcasts that said the same a short time ago: somebody may be about to send twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.same_text import squeezed
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget

WITHIN: Final = timedelta(hours=48)


@dataclass(frozen=True)
class SentBefore:
    """A broadcast with the same words: when it began, and which of the lists it went to."""

    broadcast_id: int
    title: str
    started_at: datetime
    lists: tuple[str, ...]


def sent_before(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime
) -> tuple[SentBefore, ...]:
    """Return what went to one of these lists in the 48 hours before `at` with the same words, newest first."""
    words = squeezed(broadcast.text)
    if not words:
        return ()
    rows = session.execute(
        select(Broadcast.id, Broadcast.title, Broadcast.started_at, Broadcast.text, BroadcastList.name)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .join(BroadcastList, BroadcastList.id == BroadcastTarget.list_id)
        .where(
            BroadcastTarget.list_id.in_([one.id for one in lists]),
            Broadcast.id != broadcast.id,
            Broadcast.started_at > at - WITHIN,
        )
        .order_by(Broadcast.started_at.desc(), Broadcast.id, BroadcastList.name)
    )
    found: dict[int, SentBefore] = {}
    for broadcast_id, title, started_at, text, name in rows:
        if started_at is not None and squeezed(text) == words:
            before = found.get(broadcast_id)
            names = (*(before.lists if before else ()), name)
            found[broadcast_id] = SentBefore(broadcast_id, title, started_at, names)
    return tuple(found.values())
