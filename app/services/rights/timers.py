"""The timers that need no look at a person: words after so many days, numbers of texts, the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, literal_column, select, update
from sqlalchemy.orm import Session

from app.domain.retention import Kept, Periods
from app.services.rights.wiping import ERASED
from app.storage.database import changed
from app.storage.models import AuditEntry, InboundRow, InboxMessage, OwnMessage, Subscriber

BATCH: Final = 500

Condition = Callable[[datetime], ColumnElement[bool]]
Act = Callable[[Session, list[int], datetime], int]


@dataclass(frozen=True)
class Timer:
    """Rows of `table` for which `ripe(cutoff)` holds go by `act(session, their ids, now)`, `BATCH` at a time."""

    kind: Kept
    table: type[InboundRow] | type[OwnMessage] | type[InboxMessage] | type[AuditEntry]
    ripe: Condition
    act: Act

    def count(self, session: Session, periods: Periods, now: datetime) -> int:
        """How many would go now."""
        ripe = self.ripe(periods.cutoff(self.kind, now))
        return session.scalar(select(func.count()).select_from(self.table).where(ripe)) or 0

    def take(self, session: Session, periods: Periods, now: datetime) -> int:
        """Let one batch go; returns how many went."""
        ripe = self.ripe(periods.cutoff(self.kind, now))
        ids = list(session.scalars(select(self.table.id).where(ripe).limit(BATCH)))
        return self.act(session, ids, now) if ids else 0


def _blank(column: str, value: Any) -> Act:
    def act(session: Session, ids: list[int], now: datetime) -> int:
        values = {column: value, "read_at": func.coalesce(InboundRow.read_at, now)}
        return changed(session.execute(update(InboundRow).where(InboundRow.id.in_(ids)).values(values)))

    return act


def _delete_audit(session: Session, ids: list[int], now: datetime) -> int:
    return changed(session.execute(delete(AuditEntry).where(AuditEntry.id.in_(ids))))


def _delete_own(session: Session, ids: list[int], now: datetime) -> int:
    return changed(session.execute(delete(OwnMessage).where(OwnMessage.id.in_(ids))))


def _delete_inbox(session: Session, ids: list[int], now: datetime) -> int:
    return changed(session.execute(delete(InboxMessage).where(InboxMessage.id.in_(ids))))


def _forget_ids(session: Session, ids: list[int], now: datetime) -> int:
    return changed(
        session.execute(
            update(InboundRow)
            .where(InboundRow.id.in_(ids))
            .values(external_id=ERASED + func.cast(InboundRow.id, InboundRow.external_id.type))
        )
    )


def _of_erased(cutoff: datetime) -> ColumnElement[bool]:
    gone = select(Subscriber.id).where(Subscriber.erased_at.is_not(None))
    return (
        InboundRow.subscriber_id.in_(gone)
        & (InboundRow.received_at <= cutoff)
        & InboundRow.external_id.not_like(f"{ERASED}%")
    )


TIMERS: Final = (
    Timer(
        Kept.MESSAGES,
        InboundRow,
        # In the very words of the partial index, as in the next timer.
        lambda cutoff: (InboundRow.text != literal_column("''")) & (InboundRow.received_at <= cutoff),
        _blank("text", ""),
    ),
    Timer(
        Kept.REPLIES,
        InboundRow,
        lambda cutoff: InboundRow.reply_text.is_not(None) & (InboundRow.received_at <= cutoff),
        _blank("reply_text", None),
    ),
    Timer(Kept.REPLIES, OwnMessage, lambda cutoff: OwnMessage.created_at <= cutoff, _delete_own),
    Timer(Kept.INBOX, InboxMessage, lambda cutoff: InboxMessage.at <= cutoff, _delete_inbox),
    Timer(Kept.REPEATS, InboundRow, _of_erased, _forget_ids),
    Timer(Kept.AUDIT, AuditEntry, lambda cutoff: AuditEntry.at <= cutoff, _delete_audit),
)
