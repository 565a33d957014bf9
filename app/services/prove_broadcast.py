"""Shows on which consents a broadcast went out: the ledger that its audience was frozen by, and each entry it used."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.ledger import canonical
from app.domain.retention import Kept, Periods
from app.domain.statuses import DeliveryStatus
from app.services.controller import Controller, NotFound, Refused
from app.storage.database import db
from app.storage.models import Broadcast, ConsentEvent, Delivery, Subscriber

MOST_PROBLEMS: Final = 20
_PAGE: Final = 2000
_HANDED_OVER: Final = (
    DeliveryStatus.SENT.value,
    DeliveryStatus.DELIVERED.value,
    DeliveryStatus.FAILED.value,
    DeliveryStatus.UNKNOWN.value,
)


@dataclass(frozen=True)
class Basis:
    """The end of the ledger when the audience was frozen: whoever agreed later was no part of it."""

    seq: int
    entry_hash: str


@dataclass(frozen=True)
class BroadcastProof:
    """What the deliveries of a broadcast rest on.

    `audience_hash` is the SHA-256 of a line of canonical JSON, `{"consent_seq":…,"subject_ref":…}` and a newline, for
    each of the `messages` that were handed over, in the order of their entries and pseudonyms. `problems` (the first
    `MOST_PROBLEMS`) are messages that no entry of the person allowed before the audience was frozen; `bad` counts all.
    """

    broadcast_id: int
    ledger: str
    basis: Basis
    messages: int
    audience_hash: str
    bad: int
    problems: tuple[str, ...]


def basis_of(broadcast: Broadcast, controller: Controller) -> Basis | None:
    """Return the basis of a broadcast that began; None before, and where the ledger was empty."""
    if not broadcast.as_of_seq:
        return None
    found = db.session.scalar(
        select(ConsentEvent.entry_hash).where(
            ConsentEvent.ledger == controller.ledger, ConsentEvent.seq == broadcast.as_of_seq
        )
    )
    return Basis(broadcast.as_of_seq, found) if found else None


def rows_kept_until(broadcast: Broadcast, periods: Periods) -> datetime | None:
    """When the rows of a broadcast that ended are deleted; its figures stay. None while it has not ended."""
    return periods.until(Kept.DELIVERIES, broadcast.finished_at) if broadcast.finished_at else None


def prove(broadcast_id: int, *, controller: Controller) -> BroadcastProof:
    """Compare every message of a broadcast with the entry that it names, in constant memory.

    Raises `NotFound`, and `Refused` for one that has not begun.
    """
    session = db.session()
    broadcast = session.get(Broadcast, broadcast_id)
    if broadcast is None:
        raise NotFound(f"There is no broadcast {broadcast_id}.")
    basis = basis_of(broadcast, controller)
    if basis is None:
        raise Refused(f"Broadcast {broadcast_id} has not begun, so it rests on nothing yet.")
    rows = select(
        Delivery.subscriber_id,
        Delivery.consent_seq,
        Subscriber.subject_ref,
        ConsentEvent.subject_ref.label("agreed"),
    )
    rows = (
        rows.join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .outerjoin(
            ConsentEvent,
            (ConsentEvent.ledger == controller.ledger) & (ConsentEvent.seq == Delivery.consent_seq),
        )
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.inbound_id == 0,
            Delivery.status.in_(_HANDED_OVER),
        )
        .order_by(Delivery.consent_seq, Subscriber.subject_ref)
    )
    digest, messages, bad, problems = hashlib.sha256(), 0, 0, list[str]()
    with session.execute(rows, execution_options={"yield_per": _PAGE}) as found:
        for person, seq, subject_ref, agreed in found:
            messages += 1
            digest.update(canonical({"consent_seq": seq, "subject_ref": subject_ref}) + b"\n")
            if problem := _problem(seq, subject_ref, agreed, basis):
                bad += 1
                problems += [f"subscriber {person}: {problem}"] if bad <= MOST_PROBLEMS else []
    return BroadcastProof(
        broadcast_id, controller.ledger, basis, messages, digest.hexdigest(), bad, tuple(problems)
    )


def _problem(seq: int | None, subject_ref: str, agreed: str | None, basis: Basis) -> str:
    if seq is None:
        return "names no consent"
    if agreed is None:
        return f"names entry {seq}, which is not in the ledger"
    if agreed != subject_ref:
        return f"names entry {seq}, which is about somebody else"
    return f"names entry {seq}, which is younger than the audience" if seq > basis.seq else ""
