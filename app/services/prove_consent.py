"""Show and prove the consent of one person: every entry, the words shown, the words written, the sends, the paths."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.audit import PathCollector
from app.domain.check_proof import FORMAT
from app.domain.consistency import ConsistencyCollector
from app.domain.ledger import iso_ms
from app.domain.tree_heads import SignedHead
from app.services.controller import Controller, NotFound
from app.services.ledger_statements import NO_SUBJECT
from app.services.manage_subscribers import Person, describe, find_subscriber, read_address
from app.services.proof import evidence, phrases
from app.services.sign_heads import sign, signed_heads
from app.storage.consent import as_entry
from app.storage.database import db
from app.storage.models import BroadcastList, ConsentEvent, LedgerHead, Subscriber

_EVENT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
        for event in _events(session, controller.ledger, subscriber.subject_ref)
    )
    return History(describe(session, subscriber), entries)


def prove(
    raw: str,
    *,
    channel: str = "sms",
    language: str = "en",
    controller: Controller,
    heads: Path | None = None,
    now: datetime,
) -> dict[str, Any]:
    """Return the proof pack as a JSON object: what another person needs to check it without our software.

    `raw` is an address, or the id of an entry, which also leads to somebody who has been erased. Each entry comes
    with its personal part and the salt of its commitment (both absent when erased) and its audit path to the root
    of a signed head. Where no head covers them all yet, one is signed now and exported to `heads`; without that
    folder the root over the whole ledger stands unsigned. Raises `Refused`, `NotFound`.
    """
    session, text = db.session(), phrases.load(language)
    subject_ref, subscriber = _whom(session, raw, channel, controller)
    events = _events(session, controller.ledger, subject_ref)
    covering = _covering(session, controller, events[-1].seq if events else 0)
    if not covering and heads is not None:
        covering = [sign(heads, controller=controller, now=now)]
    size = covering[-1].tree_size if covering else _ledger_size(session, controller.ledger)
    root, paths, earlier = _tree(session, controller.ledger, size, events)
    who = (
        evidence.person(describe(session, subscriber)) if subscriber else evidence.erased(subject_ref, events)
    )
    return {
        "format": FORMAT,
        "language": text.language,
        "made_at": iso_ms(now),
        "controller": {
            "name": controller.brand,
            "contact": controller.contact,
            "privacy": controller.privacy_url,
        },
        "person": who,
        "entries": evidence.entries(session, events, paths, controller.keys, text, _list_names(session)),
        "notices": evidence.notices(session, events),
        "inbound": evidence.inbound(session, subscriber.id) if subscriber else [],
        "sends": evidence.sends(session, subscriber.id) if subscriber else [],
        "ledger": {
            "name": controller.ledger,
            "size": size,
            "root": root,
            "head": covering[-1].as_json() if covering else None,
        },
        "earlier_heads": earlier,
        "how_to_verify": list(text.how_to_verify),
    }


def _look_up(session: Session, raw: str, channel: str, controller: Controller) -> Subscriber:
    return find_subscriber(session, read_address(raw, channel=channel, controller=controller))


def _whom(session: Session, raw: str, channel: str, controller: Controller) -> tuple[str, Subscriber | None]:
    """Return a person's pseudonym and, unless erased, the subscriber."""
    if not _EVENT_ID.fullmatch(raw.strip().lower()):
        subscriber = _look_up(session, raw, channel, controller)
        return subscriber.subject_ref, subscriber
    event = session.get(ConsentEvent, raw.strip().lower())
    if event is None or event.ledger != controller.ledger or event.subject_ref == NO_SUBJECT:
        raise NotFound(f"The ledger “{controller.ledger}” has no entry {raw} of a person.")
    found = session.scalar(select(Subscriber).where(Subscriber.subject_ref == event.subject_ref))
    return event.subject_ref, found


def _list_names(session: Session) -> dict[int, str]:
    found = session.execute(select(BroadcastList.id, BroadcastList.name))
    return {row.id: row.name for row in found}


def _events(session: Session, ledger: str, subject_ref: str) -> Sequence[ConsentEvent]:
    return session.scalars(
        select(ConsentEvent)
        .where(ConsentEvent.subject_ref == subject_ref, ConsentEvent.ledger == ledger)
        .order_by(ConsentEvent.seq)
    ).all()


def _covering(session: Session, controller: Controller, seq: int) -> list[SignedHead]:
    """Return our newest head, if it covers entry `seq`."""
    ours = [
        head
        for head in signed_heads(session, controller.ledger)
        if head.public_key in controller.keys.public_keys.values()
    ]
    return [head for head in ours[-1:] if head.tree_size >= max(seq, 1)]


def _ledger_size(session: Session, ledger: str) -> int:
    head = session.get(LedgerHead, ledger, populate_existing=True)
    return head.seq if head else 0


def _tree(
    session: Session, ledger: str, size: int, events: Sequence[ConsentEvent]
) -> tuple[str, dict[int, tuple[str, ...]], list[dict[str, Any]]]:
    """Return the root over `size` entries, the path of each event, and the heads that were first to cover them."""
    paths = PathCollector([event.seq - 1 for event in events])
    earlier = {
        head: ConsistencyCollector(head.tree_size, size)
        for head in _first_to_cover(signed_heads(session, ledger), events)
        if head.tree_size < size
    }
    query = (
        select(ConsentEvent.entry_hash)
        .where(ConsentEvent.ledger == ledger, ConsentEvent.seq <= size)
        .order_by(ConsentEvent.seq)
    )
    with session.scalars(query, execution_options={"yield_per": 10_000}) as hashes:
        for entry_hash in hashes:
            paths.append(entry_hash)
            for collector in earlier.values():
                collector.append(entry_hash)
    root, found = paths.finish()
    proofs = [
        {
            "head": head.as_json(),
            "covers_until": max(event.seq for event in events if event.seq <= head.tree_size),
            "consistency": list(collector.finish()),
        }
        for head, collector in earlier.items()
    ]
    return root, found, proofs


def _first_to_cover(heads: Sequence[SignedHead], events: Sequence[ConsentEvent]) -> list[SignedHead]:
    """Return, oldest first, for each event the first head that was signed over it: so old is it at least."""
    firsts = (next((head for head in heads if head.tree_size >= event.seq), None) for event in events)
    return sorted({head for head in firsts if head is not None}, key=lambda head: head.time)
