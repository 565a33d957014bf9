"""The link in a question: look at what it confirms, and confirm it (consent.md 3.2, row 5). A code works once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.consent import Act, EventType
from app.domain.replies import ReplyKind
from app.services.controller import Controller, NotFound
from app.services.lists_of_sender import present_notice
from app.services.record_consent import NewEvent, record
from app.services.replies_broadcast import replies_broadcast
from app.storage import own_messages
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastList,
    ConsentEvent,
    Notice,
    OwnMessage,
    Sender,
    Subscriber,
    Subscription,
)

_GONE = "This link was used already, or is older than three days."


@dataclass(frozen=True)
class Question:
    """What a link is about: the list and the notice that was shown."""

    list_name: str
    notice_text: str
    notice_language: str


@dataclass(frozen=True)
class _Open:
    """An open question with everything that its answer needs."""

    message: OwnMessage
    person: Subscriber
    list: BroadcastList
    asked: ConsentEvent
    notice: Notice


def look(code: str, *, controller: Controller, now: datetime) -> Question:
    """Return what this code confirms; looking changes nothing. Raises `NotFound` when it confirms nothing any more."""
    found = _open(db.session(), code, controller, now)
    return Question(found.list.name, found.notice.text, found.notice.language)


def confirm(code: str, *, evidence: Mapping[str, str], controller: Controller, now: datetime) -> int:
    """Subscribe the person whom the code was sent to, and welcome them; returns the sender whose welcome waits.

    `evidence` (IP, browser) is sealed with the entry. Raises `NotFound` when the code confirms nothing any more.
    """
    with transaction() as session:
        lock_head(session, controller.ledger)  # of two presses of the button one comes first
        found = _open(session, code, controller, now)
        sender = session.get_one(Sender, found.list.sender_id)
        record(session, [_grant(found, sender, evidence, now)], controller=controller, now=now)
        welcome = OwnMessage(
            subscriber_id=found.person.id,
            list_id=found.list.id,
            kind=ReplyKind.WELCOME.value,
            text=found.notice.text,
            acted_at=now,
            created_at=now,
        )
        own_messages.add(session, [(welcome, None)], replies_broadcast(session, sender, now))
        return sender.id


def _grant(found: _Open, sender: Sender, evidence: Mapping[str, str], now: datetime) -> NewEvent:
    return NewEvent(
        found.person,
        EventType.CONSENT_GIVEN,
        now,
        "person",
        act=Act.DOI_LINK,
        list_id=found.list.id,
        notice=found.notice,
        sender=sender,
        pii={"address": found.person.address, "channel": found.person.channel, **evidence},
        cta_ref=found.asked.cta_ref,
        question_event_id=found.asked.event_id,
        reply_template=ReplyKind.WELCOME.value,
    )


def _open(session: Session, code: str, controller: Controller, now: datetime) -> _Open:
    row = session.execute(
        select(OwnMessage, Subscriber, BroadcastList, ConsentEvent)
        .join(Subscriber, Subscriber.id == OwnMessage.subscriber_id)
        .join(BroadcastList, BroadcastList.id == OwnMessage.list_id)
        .join(
            Subscription,
            (Subscription.list_id == OwnMessage.list_id) & (Subscription.subscriber_id == Subscriber.id),
        )
        .join(
            ConsentEvent,
            (ConsentEvent.seq == Subscription.requested_seq) & (ConsentEvent.ledger == controller.ledger),
        )
        .where(
            OwnMessage.code == code,
            OwnMessage.requested_seq == Subscription.requested_seq,
            Subscription.expires_at >= now,
            Subscriber.suppressed_at.is_(None),
            Subscriber.erased_at.is_(None),
            BroadcastList.archived_at.is_(None),
        )
    ).first()
    if row is None:
        raise NotFound(_GONE)
    message, person, list_, asked = row
    notice = session.get(Notice, asked.notice_id) if asked.notice_id else None
    return _Open(message, person, list_, asked, notice or present_notice(session, list_.id, person.language))
