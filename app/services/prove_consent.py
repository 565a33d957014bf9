"""Show and prove the consent of one person: every entry, the words shown, the words written, the sends, the paths."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.audit import PathCollector
from app.domain.ledger import iso_ms
from app.domain.sealing import CannotOpen, KeyRing
from app.domain.statuses import DeliveryStatus
from app.services.controller import Controller
from app.services.manage_subscribers import OnList, Person, describe, find_subscriber, read_address
from app.services.proof import phrases
from app.services.record_consent import open_pii
from app.storage.consent import as_entry
from app.storage.database import db
from app.storage.models import (
    Broadcast,
    BroadcastList,
    ConsentEvent,
    ConsentPii,
    Delivery,
    InboundRow,
    LedgerHead,
    Notice,
    Subject,
    Subscriber,
)

FORMAT: Final = "tidings-proof-1"


@dataclass(frozen=True)
class TimelineEntry:
    """One entry of the ledger in words, for a screen."""

    seq: int
    event_id: str
    at: str
    event_type: str
    words: str


@dataclass(frozen=True)
class History:
    """A person's standings and entries in the order of the ledger."""

    person: Person
    entries: tuple[TimelineEntry, ...]


def show(raw: str, *, channel: str = "sms", language: str = "en", controller: Controller) -> History:
    """Return what the ledger says of the person at this address. Raises `Refused`, `NotFound`."""
    session = db.session()
    subscriber = _look_up(session, raw, channel, controller)
    names, text = _list_names(session), phrases.load(language)
    entries = tuple(
        TimelineEntry(
            event.seq,
            event.event_id,
            event.occurred_at,
            event.event_type,
            text.in_words(as_entry(event), names),
        )
        for event in _events(session, subscriber.subject_ref, None)
    )
    return History(describe(session, subscriber), entries)


def prove(
    raw: str, *, channel: str = "sms", language: str = "en", controller: Controller, now: datetime
) -> dict[str, Any]:
    """Return the proof pack as a JSON object: what another person needs to check it without our software.

    Each entry comes with its personal part and the salt of its commitment (both absent when erased) and with
    its audit path to the root over the whole ledger. Raises `Refused`, `NotFound`.
    """
    session = db.session()
    subscriber = _look_up(session, raw, channel, controller)
    head = session.get(LedgerHead, controller.ledger, populate_existing=True)
    size = head.seq if head else 0
    events = _events(session, subscriber.subject_ref, size)
    root, paths = _paths(session, controller.ledger, size, [event.seq - 1 for event in events])
    text, names = phrases.load(language), _list_names(session)
    return {
        "format": FORMAT,
        "language": text.language,
        "made_at": iso_ms(now),
        "controller": {
            "name": controller.brand,
            "contact": controller.contact,
            "privacy": controller.privacy_url,
        },
        "person": _person(describe(session, subscriber)),
        "entries": _entries(session, events, paths, controller.keys, text, names),
        "notices": _notices(session, events),
        "inbound": _inbound(session, subscriber.id),
        "sends": _sends(session, subscriber.id),
        "ledger": {
            "name": controller.ledger,
            "size": size,
            "head_hash": head.entry_hash if head else None,
            "root": root,
        },
        "how_to_verify": list(text.how_to_verify),
    }


def _look_up(session: Session, raw: str, channel: str, controller: Controller) -> Subscriber:
    return find_subscriber(session, read_address(raw, channel=channel, controller=controller))


def _list_names(session: Session) -> dict[int, str]:
    found = session.execute(select(BroadcastList.id, BroadcastList.name))
    return {row.id: row.name for row in found}


def _events(session: Session, subject_ref: str, until_seq: int | None) -> Sequence[ConsentEvent]:
    query = select(ConsentEvent).where(ConsentEvent.subject_ref == subject_ref).order_by(ConsentEvent.seq)
    return session.scalars(query if until_seq is None else query.where(ConsentEvent.seq <= until_seq)).all()


def _paths(
    session: Session, ledger: str, size: int, wanted: Sequence[int]
) -> tuple[str, dict[int, tuple[str, ...]]]:
    collector = PathCollector(wanted)
    for entry_hash in session.scalars(
        select(ConsentEvent.entry_hash)
        .where(ConsentEvent.ledger == ledger, ConsentEvent.seq <= size)
        .order_by(ConsentEvent.seq),
        execution_options={"yield_per": 10_000},
    ):
        collector.append(entry_hash)
    return collector.finish()


