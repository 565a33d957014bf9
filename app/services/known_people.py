"""What we know of addresses before anybody there is asked: standings, overlays, suppressions, earlier questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import QUESTIONS_PERIOD, Known
from app.domain.consent import EventType, Overlays
from app.domain.ledger import iso_ms
from app.services.controller import Controller
from app.services.project_consent import overlays_of, standing_of
from app.services.suppressions import suppressed
from app.storage.aliases import people_at
from app.storage.models import ConsentEvent, Subscription


@dataclass(frozen=True)
class _Questions:
    """Questions to one person: how many lately, the newest, and the newest about this list."""

    lately: int = 0
    newest: datetime | None = None
    newest_here: datetime | None = None


def known(
    session: Session, addresses: Sequence[Address], list_id: int, *, controller: Controller, now: datetime
) -> Mapping[Address, Known]:
    """Return what is known of each address (of one channel) and this list, in four statements however many."""
    never = suppressed(session, controller.keys, addresses)
    people = people_at(session, addresses)
    standings = _standings(session, [person.id for person in people.values()], list_id)
    questions = _questions(session, [person.subject_ref for person in people.values()], list_id, now)
    found = {}
    for address in addresses:
        person = people.get(address)
        asked = questions.get(person.subject_ref, _Questions()) if person else _Questions()
        found[address] = Known(
            standing_of(standings.get(person.id) if person else None),
            overlays_of(person) if person else Overlays(),
            address in never,
            asked.lately,
            asked.newest_here,
            asked.newest,
        )
    return found


def _standings(session: Session, subscriber_ids: Sequence[int], list_id: int) -> dict[int, Subscription]:
    found = session.scalars(
        select(Subscription).where(
            Subscription.list_id == list_id, Subscription.subscriber_id.in_(subscriber_ids)
        )
    )
    return {row.subscriber_id: row for row in found}


def _questions(session: Session, refs: Sequence[str], list_id: int, now: datetime) -> dict[str, _Questions]:
    """Count in the ledger, which forgets nothing; its times are text that sorts as they do."""
    at = ConsentEvent.occurred_at
    here = case((ConsentEvent.list_id == list_id, at))
    lately = case((at > iso_ms(now - QUESTIONS_PERIOD), 1), else_=0)
    rows: Sequence[Any] = session.execute(
        select(ConsentEvent.subject_ref, func.sum(lately), func.max(at), func.max(here))
        .where(
            ConsentEvent.subject_ref.in_(refs),
            ConsentEvent.event_type == EventType.CONSENT_REQUESTED.value,
        )
        .group_by(ConsentEvent.subject_ref)
    ).all()
    return {ref: _Questions(int(count), _moment(any_), _moment(mine)) for ref, count, any_, mine in rows}


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written).astimezone(UTC) if written else None
