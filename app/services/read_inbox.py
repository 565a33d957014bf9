"""The desk's inbox: texts that no rule understood, or only half, until somebody puts them aside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from app.domain.keywords import Outcome
from app.services.controller import NotFound
from app.storage.database import db, transaction
from app.storage.models import InboundRow, Subscriber

_UNREAD: Final = (
    InboundRow.outcome.in_([Outcome.NONE.value, Outcome.REVIEW.value]),
    InboundRow.read_at.is_(None),
)


@dataclass(frozen=True)
class UnansweredText:
    """A text that nobody at the desk has put aside yet; `held` says that it may be a STOP and waits for a decision."""

    inbound_id: int
    subscriber_id: int
    address: str
    text: str
    media_count: int
    received_at: datetime
    held: bool = False


def unanswered(limit: int = 100) -> list[UnansweredText]:
    """Texts that no rule understood for sure and nobody has marked as read, oldest first."""
    texts = (
        select(InboundRow, Subscriber.address, Subscriber.review_opened_at)
        .join(Subscriber, Subscriber.id == InboundRow.subscriber_id)
        .where(*_UNREAD)
        .order_by(InboundRow.received_at, InboundRow.id)
        .limit(limit)
    )
    return [
        UnansweredText(
            row.id,
            row.subscriber_id,
            address,
            row.text,
            row.media_count,
            row.received_at,
            row.outcome == Outcome.REVIEW and opened_at is not None,
        )
        for row, address, opened_at in db.session.execute(texts)
    ]


def mark_read(inbound_id: int, *, now: datetime) -> None:
    """Put a text aside. Doing it again changes nothing. Raises NotFound."""
    with transaction() as session:
        row = session.get(InboundRow, inbound_id)
        if row is None:
            raise NotFound("There is no such text.")
        row.read_at = row.read_at or now


def waiting() -> int:
    """How many texts lie in the inbox."""
    texts = select(func.count()).where(*_UNREAD)
    return db.session.scalar(texts) or 0
