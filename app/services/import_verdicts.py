"""Decide what becomes of the rows of an import; nobody who said no is ever brought back by a file."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import EventType, SubscriptionState
from app.domain.sealing import KeyRing
from app.services.import_rows import ReadRow
from app.storage.models import ConsentEvent, Subscriber, Subscription, Suppression

# A STOP from somebody whom we did not know is a `stop_repeated`; that person said no just as clearly.
_SAID_NO: Final = (
    EventType.CONSENT_WITHDRAWN.value,
    EventType.CONSENT_REVOKED.value,
    EventType.STOP_REPEATED.value,
)


class Verdict(StrEnum):
    """What became of a row."""

    IMPORTED = "imported"
    ALREADY_ACTIVE = "already_active"
    DUPLICATE = "duplicate"
    STOPPED = "stopped"
    SUPPRESSED = "suppressed"
    INVALID = "invalid"


REASONS: Final = {
    Verdict.STOPPED: "This person said STOP before; only the person can come back, by texting START.",
    Verdict.SUPPRESSED: "This number is suppressed: nothing may be sent to it.",
}


def judge(session: Session, list_id: int, keys: KeyRing, rows: Sequence[ReadRow]) -> list[Verdict]:
    """Return what is to become of each row: suppression first, then what the ledger says of the person."""
    hmacs = {row.address: keys.suppress_hmac("sms", row.address.value) for row in rows}
    suppressed = set(
        session.scalars(
            select(Suppression.hmac).where(
                Suppression.hmac.in_(hmacs.values()), Suppression.lifted_at.is_(None)
            )
        )
    )
    known = _known(session, rows)
    refs = {row.subject_ref for row in known.values()}
    active = _active(session, list_id, [row.id for row in known.values()])
    said_no = _said_no(session, refs, list_id)

    def verdict(row: ReadRow) -> Verdict:
        person = known.get(row.address)
        if hmacs[row.address] in suppressed or (person and person.suppressed_at):
            return Verdict.SUPPRESSED
        if person and person.id in active:
            return Verdict.ALREADY_ACTIVE
        if person and person.subject_ref in said_no:
            return Verdict.STOPPED
        return Verdict.IMPORTED

    return [verdict(row) for row in rows]


def _known(session: Session, rows: Sequence[ReadRow]) -> dict[Address, Subscriber]:
    found = session.scalars(
        select(Subscriber).where(
            Subscriber.channel == "sms", Subscriber.address.in_([row.address.value for row in rows])
        )
    )
    return {Address(row.channel, row.address): row for row in found}


def _active(session: Session, list_id: int, subscriber_ids: Sequence[int]) -> set[int]:
    return set(
        session.scalars(
            select(Subscription.subscriber_id).where(
                Subscription.list_id == list_id,
                Subscription.subscriber_id.in_(subscriber_ids),
                Subscription.state == SubscriptionState.ACTIVE.value,
            )
        )
    )


def _said_no(session: Session, refs: set[str], list_id: int) -> set[str]:
    """Return those who ever left this list, or all lists: an old paper must not bring them back."""
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
