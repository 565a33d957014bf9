"""Decide what becomes of the rows of an import; nobody who said no is ever brought back by a file.

What a row that says yes becomes (active with the evidence of the file) is decided in `judge` and nowhere else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import Who, WhyNot, why_not
from app.domain.consent import EventType, SubscriptionState
from app.domain.sealing import KeyRing
from app.services.controller import Controller
from app.services.import_rows import ReadRow
from app.services.known_people import known
from app.services.suppressions import suppressed
from app.storage.aliases import people_at
from app.storage.models import ConsentEvent, Subject, Subscriber, Subscription

# A STOP from somebody whom we did not know is a `stop_repeated`; that person said no just as clearly.
_SAID_NO: Final = tuple(
    kind.value
    for kind in (
        EventType.CONSENT_WITHDRAWN,
        EventType.CONSENT_REVOKED,
        EventType.CONSENT_REFUSED,
        EventType.CONSENT_INVALIDATED,
        EventType.CONSENT_EXPIRED,
        EventType.STOP_REPEATED,
        EventType.ERASURE_REQUESTED,
        EventType.ERASED,
    )
)
_OPEN: Final = (SubscriptionState.UNKNOWN.value, SubscriptionState.STOPPED.value)


class Verdict(StrEnum):
    """What became of a row."""

    IMPORTED = "imported"
    ASKED = "asked"
    ALREADY_ACTIVE = "already_active"
    DUPLICATE = "duplicate"
    STOPPED = "stopped"
    SUPPRESSED = "suppressed"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not_asked"
    INVALID = "invalid"


REASONS: Final = {
    Verdict.STOPPED: "This person said STOP before, or the consent ended otherwise; only the person can come "
    "back, by texting START.",
    Verdict.SUPPRESSED: "This number is suppressed: nothing may be sent to it.",
    Verdict.UNREACHABLE: "Messages to this number came back or were blocked; it must write to us first.",
    Verdict.NOT_ASKED: "This person was asked already, or three times in 30 days, or wrote something that a human has "
    "to read first; nobody is asked twice.",
}


@dataclass(frozen=True)
class Judged:
    """A verdict for each row; whom of them we know; and which addresses have a pseudonym in the ledger.

    Somebody who was erased may have a pseudonym and no subscriber: the sealed proof is kept longer than the rest.
    """

    verdicts: list[Verdict]
    people: dict[Address, Subscriber]
    has_subject: set[Address]


def judge(session: Session, list_id: int, keys: KeyRing, rows: Sequence[ReadRow]) -> Judged:
    """Return what is to become of each row.

    Suppression comes first, then what stands on the list now, then what the ledger says of the person.
    """
    addresses = [row.address for row in rows]
    never = suppressed(session, keys, addresses)
    people = people_at(session, addresses)
    refs = {address: person.subject_ref for address, person in people.items()}
    refs |= _other_subjects(session, keys, [address for address in addresses if address not in people])
    on_list = _on_list(session, list_id, [person.id for person in people.values()])
    said_no = _said_no(session, set(refs.values()), list_id)

    def verdict(address: Address) -> Verdict:
        person = people.get(address)
        if address in never or (person and person.suppressed_at):
            return Verdict.SUPPRESSED
        if person and person.id in on_list:
            return Verdict.ALREADY_ACTIVE
        if refs.get(address) in said_no:
            return Verdict.STOPPED
        unreachable = person and (person.bounced_at or person.blocked_at)
        return Verdict.UNREACHABLE if unreachable else Verdict.IMPORTED

    return Judged([verdict(address) for address in addresses], people, set(refs))


def judge_asking(
    session: Session,
    list_id: int,
    rows: Sequence[ReadRow],
    found: Judged,
    controller: Controller,
    now: datetime,
) -> Judged:
    """Turn each yes into a question, where the person may be asked one at all (consent.md 2.7)."""
    willing = (Verdict.IMPORTED, Verdict.ALREADY_ACTIVE)
    addresses = [row.address for row, verdict in zip(rows, found.verdicts, strict=True) if verdict in willing]
    if not addresses:
        return found
    there = known(session, addresses, list_id, controller=controller, now=now)
    reasons = {address: why_not(there[address], Who.IMPORT, now) for address in addresses}

    def asked(row: ReadRow, verdict: Verdict) -> Verdict:
        reason = reasons.get(row.address)
        if verdict is Verdict.IMPORTED:
            return Verdict.ASKED if reason is None else Verdict.NOT_ASKED
        return Verdict.NOT_ASKED if reason is WhyNot.ASKED else verdict

    verdicts = [asked(row, verdict) for row, verdict in zip(rows, found.verdicts, strict=True)]
    return Judged(verdicts, found.people, found.has_subject)


def _other_subjects(session: Session, keys: KeyRing, addresses: Sequence[Address]) -> dict[Address, str]:
    """Return the pseudonyms of addresses that have no subscriber."""
    owners = {
        hmac: address for address in addresses for hmac in keys.index_hmacs(address.channel, address.value)
    }
    found = session.execute(
        select(Subject.index_hmac, Subject.subject_ref).where(Subject.index_hmac.in_(owners))
    )
    return {owners[hmac]: ref for hmac, ref in found}


def _on_list(session: Session, list_id: int, subscriber_ids: Sequence[int]) -> set[int]:
    """Return who stands on this list in any way that is neither unknown nor stopped; an import leaves them alone."""
    if not subscriber_ids:
        return set()
    return set(
        session.scalars(
            select(Subscription.subscriber_id).where(
                Subscription.list_id == list_id,
                Subscription.subscriber_id.in_(subscriber_ids),
                Subscription.state.not_in(_OPEN),
            )
        )
    )


def _said_no(session: Session, refs: Collection[str], list_id: int) -> set[str]:
    """Return those who ever left this list, or all lists: an old paper must not bring them back."""
    if not refs:
        return set()
    return set(
        session.scalars(
            select(ConsentEvent.subject_ref)
            .where(
                ConsentEvent.subject_ref.in_(refs),
                ConsentEvent.event_type.in_(_SAID_NO),
                or_(ConsentEvent.list_id == list_id, ConsentEvent.list_id.is_(None)),
            )
            .distinct()
        )
    )
