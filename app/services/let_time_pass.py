"""What time does to consent: questions expire, pauses end, unused consents run out, doubt becomes a STOP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.domain.consent import STALE_AFTER, EventType
from app.domain.statuses import DeliveryStatus
from app.services.controller import Controller
from app.services.decide_reviews import decide_overdue
from app.services.record_consent import NewEvent, record
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Delivery, Subscriber, Subscription
from app.storage.replies import drop_late_confirmations, late_confirmations

BATCH: Final = 500
_CLOCK: Final = "system:clock"
_WENT_OUT: Final = (
    DeliveryStatus.SENT.value,
    DeliveryStatus.DELIVERED.value,
    DeliveryStatus.UNKNOWN.value,
)


@dataclass(frozen=True)
class TimePassed:
    """How many subscriptions moved, whom an undecided review stopped, and which confirmations came too late."""

    expired: int = 0
    resumed: int = 0
    stale: int = 0
    reviews_stopped: int = 0
    late_confirmations: tuple[int, ...] = ()


def let_time_pass(
    *, controller: Controller, now: datetime, stale_after: timedelta = STALE_AFTER
) -> TimePassed:
    """Do what is due at `now`, at most 500 of each kind; the next round does the rest.

    Each kind is looked for by an index of its own that holds only what is waiting, before any lock is taken.
    """
    return TimePassed(
        _move(Subscription.expires_at <= now, EventType.REQUEST_EXPIRED, controller, now),
        _move(Subscription.paused_until <= now, EventType.RESUMED, controller, now),
        _expire_unused(controller, now, stale_after),
        len(decide_overdue(controller=controller, now=now)),
        _drop_late(now),
    )


def _due(session: Session, condition: ColumnElement[bool]) -> Sequence[tuple[Subscription, Subscriber]]:
    found = session.execute(
        select(Subscription, Subscriber)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(condition)
        .limit(BATCH)
    )
    return [(row, person) for row, person in found]


def _nothing(condition: ColumnElement[bool]) -> bool:
    return db.session.scalar(select(Subscription.list_id).where(condition).limit(1)) is None


def _move(
    condition: ColumnElement[bool], event_type: EventType, controller: Controller, now: datetime
) -> int:
    if _nothing(condition):
        return 0
    with transaction() as session:
        lock_head(session, controller.ledger)
        events = [
            NewEvent(person, event_type, now, _CLOCK, list_id=row.list_id)
            for row, person in _due(session, condition)
        ]
        record(session, events, controller=controller, now=now)
        return len(events)


def _expire_unused(controller: Controller, now: datetime, stale_after: timedelta) -> int:
    """Look whether a consent was used within `stale_after`; if so, look again that long after the last use."""
    condition = Subscription.check_use_at <= now
    if _nothing(condition):
        return 0
    with transaction() as session:
        lock_head(session, controller.ledger)
        events = []
        for row, person in _due(session, condition):
            used = _last_use(session, row)
            if used is not None and used + stale_after > now:
                row.check_use_at = used + stale_after
            else:
                events.append(NewEvent(person, EventType.CONSENT_EXPIRED, now, _CLOCK, list_id=row.list_id))
        record(session, events, controller=controller, now=now)
        return len(events)


def _last_use(session: Session, row: Subscription) -> datetime | None:
    """When a broadcast last went out under this very consent."""
    return session.scalar(
        select(func.max(Delivery.updated_at)).where(
            Delivery.subscriber_id == row.subscriber_id,
            Delivery.consent_seq == row.granted_seq,
            Delivery.status.in_(_WENT_OUT),
        )
    )


def _drop_late(now: datetime) -> tuple[int, ...]:
    if not late_confirmations(db.session(), now):
        return ()
    with transaction() as session:
        return tuple(drop_late_confirmations(session, now))
