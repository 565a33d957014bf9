"""The timers that need no look at a person: words after so many days, numbers of texts, the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Select, delete, exists, func, literal_column, select, tuple_, update
from sqlalchemy.orm import Session

from app.domain.retention import Kept, Periods
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services.kept_hooks import id_at
from app.services.rights.wiping import ERASED, forget_answers
from app.storage.database import changed
from app.storage.models import (
    AuditEntry,
    Broadcast,
    BroadcastAnswer,
    Delivery,
    InboundRow,
    InboxMessage,
    OwnMessage,
    PersonClick,
    Slice,
    Subscriber,
    Webhook,
)

BATCH: Final = 500

Condition = Callable[[datetime], ColumnElement[bool]]
Act = Callable[[Session, list[int], datetime], int]


class Ages(Protocol):
    """Something that is kept for a while."""

    @property
    def kind(self) -> Kept:
        """What it is."""

    @property
    def step(self) -> int:
        """How many go at once; after fewer there is nothing more."""

    def count(self, session: Session, periods: Periods, now: datetime) -> int:
        """How many would go now."""

    def take(self, session: Session, periods: Periods, now: datetime) -> int:
        """Let up to `step` of them go; returns how many went."""


@dataclass(frozen=True)
class Timer:
    """Rows of `table` for which `ripe(cutoff)` holds go by `act(session, their ids, now)`, `step` at a time."""

    kind: Kept
    table: type[InboundRow] | type[OwnMessage] | type[InboxMessage] | type[Webhook] | type[AuditEntry]
    ripe: Condition
    act: Act
    step: int = BATCH

    def count(self, session: Session, periods: Periods, now: datetime) -> int:
        """How many would go now."""
        ripe = self.ripe(periods.cutoff(self.kind, now))
        return session.scalar(select(func.count()).select_from(self.table).where(ripe)) or 0

    def take(self, session: Session, periods: Periods, now: datetime) -> int:
        """Let one batch go; returns how many went."""
        ripe = self.ripe(periods.cutoff(self.kind, now))
        ids = list(session.scalars(select(self.table.id).where(ripe).limit(self.step)))
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


def _delete_posts(session: Session, ids: list[int], now: datetime) -> int:
    return changed(session.execute(delete(Webhook).where(Webhook.id.in_(ids))))


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


@dataclass(frozen=True)
class OldDeliveries:
    """Rows of broadcasts that ended long ago, and then their slices, which say that there are rows left."""

    # Deliveries are slim, and a million of them may grow old in one day.
    step: int = 10_000
    kind = Kept.DELIVERIES

    def count(self, session: Session, periods: Periods, now: datetime) -> int:
        """How many rows would go now."""
        old = self._old(periods, now)
        return session.scalar(select(func.count()).where(Delivery.broadcast_id.in_(old))) or 0

    def take(self, session: Session, periods: Periods, now: datetime) -> int:
        """Delete up to `step` rows, those of the oldest broadcast first."""
        gone = 0
        while gone < self.step:
            broadcast_id = session.scalar(self._old(periods, now).order_by(Broadcast.id).limit(1))
            if broadcast_id is None:
                break
            wanted = self.step - gone
            gone += (taken := self._delete(session, broadcast_id, wanted))
            if taken < wanted:
                forget_answers(session, BroadcastAnswer.broadcast_id == broadcast_id)
                session.execute(delete(Slice).where(Slice.broadcast_id == broadcast_id))
        return gone

    @staticmethod
    def _delete(session: Session, broadcast_id: int, most: int) -> int:
        theirs = Delivery.broadcast_id == broadcast_id
        some = select(Delivery.subscriber_id).where(theirs).order_by(Delivery.subscriber_id).limit(most)
        these = delete(Delivery).where(theirs, Delivery.subscriber_id.in_(some.scalar_subquery()))
        return changed(session.execute(these, execution_options={"synchronize_session": False}))

    @staticmethod
    def _old(periods: Periods, now: datetime) -> Select[int]:
        ended = Broadcast.finished_at <= periods.cutoff(Kept.DELIVERIES, now)
        done = Broadcast.state.in_((BroadcastState.FINISHED.value, BroadcastState.CANCELED.value))
        return select(Broadcast.id).where(ended, done, exists().where(Slice.broadcast_id == Broadcast.id))


@dataclass(frozen=True)
class OldAnswers:
    """Rows of answers and of messages of our own, which belong to a broadcast that never ends.

    What still waits is left: the lane drops it long before.
    """

    step: int = BATCH
    kind = Kept.DELIVERIES

    def count(self, session: Session, periods: Periods, now: datetime) -> int:
        """How many rows would go now."""
        return session.scalar(select(func.count()).where(*self._old(periods, now))) or 0

    def take(self, session: Session, periods: Periods, now: datetime) -> int:
        """Delete up to `step` rows, the oldest first; returns how many went."""
        key = (Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
        some = select(*key).where(*self._old(periods, now)).order_by(Delivery.updated_at).limit(self.step)
        keys = [tuple(row) for row in session.execute(some)]
        these = delete(Delivery).where(tuple_(*key).in_(keys))
        gone = {"synchronize_session": False}
        return changed(session.execute(these, execution_options=gone)) if keys else 0

    @staticmethod
    def _old(periods: Periods, now: datetime) -> tuple[ColumnElement[bool], ...]:
        return (
            Delivery.slice.is_(None),  # in the words of the partial index
            Delivery.updated_at <= periods.cutoff(Kept.DELIVERIES, now),
            Delivery.inbound_id != 0,
            Delivery.status.not_in((DeliveryStatus.PENDING.value, DeliveryStatus.HANDING_OVER.value)),
        )


@dataclass(frozen=True)
class OldClicks:
    """Which links people opened, of those who agreed that it is kept."""

    step: int = BATCH
    kind = Kept.CLICKS

    def count(self, session: Session, periods: Periods, now: datetime) -> int:
        """How many rows would go now."""
        old = PersonClick.last_at <= periods.cutoff(self.kind, now)
        return session.scalar(select(func.count()).select_from(PersonClick).where(old)) or 0

    def take(self, session: Session, periods: Periods, now: datetime) -> int:
        """Delete up to `step` rows; returns how many went."""
        old = PersonClick.last_at <= periods.cutoff(self.kind, now)
        keys = tuple_(PersonClick.code, PersonClick.subscriber_id)
        some = session.execute(
            select(PersonClick.code, PersonClick.subscriber_id).where(old).limit(self.step)
        ).all()
        these = delete(PersonClick).where(keys.in_([tuple(one) for one in some]))
        return changed(session.execute(these)) if some else 0


TIMERS: Final[tuple[Ages, ...]] = (
    OldDeliveries(),
    OldAnswers(),
    OldClicks(),
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
    # An id counts up with the moment of arrival, and has an index.
    Timer(Kept.WEBHOOKS, Webhook, lambda cutoff: Webhook.id <= id_at(cutoff), _delete_posts),
    Timer(Kept.AUDIT, AuditEntry, lambda cutoff: AuditEntry.at <= cutoff, _delete_audit),
)
