"""Open the proof of an erased person for a legal claim, and for nothing else (GDPR article 17(3)(b), (e))."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import mask
from app.domain.ledger import iso_ms
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.manage_subscribers import read_address
from app.services.record_consent import open_pii
from app.storage.consent import as_entry
from app.storage.database import transaction
from app.storage.models import ConsentEvent, ConsentPii, Notice, RestrictedSubject, Subject

MAX_REASON: Final = 300


def open_sealed(
    raw: str, *, channel: str, reason: str, by: str, controller: Controller, now: datetime
) -> dict[str, Any]:
    """Return the entries of whoever had this address before an erasure, their personal parts opened.

    Who asked and why goes into the audit log before anything is shown. Raises `Refused` without a reason,
    `NotFound` when nothing is under lock for this address.
    """
    words = reason.strip()
    if not 1 <= len(words) <= MAX_REASON:
        raise Refused(
            f"Say in 1 to {MAX_REASON} characters which claim this is for; it goes into the audit log."
        )
    address = read_address(raw, channel=channel, controller=controller)
    with transaction() as session:
        hmacs = controller.keys.suppress_hmacs(address.channel, address.value).values()
        found = session.scalars(
            select(RestrictedSubject)
            .where(RestrictedSubject.hmac.in_(hmacs))
            .order_by(RestrictedSubject.since)
        ).all()
        if not found:
            raise NotFound(f"No proof is under lock for {mask(address.value)} on {address.channel}.")
        who = f"subscriber {address.channel} {mask(address.value)}"
        note(session, by, "subscriber.sealed", who, now, reason=words)
        return {
            "format": "tidings-sealed-proof-1",
            "made_at": iso_ms(now),
            "people": [
                {"subject_ref": row.subject_ref, "erased_at": iso_ms(row.since)}
                | {"entries": _entries(session, row.subject_ref, controller)}
                for row in found
            ],
        }


def _entries(session: Session, subject_ref: str, controller: Controller) -> list[dict[str, Any]]:
    rows = session.execute(
        select(ConsentEvent, ConsentPii, Subject.wrapped_key, Notice.text)
        .join(Subject, Subject.subject_ref == ConsentEvent.subject_ref)
        .outerjoin(ConsentPii, ConsentPii.event_id == ConsentEvent.event_id)
        .outerjoin(Notice, Notice.id == ConsentEvent.notice_id)
        .where(ConsentEvent.subject_ref == subject_ref)
        .order_by(ConsentEvent.seq)
    )
    return [
        {
            "entry": as_entry(event),
            "salt": pii.salt.hex() if pii else None,
            "personal": open_pii(pii.sealed, key, controller.keys) if pii else None,
            "notice": notice,
        }
        for event, pii, key, notice in rows
    ]
