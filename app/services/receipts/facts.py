"""What both forms of a receipt are made of: one person's history on one list, read from the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.consent import EventType, Fact
from app.domain.consent_status import VALID_FOR_PROCESSING, Step, steps
from app.services.controller import Controller
from app.storage.models import BroadcastList, ConsentEvent, Notice, Subscriber

RETENTION = "P5Y after the last use of the consent"
RIGHTS = ("access", "rectification", "erasure", "restriction", "portability", "objection", "complaint")


@dataclass(frozen=True)
class Particulars:
    """What Tidings does not know by itself and an operator may state."""

    postal_address: str | None = None
    storage_location: str | None = None


@dataclass(frozen=True)
class ListHistory:
    """How one person's consent to one list came about. `events` is by number in the ledger."""

    subscriber: Subscriber
    list_name: str
    purpose: str
    steps: Sequence[Step]
    events: Mapping[int, ConsentEvent]
    notice: Notice | None

    @property
    def grant(self) -> ConsentEvent | None:
        """The newest consent that counted."""
        seqs = [step.seq for step in self.steps if step.state in VALID_FOR_PROCESSING]
        return self.events[seqs[-1]] if seqs else None

    @property
    def decisive(self) -> ConsentEvent:
        """The newest consent, or where there was none the entry that made the present state."""
        return self.grant or self.events[self.steps[-1].seq]

    @property
    def language(self) -> str:
        """The language in which the words were shown."""
        return self.decisive.notice_lang or self.subscriber.language

    @property
    def recipients(self) -> list[str]:
        """Companies that carry the messages."""
        return sorted({event.provider for event in self.events.values() if event.provider})


def histories(session: Session, subscriber: Subscriber, controller: Controller) -> list[ListHistory]:
    """Return a person's history on every list that has one."""
    events = {
        event.seq: event
        for event in session.scalars(
            select(ConsentEvent)
            .where(
                ConsentEvent.subject_ref == subscriber.subject_ref, ConsentEvent.ledger == controller.ledger
            )
            .order_by(ConsentEvent.seq)
        )
    }
    found = steps(map(_fact, events.values()))
    lists = {row.id: row for row in session.scalars(select(BroadcastList).where(BroadcastList.id.in_(found)))}
    return [
        _history(session, subscriber, lists[list_id], found[list_id], events)
        for list_id in sorted(found)
        if list_id in lists
    ]


def _history(
    session: Session,
    subscriber: Subscriber,
    its_list: BroadcastList,
    taken: Sequence[Step],
    events: Mapping[int, ConsentEvent],
) -> ListHistory:
    own = {step.seq: events[step.seq] for step in taken}
    bare = ListHistory(subscriber, its_list.name, its_list.purpose, taken, own, None)
    purpose, notice_id = bare.decisive.purpose, bare.decisive.notice_id
    notice = session.get(Notice, notice_id) if notice_id is not None else None
    return ListHistory(subscriber, its_list.name, purpose or its_list.purpose, taken, own, notice)


def _fact(event: ConsentEvent) -> Fact:
    at = datetime.fromisoformat(event.occurred_at)
    return Fact(event.seq, EventType(event.event_type), at, event.list_id)
