"""Open requests for erasure: the ledger says that somebody asked, and the row of the person that it is not done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import Exists, Row, Select, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from app.domain.consent import EventType
from app.domain.statuses import DeliveryStatus
from app.storage.database import db
from app.storage.models import ConsentEvent, Delivery, Subscriber

# GDPR article 12(3): without undue delay, and within one month of receipt.
DEADLINE = relativedelta(months=1)
_WAITING = (DeliveryStatus.PENDING.value, DeliveryStatus.HANDING_OVER.value)
# In the very words of the partial index `ix_consent_event_erasure`, or SQLite does not use it.
_IN_THE_INDEX = ConsentEvent.event_type.in_(
    [literal(kind.value, literal_execute=True) for kind in (EventType.ERASURE_REQUESTED, EventType.ERASED)]
)


@dataclass(frozen=True)
class Request:
    """Somebody asked to be erased, and was not yet. `waits` names what is waited for: an answer on its way."""

    subscriber_id: int
    address: str
    channel: str
    event_id: str
    asked_at: datetime
    due_at: datetime
    actor: str
    waits: bool


@dataclass(frozen=True)
class Done:
    """An erasure that was carried out. `full`: nothing but the skeleton of the chain is left."""

    at: datetime
    actor: str
    full: bool
    subscriber_id: int | None


def open_requests(ledger: str) -> list[Request]:
    """Return what is open, the oldest first. A person who sent START after asking has taken the request back."""
    found: dict[int, Request] = {}
    for row in db.session.execute(_open(ledger)):
        request = _request(row)
        found.setdefault(
            request.subscriber_id, request
        )  # whoever asks twice has the deadline of the first time
    return list(found.values())


def done_lately(ledger: str, limit: int = 50) -> list[Done]:
    """Return the last erasures, the newest first."""
    rows = db.session.execute(
        select(ConsentEvent, Subscriber.id)
        .outerjoin(Subscriber, Subscriber.subject_ref == ConsentEvent.subject_ref)
        .where(
            # Not by the bare column: SQLite would read the whole ledger in its order to find a few erasures.
            func.coalesce(ConsentEvent.ledger, "") == ledger,
            ConsentEvent.event_type == EventType.ERASED.value,
            _IN_THE_INDEX,
        )
        .order_by(ConsentEvent.seq.desc())
        .limit(limit)
    )
    return [
        Done(_moment(event.occurred_at), event.actor, event.matched_rule != "erase:restricted", subscriber_id)
        for event, subscriber_id in rows
    ]


def request_of(session: Session, person: Subscriber) -> Request | None:
    """Return the open request of one person."""
    row = session.execute(_open(None).where(Subscriber.id == person.id)).first()
    return _request(row) if row else None


def next_request(session: Session, ledger: str, *, skip: Collection[int]) -> Request | None:
    """Return, locked, the oldest request whose answer has gone out; None when there is none."""
    row = session.execute(
        _open(ledger)
        .where(Subscriber.id.not_in(list(skip)), ~_answer_waits())
        .limit(1)
        .with_for_update(of=Subscriber, skip_locked=True)
    ).first()
    return _request(row) if row else None


def _open(ledger: str | None) -> Select[ConsentEvent, Subscriber, bool]:
    back = aliased(ConsentEvent)  # a fresh act of the person (consent rules, 3.2 row 16)
    query = (
        select(ConsentEvent, Subscriber, _answer_waits().label("waits"))
        .join(Subscriber, Subscriber.subject_ref == ConsentEvent.subject_ref)
        .where(
            ConsentEvent.event_type == EventType.ERASURE_REQUESTED.value,
            _IN_THE_INDEX,
            Subscriber.erased_at.is_(None),
            ~exists().where(
                back.subject_ref == ConsentEvent.subject_ref,
                back.event_type == EventType.CONSENT_GIVEN.value,
                back.seq > ConsentEvent.seq,
            ),
        )
        .order_by(ConsentEvent.seq)
    )
    # Not the bare column: SQLite would go through the whole ledger by its own index, and not by that of the few.
    return query if ledger is None else query.where(ConsentEvent.ledger + "" == ledger)


def _answer_waits() -> Exists:
    return (
        exists()
        .where(
            Delivery.subscriber_id == Subscriber.id,
            Delivery.inbound_id > 0,
            Delivery.status.in_(_WAITING),
        )
        .correlate(Subscriber)
    )


def _request(row: Row[ConsentEvent, Subscriber, bool]) -> Request:
    event, person, waits = row
    asked = _moment(event.occurred_at)
    return Request(
        person.id, person.address, person.channel, event.event_id, asked, asked + DEADLINE, event.actor, waits
    )


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
