"""Tells a provider who agreed and who left through us, so that its own block list agrees with our ledger.

What is told is how people stand now, not each entry: an entry only says of whom. The mark of a sender is a
`FigureMark`: `upto` is the last entry of the ledger that was told, `at` until when one clock has the sender to itself.
The mark moves after the provider took it; a clock that dies in between lets the same be told again, which is harmless.
It begins at the end of the ledger: nobody's block from before is lifted by switching it on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address, is_phone
from app.domain.consent import Act, EventType, SubscriptionState
from app.domain.ledger import iso_ms
from app.gateways.asking import ask
from app.gateways.base import Transport
from app.gateways.consent_shares import SETTING, Medium, Standing, TakesConsents
from app.services.controller import Controller
from app.services.gateways_of_senders import senders_wanting
from app.services.project_consent import overlays_of
from app.storage.counters import insert_into
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, FigureMark, LedgerHead, Sender, Subscriber, Subscription
from app.storage.ways import lists_of

BATCH: Final = 100
# A confirmation of STOP has five minutes to leave; the provider must not be told before, or it refuses it.
SETTLED_AFTER: Final = timedelta(minutes=6)
OURS_FOR: Final = timedelta(minutes=5)
LATE_AFTER: Final = timedelta(hours=2)
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TELLING: Final = (
    EventType.CONSENT_GIVEN,
    EventType.CONSENT_WITHDRAWN,
    EventType.CONSENT_REFUSED,
    EventType.CONSENT_REVOKED,
    EventType.CONSENT_INVALIDATED,
    EventType.ERASURE_REQUESTED,
    EventType.SUPPRESSION_ADDED,
)
_AGREED: Final = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAUSED})
_MEDIA: Final[Mapping[str | None, Medium]] = {
    Act.KEYWORD_EXACT: Medium.WORDS,
    Act.KEYWORD_FUZZY: Medium.WORDS,
    Act.DOI_REPLY: Medium.WORDS,
    Act.DOI_LINK: Medium.WEBSITE,
    Act.WEB_CHECKBOX: Medium.WEBSITE,
    Act.IMPORT_ATTESTED: Medium.OFFLINE,
    Act.AGENT_RECORDED: Medium.OFFLINE,
}


@dataclass(frozen=True)
class Shared:
    """What one turn told: how many entries of the ledger, about how many people, and what was refused for good."""

    entries: int = 0
    people: int = 0
    refused: tuple[str, ...] = ()


def share(
    sender_id: int, gateway: TakesConsents, transport: Transport, *, controller: Controller, now: datetime
) -> Shared:
    """Tell of the next `BATCH` entries of the ledger; nothing while another clock does.

    Raises `CannotShare`; the same is told again when another turn comes.
    """
    with transaction() as session:
        after = _claim(session, sender_id, controller, now)
        last = _last(session, after, controller, now) if after is not None else None
        if after is None or last is None:
            return Shared()
        standings = _standings(session, sender_id, after, last, controller)
    refused: list[str] = []
    left = iter(standings)
    while some := list(islice(left, gateway.most_consents)):
        refused += gateway.refused_consents(ask(gateway.consents_call(some), transport))
    with transaction() as session:
        mark = session.get_one(FigureMark, _source(sender_id), with_for_update=True)
        mark.upto, mark.at = max(mark.upto, last), _NEVER
    return Shared(last - after, len(standings), tuple(refused))


def late(controller: Controller, now: datetime) -> Sequence[str]:
    """Return the names of the senders whose provider has not taken what it should know for hours."""
    found = []
    for sender in senders_wanting(db.session(), SETTING, controller):
        mark = db.session.get(FigureMark, _source(sender.id))
        if mark and _last(db.session(), mark.upto, controller, now - LATE_AFTER) is not None:
            found.append(sender.name)
    return found


def _claim(session: Session, sender_id: int, controller: Controller, now: datetime) -> int | None:
    """Return after which entry to go on, and keep the sender to ourselves for a while."""
    head = session.get(LedgerHead, controller.ledger)
    begin = {"source": _source(sender_id), "upto": head.seq if head else 0, "at": _NEVER}
    session.execute(insert_into(session, FigureMark).values(**begin).on_conflict_do_nothing())
    mark = session.get_one(FigureMark, _source(sender_id), with_for_update=True)
    if mark.at > now:
        return None
    mark.at = now + OURS_FOR
    return mark.upto


def _last(session: Session, after: int, controller: Controller, now: datetime) -> int | None:
    return session.scalar(
        select(func.max(ConsentEvent.seq)).where(
            ConsentEvent.ledger == controller.ledger,
            ConsentEvent.seq > after,
            ConsentEvent.seq <= after + BATCH,
            ConsentEvent.recorded_at <= iso_ms(now - SETTLED_AFTER),
        )
    )


def _standings(
    session: Session, sender_id: int, after: int, last: int, controller: Controller
) -> list[Standing]:
    """Return how everybody whom the entries speak of stands now with the lists of this sender."""
    events = session.scalars(
        select(ConsentEvent)
        .where(ConsentEvent.ledger == controller.ledger, ConsentEvent.seq.between(after + 1, last))
        .where(ConsentEvent.event_type.in_([one.value for one in _TELLING]))
        .order_by(ConsentEvent.seq)
    )
    newest = {event.subject_ref: event for event in events}
    channel = session.get_one(Sender, sender_id).channel
    here = [row.id for row in lists_of(session, sender_id)]
    rows = session.execute(
        select(Subscriber, Subscription.state)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscriber.subject_ref.in_(newest), Subscriber.channel == channel)
        .where(Subscriber.erased_at.is_(None), Subscription.list_id.in_(here))
    )
    people: dict[Subscriber, list[str]] = {}
    for person, state in rows:
        people.setdefault(person, []).append(state)
    return [
        _standing(person, states, newest[person.subject_ref], sender_id)
        for person, states in people.items()
        if is_phone(person.address)
    ]


def _standing(person: Subscriber, states: Iterable[str], event: ConsentEvent, sender_id: int) -> Standing:
    closed = overlays_of(person)
    agreed = not _AGREED.isdisjoint(states) and closed.suppressed_at is None and closed.blocked_at is None
    return Standing(
        uuid5(NAMESPACE_URL, f"{event.event_id}:{sender_id}").hex,
        Address(person.channel, person.address),
        agreed,
        _MEDIA.get(event.act, Medium.OTHER),
        datetime.fromisoformat(event.occurred_at),
    )


def _source(sender_id: int) -> str:
    return f"{SETTING}:{sender_id}"
