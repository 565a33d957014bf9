"""One account that shows several addresses: what comes from any of them is of one subscriber (consent.md 3.4).

WhatsApp shows a phone number, a business-scoped id, or both. Whenever a post shows both, the second becomes an alias
of the subscriber whom we know. Were both subscribers already, one is closed, in the strict reading: a stop or a
suppression of either holds for both, and consent moves along only where nobody ever said no.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import Act, EventType, Scope
from app.domain.keywords import Outcome
from app.domain.one_person import Moves, Side, moves_of
from app.services import suppressions
from app.services.controller import Controller
from app.services.project_consent import standing_of
from app.services.record_consent import NewEvent, find_or_create_subscriber, record
from app.storage import aliases
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import ConsentEvent, InboundRow, Sender, Subscriber, Subscription

RULE: Final = "same_account"
_UNDECIDED: Final = (Outcome.REVIEW.value, Outcome.DECLINE.value)


@dataclass(frozen=True)
class Sighting:
    """A post in which a platform showed two addresses of one account, and what is needed to write that down."""

    session: Session
    sender: Sender
    external_id: str
    controller: Controller
    now: datetime

    def event(self, person: Subscriber, event_type: EventType, **more: Any) -> NewEvent:
        """Return an event about one of the two; `list_id` makes it one of that list only."""
        pii = {"address": person.address, "channel": person.channel, "provider_message_id": self.external_id}
        return NewEvent(
            person,
            event_type,
            more.pop("occurred_at", self.now),
            "provider",
            act=more.pop("act", Act.PROVIDER_SIGNAL),
            scope=Scope.LIST if "list_id" in more else Scope.ALL,
            sender=self.sender,
            pii={**pii, **more.pop("pii", {})},
            matched_rule=RULE,
            **more,
        )

    def record(self, events: Sequence[NewEvent]) -> None:
        """Write into the ledger."""
        record(self.session, events, controller=self.controller, now=self.now)


class Shown(NamedTuple):
    """A report that shows two addresses (of one channel) of one account: at which sender it came in, and its id."""

    sender_id: int
    id_: str
    addresses: tuple[Address, Address]


def find_person(seen: Sighting, address: Address, also_at: Address | None, *, language: str) -> Subscriber:
    """Return the subscriber of the account at `address`, made when new, to whom `also_at` leads from now on."""
    both = [address] if also_at is None else [address, also_at]
    known = aliases.people_at(seen.session, both)
    if len({known.get(one) for one in both}) > 1:
        lock_head(
            seen.session, seen.controller.ledger
        )  # two posts of one account may come at the same moment
        known = aliases.people_at(seen.session, both)
    person = next((known[one] for one in both if one in known), None) or find_or_create_subscriber(
        seen.session, address, language=language, controller=seen.controller, now=seen.now
    )
    for one in both:
        if known.get(one) is not person:
            learn(seen, person, one)
    return person


def learn_all(shown: Collection[Shown], *, controller: Controller, now: datetime) -> int:
    """Learn from reports about deliveries, which name an account by number and id; returns how many were new.

    Whoever joined by number and never wrote since is known to us by their id before they write from it. Nobody is made
    a subscriber by a report.
    """
    fresh = _not_known(shown)
    for one in fresh:
        with transaction() as session:
            seen = Sighting(session, session.get_one(Sender, one.sender_id), one.id_, controller, now)
            if aliases.people_at(session, one.addresses):
                find_person(seen, *one.addresses, language="")
    return len(fresh)


def _not_known(shown: Collection[Shown]) -> list[Shown]:
    """Return those of which the two addresses do not lead to one subscriber yet, by two statements for all."""
    if not shown:
        return []
    with transaction() as session:
        known = aliases.people_at(session, {address for one in shown for address in one.addresses})
        who = {address: person.id for address, person in known.items()}
    return [one for one in shown if len({who.get(address) for address in one.addresses}) > 1]


def learn(seen: Sighting, person: Subscriber, address: Address) -> bool:
    """Let `address` lead to `person`; tells whether that is new. Whoever was there becomes part of them."""
    lock_head(seen.session, seen.controller.ledger)
    other = aliases.person_at(seen.session, address)
    if other is person or address == Address(person.channel, person.address):
        return False
    aliases.add(seen.session, person, address, seen.now)
    seen.record([seen.event(person, EventType.ENDPOINT_CHANGED, pii={"also_at": address.value})])
    if other is not None:
        _join(seen, other, person)
    _keep_suppressed(seen, person, address)
    return True


def _join(seen: Sighting, other: Subscriber, person: Subscriber) -> None:
    """Close `other`, and let `person` stand as one who had said everything that either said."""
    closes, stays = _side(seen.session, other), _side(seen.session, person)
    moves = moves_of(closes, stays)
    if other.suppressed_at is not None or person.suppressed_at is not None:
        moves = Moves(moves.ended, ())
    seen.record(
        [
            seen.event(other, EventType.ENDPOINT_CHANGED, pii={"also_at": person.address}),
            *_ended(seen, person, moves, closes),
            *_given(seen, person, moves, closes),
            *_held(seen, other, person),
            seen.event(other, EventType.CONSENT_REVOKED),
        ]
    )
    if other.suppressed_at is not None:
        _suppress(seen, person)
    aliases.move(seen.session, other, person)


def _side(session: Session, person: Subscriber) -> Side:
    rows = session.scalars(select(Subscription).where(Subscription.subscriber_id == person.id))
    return Side({row.list_id: standing_of(row) for row in rows}, person.last_stop_at)


def _ended(seen: Sighting, person: Subscriber, moves: Moves, closes: Side) -> list[NewEvent]:
    """By the act that ended it there: what a platform's switch stopped, the switch may start again."""
    acts = {list_id: here.stopped_act for list_id, here in closes.standings.items()}
    return [
        seen.event(
            person,
            EventType.CONSENT_WITHDRAWN,
            list_id=list_id,
            act=acts.get(list_id) or Act.PROVIDER_SIGNAL,
        )
        for list_id in moves.ended
    ]


