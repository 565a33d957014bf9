"""The deeds of an erasure: blank the words, strike what waits, cut the address off, lock or destroy the proof."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from string import ascii_lowercase
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from app.domain.consent import Scope
from app.domain.retention import RULES, Kept
from app.domain.sealing import KeyRing
from app.domain.statuses import DeliveryStatus, SkipReason
from app.services.project_consent import to_ms
from app.storage import aliases
from app.storage.append_only import ERASES
from app.storage.models import (
    AddressAlias,
    BroadcastAnswer,
    ConsentEvent,
    ConsentPii,
    Delivery,
    DeliveryRead,
    InboundRow,
    InboxMessage,
    LinkedAddress,
    OwnMessage,
    PersonClick,
    PushRouteRow,
    RestrictedSubject,
    Subject,
    Subscriber,
    Suppression,
    Tester,
)

ERASED: Final = "erased:"
REPEATS_FOR: Final = timedelta(days=RULES[Kept.REPEATS].days)
HANDED_OVER: Final = tuple(
    status.value
    for status in DeliveryStatus
    if status not in (DeliveryStatus.PENDING, DeliveryStatus.SKIPPED)
)
_SUPPRESSED_FOR: Final = "erasure"


def blank(session: Session, people: Sequence[Subscriber], now: datetime) -> None:
    """Take from these people their words and ours, what waits to go out to them, their profile and other addresses.

    The row of a subscriber stays without its address, so that every broadcast still counts whom it went to; and
    its overlays stay, which say nothing of anybody now and must equal the fold of the ledger.
    """
    ids = [person.id for person in people]
    _blank_texts(session, ids, now)
    _blank_deliveries(session, ids, now)
    forget_answers(session, BroadcastAnswer.subscriber_id.in_(ids))
    for table in (PushRouteRow, InboxMessage, AddressAlias, LinkedAddress, PersonClick, DeliveryRead, Tester):
        session.execute(
            delete(table).where(table.subscriber_id.in_(ids)),
            execution_options={"synchronize_session": False},
        )
    for person in people:
        person.address = ERASED + "".join(secrets.choice(ascii_lowercase) for _ in range(26))
        person.attributes, person.language = {}, "en"
        person.erased_at = person.erased_at or to_ms(now)


def forget_answers(session: Session, which: ColumnElement[bool]) -> None:
    """Leave of these answers to broadcasts what they said, and take away who said it and when."""
    session.execute(
        update(BroadcastAnswer).where(which).values(subscriber_id=None, inbound_id=None, answered_at=None),
        execution_options={"synchronize_session": False},
    )


def _blank_texts(session: Session, ids: Sequence[int], now: datetime) -> None:
    theirs = InboundRow.subscriber_id.in_(ids)
    session.execute(
        update(InboundRow)
        .where(theirs)
        .values(
            text="",
            reply_text=None,
            reply_token=None,
            media_count=0,
            read_at=func.coalesce(InboundRow.read_at, now),
        ),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        delete(OwnMessage).where(OwnMessage.subscriber_id.in_(ids)),
        execution_options={"synchronize_session": False},
    )
    forget_repeats(session, ids, now - REPEATS_FOR)


def forget_repeats(session: Session, ids: Sequence[int], before: datetime) -> int:
    """Replace the provider's number of each text older than `before`; a provider can tell from it who wrote."""
    rows = session.scalars(
        select(InboundRow).where(
            InboundRow.subscriber_id.in_(ids),
            InboundRow.received_at <= before,
            InboundRow.external_id.not_like(f"{ERASED}%"),
        )
    ).all()
    for row in rows:
        row.external_id = f"{ERASED}{row.id}"
    return len(rows)


def _blank_deliveries(session: Session, ids: Sequence[int], now: datetime) -> None:
    theirs = Delivery.subscriber_id.in_(ids)
    waiting = Delivery.status == DeliveryStatus.PENDING.value
    session.execute(
        update(Delivery)
        .where(theirs, waiting)
        .values(
            status=DeliveryStatus.SKIPPED.value, reason=SkipReason.ERASED.value, due_at=None, updated_at=now
        ),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Delivery).where(theirs, Delivery.provider_id.is_not(None)).values(provider_id=None),
        execution_options={"synchronize_session": False},
    )


def suppress(session: Session, hmacs: Sequence[str], keys: KeyRing, now: datetime) -> None:
    """Keep a keyed hash of each address, so that no import brings the person back; once is enough."""
    there = set(
        session.scalars(
            select(Suppression.hmac).where(Suppression.hmac.in_(hmacs), Suppression.lifted_at.is_(None))
        )
    )
    session.add_all(
        Suppression(
            hmac=hmac,
            key_version=keys.version,
            scope=Scope.ALL.value,
            reason=_SUPPRESSED_FOR,
            created_at=now,
        )
        for hmac in hmacs
        if hmac not in there
    )


def restrict(session: Session, subject_ref: str, hmac: str, now: datetime) -> None:
    """Put the sealed proof under lock: the address leads to it only through the hash that suppressions use."""
    subject = session.get_one(Subject, subject_ref)
    subject.index_hmac = secrets.token_hex(32)
    session.add(RestrictedSubject(subject_ref=subject_ref, hmac=hmac, since=now))


def shred(session: Session, subject_refs: Sequence[str]) -> None:
    """Destroy salts, ciphertexts and data keys. What is left of these people in the chain leads nowhere."""
    theirs = select(ConsentEvent.event_id).where(ConsentEvent.subject_ref.in_(subject_refs))
    for statement in (
        delete(ConsentPii).where(ConsentPii.event_id.in_(theirs)),
        delete(Subject).where(Subject.subject_ref.in_(subject_refs)),
        delete(RestrictedSubject).where(RestrictedSubject.subject_ref.in_(subject_refs)),
    ):
        session.execute(statement, execution_options={"synchronize_session": False, **ERASES})


def hash_of(person: Subscriber, keys: KeyRing) -> str:
    """The keyed hash under which this person's address is suppressed."""
    return keys.suppress_hmac(person.channel, person.address)


def hashes_of(session: Session, people: Sequence[Subscriber], keys: KeyRing) -> list[str]:
    """The same for several people, and for every other address that leads to them."""
    further = aliases.aliases_of(session, people)
    return [hash_of(person, keys) for person in people] + [
        keys.suppress_hmac(one.channel, one.value) for one in further
    ]