def _person(person: Person) -> dict[str, Any]:
    return {
        "address": person.address,
        "channel": person.channel,
        "subject_ref": person.subject_ref,
        "language": person.language,
        "known_since": iso_ms(person.since),
        "overlays": {name: iso_ms(at) for name, at in person.overlays.items()},
        "lists": [_on_list(row) for row in person.lists],
    }


def _on_list(row: OnList) -> dict[str, Any]:
    return {
        "list": row.list_name,
        "keyword": row.keyword,
        "state": row.state,
        "granted_seq": row.granted_seq,
        "granted_at": iso_ms(row.granted_at) if row.granted_at else None,
        "stopped_seq": row.stopped_seq,
        "stopped_at": iso_ms(row.stopped_at) if row.stopped_at else None,
    }


def _entries(
    session: Session,
    events: Sequence[ConsentEvent],
    paths: Mapping[int, tuple[str, ...]],
    keys: KeyRing,
    text: phrases.Phrases,
    names: Mapping[int, str],
) -> list[dict[str, Any]]:
    personal = _personal_parts(session, events, keys)
    return [
        {
            "in_words": text.in_words(as_entry(event), names),
            "entry": as_entry(event),
            "personal": personal.get(event.event_id),
            "audit_path": list(paths[event.seq - 1]),
        }
        for event in events
    ]


def _personal_parts(
    session: Session, events: Sequence[ConsentEvent], keys: KeyRing
) -> dict[str, dict[str, Any]]:
    found = session.execute(
        select(ConsentPii.event_id, ConsentPii.salt, ConsentPii.sealed, Subject.wrapped_key)
        .join(ConsentEvent, ConsentEvent.event_id == ConsentPii.event_id)
        .join(Subject, Subject.subject_ref == ConsentEvent.subject_ref)
        .where(ConsentPii.event_id.in_([event.event_id for event in events]))
    )
    return {row.event_id: _opened(row.salt, row.sealed, row.wrapped_key, keys) for row in found}


def _opened(salt: bytes, sealed: bytes, wrapped_key: bytes, keys: KeyRing) -> dict[str, Any]:
    try:
        return {"salt": salt.hex(), "data": open_pii(sealed, wrapped_key, keys)}
    except CannotOpen as error:
        # The rest of the proof still stands; that this part cannot be read must be seen, not hidden.
        return {"salt": salt.hex(), "data": None, "problem": str(error)}


def _notices(session: Session, events: Sequence[ConsentEvent]) -> list[dict[str, Any]]:
    wanted = {event.notice_id for event in events if event.notice_id is not None}
    return [
        {
            "id": notice.id,
            "version": notice.version,
            "language": notice.language,
            "shown_from": iso_ms(notice.created_at),
            "text": notice.text,
            "sha256": hashlib.sha256(notice.text.encode()).hexdigest(),
        }
        for notice in session.scalars(select(Notice).where(Notice.id.in_(wanted)).order_by(Notice.id))
    ]


def _inbound(session: Session, subscriber_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(InboundRow).where(InboundRow.subscriber_id == subscriber_id).order_by(InboundRow.id)
    )
    return [
        {
            "received_at": iso_ms(row.received_at),
            "text": row.text,
            "read_as": row.outcome,
            "rule": row.rule,
            "matcher": row.matcher_version,
            "answer": row.reply_text,
            "answer_skipped": row.reply_skipped,
        }
        for row in rows
    ]


def _sends(session: Session, subscriber_id: int) -> list[dict[str, Any]]:
    """Return the broadcasts that relied on a consent, each with the number of the entry that allowed it."""
    rows = session.execute(
        select(Delivery, Broadcast.title, Broadcast.text)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            Delivery.subscriber_id == subscriber_id,
            Delivery.inbound_id == 0,
            Delivery.consent_seq.is_not(None),
        )
        .order_by(Delivery.consent_seq, Delivery.broadcast_id)
    )
    return [
        {
            "broadcast": delivery.broadcast_id,
            "title": title,
            "text": text,
            "consent_seq": delivery.consent_seq,
            "status": DeliveryStatus(delivery.status).name.lower(),
            "reason": delivery.reason,
            "provider_id": delivery.provider_id,
            "updated_at": iso_ms(delivery.updated_at),
        }
        for delivery, title, text in rows
    ]
