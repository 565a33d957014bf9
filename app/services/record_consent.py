"""Write consent events: append to the ledger, seal the personal part, move the projection."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import BLOCKING, Act, EventType, Fact, Scope
from app.domain.ledger import SALT_BYTES, canonical, commit, iso_ms
from app.domain.sealing import KeyRing, new_data_key, open_with, seal_with
from app.services.controller import Controller
from app.services.hold_back import group_new
from app.services.project_consent import Move, project, to_ms
from app.services.suppressions import suppressed
from app.storage.aliases import people_at
from app.storage.consent import append, append_pii, lock_head, uuid7
from app.storage.database import among
from app.storage.models import BroadcastList, Notice, Sender, Subject, Subscriber
from app.storage.shared import shared_by

RECORD_FORMAT = 1
_CONSENT_TYPE = "expressed"
_LEGAL_BASIS = "consent"  # GDPR article 6(1)(a)


@dataclass(frozen=True)
class NewEvent:
    """One thing that happened to one person's consent, not yet in the ledger.

    `pii` is the personal part (address, words, provider's message id, evidence); only a salted commitment to it
    enters the chain. `list_id` is None when `scope` is ALL. `until` is when what it says ends by itself: the pause,
    the hold, the time for an answer. `question_event_id` is the recorded question that a YES or NO answers.
    """

    subscriber: Subscriber
    event_type: EventType
    occurred_at: datetime
    actor: str
    act: Act | None = None
    scope: Scope = Scope.LIST
    list_id: int | None = None
    notice: Notice | None = None
    sender: Sender | None = None
    pii: Mapping[str, Any] = field(default_factory=dict)
    matcher_version: str | None = None
    matched_rule: str | None = None
    tier: str | None = None
    cta_ref: str | None = None
    reply_template: str | None = None
    reply_skipped_reason: str | None = None
    related_event_id: str | None = None
    question_event_id: str | None = None
    until: datetime | None = None


def find_or_create_subscriber(
    session: Session, address: Address, *, language: str, controller: Controller, now: datetime
) -> Subscriber:
    """Return the subscriber at `address`, made with a fresh pseudonym and data key when new."""
    return find_or_create_subscribers(session, [address], language=language, controller=controller, now=now)[
        address
    ]


def find_or_create_subscribers(
    session: Session, addresses: Sequence[Address], *, language: str, controller: Controller, now: datetime
) -> dict[Address, Subscriber]:
    """Return the subscribers at `addresses` (one channel), in a few statements however many there are."""
    found = people_at(session, addresses)
    missing = [address for address in dict.fromkeys(addresses) if address not in found]
    if missing:
        # Two webhooks from one new person may race: the ledger's lock lets the second one look again.
        lock_head(session, controller.ledger)
        found = people_at(session, addresses)
        missing = [address for address in missing if address not in found]
        made = _new_subscribers(session, missing, language, controller.keys, now)
        group_new(session, list(made.values()), controller.region)
        session.flush()
        _suppress_known(session, made, controller, now)
        found |= made
    return found


def record(
    session: Session, events: Sequence[NewEvent], *, controller: Controller, now: datetime
) -> list[dict[str, Any]]:
    """Append `events` in order and move every subscription they touch; returns the entries as stored.

    People who leave an audience are struck from broadcasts that are being sent, in the same transaction.
    """
    if not events:
        return []
    head = lock_head(session, controller.ledger)
    keys = _data_keys(session, events, controller.keys)
    purposes = purposes_of(session, events)
    entries, sealed = [], []
    for event in events:
        entry = entry_of(event, purposes, controller, now)
        if event.pii:
            salt = os.urandom(SALT_BYTES)
            entry["pii_commit"] = commit(event.pii, salt)
            box = seal_with(keys[event.subscriber.subject_ref], canonical(dict(event.pii)))
            sealed.append({"event_id": entry["event_id"], "salt": salt, "sealed": box})
        entries.append(entry)
    stored = append(session, head, entries)
    append_pii(session, sealed)
    moves = [
        Move(event.subscriber, fact_of(event, entry["seq"]))
        for event, entry in zip(events, stored, strict=True)
    ]
    project(session, moves, now)
    return stored


def open_pii(sealed: bytes, wrapped_key: bytes, keys: KeyRing) -> dict[str, Any]:
    """Return the personal part of an entry; raises `CannotOpen` when the person's key is gone or wrong."""
    opened: dict[str, Any] = json.loads(open_with(keys.unwrap(wrapped_key), sealed))
    return opened


def _new_subscribers(
    session: Session, addresses: Sequence[Address], language: str, keys: KeyRing, now: datetime
) -> dict[Address, Subscriber]:
    """Make subscribers; a person whose subject is still there (the row had gone) keeps it and its data key."""
    hmacs = {address: keys.index_hmacs(address.channel, address.value) for address in addresses}
    every = [hmac for own in hmacs.values() for hmac in own]
    known = session.scalars(select(Subject).where(Subject.index_hmac.in_(every)))
    subjects = {subject.index_hmac: subject for subject in known}
    made: dict[Address, Subscriber] = {}
    for address, own in hmacs.items():
        there = (subjects[index] for index in own if index in subjects)
        subject = next(there, None) or Subject(
            subject_ref=uuid7(now),
            index_hmac=own[0],
            wrapped_key=keys.wrap(new_data_key()),
            key_version=keys.version,
            created_at=now,
        )
        session.add(subject)
        made[address] = Subscriber(
            channel=address.channel,
            address=address.value,
            subject_ref=subject.subject_ref,
            language=language,
            attributes={},
            created_at=now,
        )
    session.add_all(made.values())
    return made


def _suppress_known(
    session: Session, made: Mapping[Address, Subscriber], controller: Controller, now: datetime
) -> None:
    """An address may be suppressed before we meet it, or again after its person was erased: it stays so."""
    found = suppressed(session, controller.keys, made)
    events = [
        NewEvent(made[one], EventType.SUPPRESSION_ADDED, now, "system:suppression-list", scope=Scope.ALL)
        for one in made
        if one in found
    ]
    record(session, events, controller=controller, now=now)


def _data_keys(session: Session, events: Sequence[NewEvent], keys: KeyRing) -> dict[str, bytes]:
    wanted = {event.subscriber.subject_ref for event in events if event.pii}
    if (shared := shared_by(session)) is not None and {
        event.subscriber.id for event in events
    } <= shared.people:
        there = shared.of(session, "data keys", _wrapped_keys)
        return {ref: keys.unwrap(wrapped) for ref, wrapped in there.values() if ref in wanted}
    rows = session.execute(
        select(Subject.subject_ref, Subject.wrapped_key).where(Subject.subject_ref.in_(wanted))
    )
    return {ref: keys.unwrap(wrapped) for ref, wrapped in rows}


def _wrapped_keys(session: Session, subscriber_ids: Collection[int]) -> dict[int, tuple[str, bytes]]:
    rows = session.execute(
        select(Subscriber.id, Subject.subject_ref, Subject.wrapped_key)
        .join(Subject, Subject.subject_ref == Subscriber.subject_ref)
        .where(among(session, Subscriber.id, subscriber_ids))
    )
    return {id_: (ref, wrapped) for id_, ref, wrapped in rows}


def fact_of(event: NewEvent, seq: int) -> Fact:
    """Return what the fold needs of an event."""
    return Fact(
        seq,
        event.event_type,
        to_ms(event.occurred_at),
        event.list_id,
        act=event.act,
        until=to_ms(event.until) if event.until else None,
        blocks=event.reply_skipped_reason in BLOCKING,
    )


def purposes_of(session: Session, events: Sequence[NewEvent]) -> dict[int, str]:
    """Return the purpose of every list that the events name, by list id."""
    wanted = {event.list_id for event in events if event.list_id is not None}
    if not wanted:
        return {}
    if shared_by(session) is not None:  # then the lists themselves have been read
        return {id_: session.get_one(BroadcastList, id_).purpose for id_ in wanted}
    found = session.execute(
        select(BroadcastList.id, BroadcastList.purpose).where(BroadcastList.id.in_(wanted))
    )
    return {key: value for key, value in found}


def entry_of(
    event: NewEvent, purposes: Mapping[int, str], controller: Controller, now: datetime
) -> dict[str, Any]:
    """Return an event as a ledger entry that has no place in the chain yet; `purposes` is by list id."""
    given = event.event_type is EventType.CONSENT_GIVEN
    return {
        "event_id": uuid7(now),
        "v": RECORD_FORMAT,
        "ledger": controller.ledger,
        "subject_ref": event.subscriber.subject_ref,
        "event_type": event.event_type.value,
        "occurred_at": iso_ms(event.occurred_at),
        "recorded_at": iso_ms(now),
        "channel": event.subscriber.channel,
        "provider": event.sender.gateway if event.sender else None,
        "sender_id": event.sender.id if event.sender else None,
        "list_id": event.list_id,
        "purpose": purposes.get(event.list_id) if event.list_id is not None else None,
        "consent_type": _CONSENT_TYPE if given else None,
        "legal_basis": _LEGAL_BASIS if given else None,
        "scope": event.scope.value,
        "notice_id": event.notice.id if event.notice else None,
        "notice_version": event.notice.version if event.notice else None,
        "notice_lang": event.notice.language if event.notice else None,
        "notice_sha256": event.notice.sha256 if event.notice else None,
        "cta_ref": event.cta_ref,
        "act": event.act.value if event.act else None,
        "matcher_version": event.matcher_version,
        "matched_rule": event.matched_rule,
        "tier": event.tier,
        "controller_name": controller.brand,
        "controller_contact": controller.contact,
        "actor": event.actor,
        "reply_template": event.reply_template,
        "reply_skipped_reason": event.reply_skipped_reason,
        "related_event_id": event.related_event_id,
        "question_event_id": event.question_event_id,
        "stale_at": iso_ms(event.until) if event.until else None,
    }
