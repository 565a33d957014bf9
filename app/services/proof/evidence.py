"""What a proof holds of one person, read from the database: entries, evidence, notices, texts, sends."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.ledger import iso_ms
from app.domain.sealing import CannotOpen, KeyRing
from app.domain.statuses import DeliveryStatus
from app.services.manage_subscribers import OnList, Person
from app.services.proof import phrases
from app.services.record_consent import open_pii
from app.storage.consent import as_entry
from app.storage.models import (
    Broadcast,
    ConsentEvent,
    ConsentPii,
    Delivery,
    InboundRow,
    Notice,
    Subject,
)


def erased(subject_ref: str, events: Sequence[ConsentEvent]) -> dict[str, Any]:
    """Return what is left of a person of whom nothing but the ledger's entries remains."""
    return {
        "address": None,
        "channel": events[0].channel,
        "subject_ref": subject_ref,
        "language": None,
        "known_since": None,
        "overlays": {},
        "lists": [],
    }


def person(found: Person) -> dict[str, Any]:
    """Return a person and the present standings."""
    return {
        "address": found.address,
        "channel": found.channel,
        "subject_ref": found.subject_ref,
        "language": found.language,
        "known_since": iso_ms(found.since),
        "overlays": {name: iso_ms(at) for name, at in found.overlays.items()},
        "lists": [_on_list(row) for row in found.lists],
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


def entries(
    session: Session,
    events: Sequence[ConsentEvent],
    paths: Mapping[int, tuple[str, ...]],
    keys: KeyRing,
    text: phrases.Phrases,
    names: Mapping[int, str],
) -> list[dict[str, Any]]:
    """Return each entry in words and as it was hashed, its evidence (None when erased), its path to the root."""
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


def notices(session: Session, events: Sequence[ConsentEvent]) -> list[dict[str, Any]]:
    """Return the words of every notice that the events name."""
    wanted = {event.notice_id for event in events if event.notice_id is not None}
    return [
        {
            "id": notice.id,
            "version": notice.version,
            "language": notice.language,
            "shown_from": iso_ms(notice.created_at),
            "text": notice.text,
            "sha256": hashlib.sha256(notice.text.encode()).hexdigest(),
            "policy_url": notice.policy_url,
        }
        for notice in session.scalars(select(Notice).where(Notice.id.in_(wanted)).order_by(Notice.id))
    ]


def inbound(session: Session, subscriber_id: int) -> list[dict[str, Any]]:
    """Return what the person wrote, how we read it, and what we answered."""
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


def sends(session: Session, subscriber_id: int) -> list[dict[str, Any]]:
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
