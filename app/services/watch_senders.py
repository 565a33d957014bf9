"""How each sender stands: what waits in its lane, since when, and when somebody last wrote to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus
from app.storage.database import db
from app.storage.models import Broadcast, Delivery, InboundRow, Sender, Slice

_LATELY = 2000
"""So many texts are looked at for the last of each sender: of a sender whose last is older we say so."""


@dataclass(frozen=True)
class Standing:
    """One sender. `people` wait in its broadcasts' slices, `answers` in front of them, the oldest since `oldest`.

    `heard_at` is when the last text came in, if it is among the last two thousand of all.
    """

    id: int
    name: str
    channel: str
    gateway: str
    paused_at: datetime | None
    paused_reason: str | None
    people: int
    answers: int
    oldest: datetime | None
    heard_at: datetime | None


def standings() -> list[Standing]:
    """Return every sender by its name."""
    session = db.session()
    waiting, answers, heard = _waiting(session), _answers(session), _heard(session)
    nothing: tuple[int, datetime | None] = (0, None)
    found = []
    for row in session.scalars(select(Sender).order_by(Sender.name)):
        people, began = waiting.get(row.id, nothing)
        replies, asked = answers.get(row.id, nothing)
        since = [one for one in (began, asked) if one is not None]
        found.append(
            Standing(
                row.id,
                row.name,
                row.channel,
                row.gateway,
                row.paused_at,
                row.paused_reason,
                people,
                replies,
                min(since, default=None),
                heard.get(row.id),
            )
        )
    return found


def _waiting(session: Session) -> Mapping[int, tuple[int, datetime | None]]:
    rows = session.execute(
        select(Slice.sender_id, func.sum(Slice.people), func.min(Broadcast.started_at))
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .where(Slice.state.in_(("open", "leased")), Broadcast.state == BroadcastState.SENDING.value)
        .group_by(Slice.sender_id)
    )
    return {sender_id: (int(people or 0), began) for sender_id, people, began in rows}


def _answers(session: Session) -> Mapping[int, tuple[int, datetime | None]]:
    rows = session.execute(
        select(Broadcast.sender_id, func.count(), func.min(Delivery.updated_at))
        .join(Delivery, Delivery.broadcast_id == Broadcast.id)
        .where(
            Broadcast.state == BroadcastState.REPLIES.value,
            Delivery.slice.is_(None),  # lets the index find them among all replies ever sent
            Delivery.status == DeliveryStatus.PENDING.value,
        )
        .group_by(Broadcast.sender_id)
    )
    return {sender_id: (count, since) for sender_id, count, since in rows if sender_id is not None}


def _heard(session: Session) -> Mapping[int, datetime]:
    lately = (
        select(InboundRow.sender_id, InboundRow.received_at)
        .order_by(InboundRow.id.desc())
        .limit(_LATELY)
        .subquery()
    )
    rows = session.execute(
        select(lately.c.sender_id, func.max(lately.c.received_at)).group_by(lately.c.sender_id)
    )
    return {sender_id: at for sender_id, at in rows}
