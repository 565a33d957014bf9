"""Texts that may have meant STOP and wait for a human: list them, decide them, and decide the overdue as STOP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.consent import Act, EventType, Scope, SubscriptionState
from app.domain.keywords import Decision, Outcome, classify
from app.domain.replies import CONFIRM_WITHIN, ReplyKind, reply
from app.domain.statuses import DeliveryStatus
from app.services.controller import Conflict, Controller, NotFound
from app.services.lists_of_sender import facts_of, offers_of
from app.services.record_consent import NewEvent, record
from app.services.replies_broadcast import replies_broadcast
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Delivery, InboundRow, Sender, Subscriber, Subscription

_IN_FORCE = [state.value for state in SubscriptionState if state not in ("unknown", "stopped")]


@dataclass(frozen=True)
class HeldPerson:
    """Somebody to whom nothing is sent until `due_at`: what they wrote, and which words held it by which rule."""

    subscriber_id: int
    address: str
    opened_at: datetime
    due_at: datetime
    texts: tuple[str, ...]
    tier: str
    rule: str
    words: str
    why: str


@dataclass(frozen=True)
class Decided:
    """What was decided; `sender_id` is whose reply now waits, if one does."""

    subscriber_id: int
    stopped: bool
    sender_id: int | None = None


def held(limit: int = 100) -> list[HeldPerson]:
    """Return those who wait for a decision, the most urgent first."""
    people = db.session.scalars(
        select(Subscriber)
        .where(Subscriber.review_due_at.is_not(None))
        .order_by(Subscriber.review_due_at, Subscriber.id)
        .limit(limit)
    )
    return [_held(db.session(), person) for person in people]


def waiting() -> int:
    """How many people are held."""
    return db.session.scalar(select(func.count()).where(Subscriber.review_due_at.is_not(None))) or 0


def decide(subscriber_id: int, *, stop: bool, by: str, controller: Controller, now: datetime) -> Decided:
    """Say what the text meant: a STOP of everything, or not. Raises `NotFound`, `Conflict` when it was decided.

    A confirmation goes out only within five minutes of the text, as for every STOP.
    """
    with transaction() as session:
        lock_head(session, controller.ledger)
        person = session.get(Subscriber, subscriber_id)
        if person is None:
            raise NotFound("There is no such person.")
        if person.review_opened_at is None:
            raise Conflict("This was decided already, by a colleague or by the person's own words.")
        return _decide(session, person, stop, by, controller, now)


def decide_overdue(*, controller: Controller, now: datetime, limit: int = 500) -> list[Decided]:
    """Stop whoever waited a whole business day for us to look: in doubt, for the person (row 15)."""
    due = select(Subscriber.id).where(Subscriber.review_due_at <= now).limit(limit)
    if db.session.scalar(due.limit(1)) is None:
        return []
    with transaction() as session:
        lock_head(session, controller.ledger)
        people = session.scalars(select(Subscriber).where(Subscriber.review_due_at <= now).limit(limit))
        return [_decide(session, person, True, "system:clock", controller, now) for person in people.all()]


def _held(session: Session, person: Subscriber) -> HeldPerson:
    texts = _texts(session, person)
    opened, due = person.review_opened_at, person.review_due_at
    assert opened is not None  # noqa: S101  # chosen by it
    assert due is not None  # noqa: S101
    first = texts[0] if texts else None
    read = _read_again(first) if first else None
    return HeldPerson(
        person.id,
        person.address,
        opened,
        due,
        tuple(row.text for row in texts),
        first.tier if first else "",
        first.rule if first else "",
        read.words if read else "",
        read.explain() if read else "",
    )


def _read_again(row: InboundRow) -> Decision:
    """The decision as it was stored, with the words that decided, if today's rules still find them."""
    language = row.rule.partition(".")[0]
    words = classify(row.text, languages=(language,), state=SubscriptionState.ACTIVE.value)
    found = words.words if words.rule == row.rule else ""
    return Decision(Outcome(row.outcome), row.tier, row.rule, words=found or " ".join(row.text.split()))


def _texts(session: Session, person: Subscriber) -> Sequence[InboundRow]:
    return session.scalars(
        select(InboundRow)
        .where(
            InboundRow.subscriber_id == person.id,
            InboundRow.outcome.in_([Outcome.REVIEW.value, Outcome.DECLINE.value]),
            InboundRow.received_at >= person.review_opened_at,
        )
        .order_by(InboundRow.received_at, InboundRow.id)
    ).all()


def _decide(
    session: Session, person: Subscriber, stop: bool, by: str, controller: Controller, now: datetime
) -> Decided:
    texts = _texts(session, person)
    answered = _confirm(session, person, texts[-1], controller, now) if stop and texts else None
    skipped = None if answered is not None or not stop else "late"
    events = [NewEvent(person, EventType.REVIEW_DECIDED, now, by, act=Act.OPERATOR, scope=Scope.ALL)]
    if stop:
        events.append(
            NewEvent(
                person,
                EventType.CONSENT_WITHDRAWN if _in_force(session, person) else EventType.STOP_REPEATED,
                now,
                by,
                act=Act.KEYWORD_FUZZY,
                scope=Scope.ALL,
                matched_rule=texts[-1].rule if texts else None,
                tier=texts[-1].tier if texts else None,
                reply_template=ReplyKind.STOPPED.value if answered is not None else None,
                reply_skipped_reason=skipped,
            )
        )
    record(session, events, controller=controller, now=now)
    return Decided(person.id, stop, answered)


def _in_force(session: Session, person: Subscriber) -> bool:
    rows = select(Subscription.list_id).where(
        Subscription.subscriber_id == person.id, Subscription.state.in_(_IN_FORCE)
    )
    return session.scalar(rows.limit(1)) is not None


def _confirm(
    session: Session, person: Subscriber, text: InboundRow, controller: Controller, now: datetime
) -> int | None:
    """Answer the text that was held, when it is not too late for that; returns the sender whose reply waits."""
    if now - text.received_at > CONFIRM_WITHIN:
        text.reply_skipped = "late"
        return None
    sender = session.get_one(Sender, text.sender_id)
    facts = facts_of(None, offers_of(session, sender), sender, controller, person.language)
    text.reply_kind, text.reply_text = (
        ReplyKind.STOPPED.value,
        reply(ReplyKind.STOPPED, person.language, facts),
    )
    session.add(
        Delivery(
            broadcast_id=replies_broadcast(session, sender, now),
            subscriber_id=person.id,
            inbound_id=text.id,
            status=DeliveryStatus.PENDING.value,
            attempts=0,
            updated_at=now,
        )
    )
    return sender.id