def _given(seen: Sighting, person: Subscriber, moves: Moves, closes: Side) -> list[NewEvent]:
    """Consent that moves along, each entry naming the one by which it was given; a pause stays a pause."""
    events = []
    for list_id in moves.given:
        there = closes.standings[list_id]
        source = _entry(seen, there.granted_seq)
        events.append(seen.event(person, EventType.CONSENT_GIVEN, list_id=list_id, related_event_id=source))
        if there.paused_until is not None:
            events.append(seen.event(person, EventType.PAUSED, list_id=list_id, until=there.paused_until))
    return events


def _entry(seen: Sighting, seq: int | None) -> str | None:
    there = (ConsentEvent.ledger == seen.controller.ledger, ConsentEvent.seq == seq)
    return seen.session.scalar(select(ConsentEvent.event_id).where(*there))


def _held(seen: Sighting, other: Subscriber, person: Subscriber) -> list[NewEvent]:
    """What may have been a STOP at the other address is decided at this one, with its words before our eyes."""
    opened, due = other.review_opened_at, other.review_due_at
    if opened is None:
        return []
    seen.session.execute(
        update(InboundRow)
        .where(
            InboundRow.subscriber_id == other.id,
            InboundRow.received_at >= opened,
            InboundRow.outcome.in_(_UNDECIDED),
        )
        .values(subscriber_id=person.id)
    )
    return [
        seen.event(person, EventType.REVIEW_OPENED, occurred_at=opened, until=due),
        seen.event(other, EventType.REVIEW_DECIDED),
    ]


def _keep_suppressed(seen: Sighting, person: Subscriber, address: Address) -> None:
    """An address may be suppressed that was nobody's until now: erased, or named by a list of another system."""
    if suppressions.suppressed(seen.session, seen.controller.keys, [address]):
        _suppress(seen, person)


def _suppress(seen: Sighting, person: Subscriber) -> None:
    if person.suppressed_at is None:
        here = {Address(person.channel, person.address): RULE}
        suppressions.add(seen.session, seen.controller.keys, here, now=seen.now)
        seen.record([seen.event(person, EventType.SUPPRESSION_ADDED)])
