"""Entries that speak of the ledger itself and of no person, such as the root of a day's sends."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.domain.consent import EventType, Scope
from app.domain.ledger import canonical, iso_ms
from app.services.controller import Controller
from app.storage.consent import append, lock_head, uuid7

NO_SUBJECT: Final = "00000000-0000-0000-0000-000000000000"
NO_CHANNEL: Final = "none"
STATEMENT_FORMAT: Final = 2


def state(
    session: Session,
    event_type: EventType,
    said: Mapping[str, Any],
    *,
    actor: str,
    controller: Controller,
    now: datetime,
) -> dict[str, Any]:
    """Append one entry whose field `statement` is `said` as canonical JSON; returns the entry as stored."""
    head = lock_head(session, controller.ledger)
    entry = {
        "event_id": uuid7(now),
        "v": STATEMENT_FORMAT,
        "ledger": controller.ledger,
        "subject_ref": NO_SUBJECT,
        "event_type": event_type.value,
        "occurred_at": iso_ms(now),
        "recorded_at": iso_ms(now),
        "channel": NO_CHANNEL,
        "scope": Scope.ALL.value,
        "controller_name": controller.brand,
        "controller_contact": controller.contact,
        "actor": actor,
        "statement": canonical(dict(said)).decode(),
    }
    return append(session, head, [entry])[0]
