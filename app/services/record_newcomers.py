"""Record the consent of many people whom we do not know yet: the same entries as `record`, in bulk statements.

For somebody new there is no earlier standing to read and no running broadcast to be struck from, so a thousand
people take five statements.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import Act, EventType, Overlays, Standing, apply
from app.domain.ledger import SALT_BYTES, canonical, commit
from app.domain.sealing import new_data_key, seal_with
from app.services.controller import Controller
from app.services.project_consent import write_standing
from app.services.record_consent import NewEvent, entry_of, fact_of, purposes_of
from app.storage.consent import append, append_pii, lock_head, uuid7
from app.storage.models import Subject, Subscriber, Subscription

_SUBSCRIPTION_COLUMNS: Final = tuple(Subscription.__table__.columns.keys())


@dataclass(frozen=True)
class Newcomer:
    """Somebody without subscriber and subject, who consented at `consent_at`; `pii` is the evidence."""

    address: Address
    language: str
    attributes: Mapping[str, str]
    consent_at: datetime
    pii: Mapping[str, Any]


@dataclass(frozen=True)
class Joining:
    """What all newcomers of one call have in common."""

    list_id: int
    act: Act
    actor: str
    cta_ref: str


def record_newcomers(
    session: Session,
    newcomers: Sequence[Newcomer],
    joining: Joining,
    *,
    controller: Controller,
    now: datetime,
) -> None:
    """Make every newcomer (all on one channel) a subscriber with a data key, and append their consent in order."""
    if not newcomers:
        return
    head = lock_head(session, controller.ledger)
    data_keys = [new_data_key() for _ in newcomers]
    events = [_event(one, joining, uuid7(now)) for one in newcomers]
    ids = _insert_people(session, newcomers, events, data_keys, controller, now)
    purposes = purposes_of(session, events[:1])
    entries, sealed = [], []
    for event, key in zip(events, data_keys, strict=True):
        entry = entry_of(event, purposes, controller, now)
        salt, plain = os.urandom(SALT_BYTES), dict(event.pii)
        entry["pii_commit"] = commit(plain, salt)
        box = seal_with(key, canonical(plain))
        sealed.append({"event_id": entry["event_id"], "salt": salt, "sealed": box})
        entries.append(entry)
    stored = append(session, head, entries)
    append_pii(session, sealed)
    rows = [
        _subscription(ids[event.subscriber.address], event, entry["seq"], now)
        for event, entry in zip(events, stored, strict=True)
    ]
    session.execute(insert(Subscription), rows)


def _event(newcomer: Newcomer, joining: Joining, subject_ref: str) -> NewEvent:
    person = Subscriber(
        channel=newcomer.address.channel, address=newcomer.address.value, subject_ref=subject_ref
    )
    return NewEvent(
        person,
        EventType.CONSENT_GIVEN,
        occurred_at=newcomer.consent_at,
        actor=joining.actor,
        act=joining.act,
        list_id=joining.list_id,
        pii=newcomer.pii,
        cta_ref=joining.cta_ref,
    )


def _insert_people(
    session: Session,
    newcomers: Sequence[Newcomer],
    events: Sequence[NewEvent],
    data_keys: Sequence[bytes],
    controller: Controller,
    now: datetime,
) -> dict[str, int]:
    """Insert subjects and subscribers; return the subscribers' ids by address."""
    refs = [event.subscriber.subject_ref for event in events]
    subjects = [
        {
            "subject_ref": ref,
            "index_hmac": controller.keys.index_hmac(one.address.channel, one.address.value),
            "wrapped_key": controller.keys.wrap(key),
            "key_version": controller.keys.version,
            "created_at": now,
        }
        for ref, one, key in zip(refs, newcomers, data_keys, strict=True)
    ]
    subscribers = [
        {
            "channel": one.address.channel,
            "address": one.address.value,
            "subject_ref": ref,
            "language": one.language,
            "attributes": dict(one.attributes),
            "created_at": now,
        }
        for ref, one in zip(refs, newcomers, strict=True)
    ]
    session.execute(insert(Subject), subjects)
    session.execute(insert(Subscriber), subscribers)
    found = session.execute(
        select(Subscriber.address, Subscriber.id).where(
            Subscriber.channel == newcomers[0].address.channel,
            Subscriber.address.in_([one.address.value for one in newcomers]),
        )
    )
    return {address: subscriber_id for address, subscriber_id in found}


def _subscription(subscriber_id: int, event: NewEvent, seq: int, now: datetime) -> dict[str, Any]:
    row = Subscription(subscriber_id=subscriber_id, list_id=event.list_id)
    write_standing(row, apply(Standing(), fact_of(event, seq), Overlays()), now)
    return {name: getattr(row, name) for name in _SUBSCRIPTION_COLUMNS}
