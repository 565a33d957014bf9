"""Numbers that were given back to the carriers: whoever has one next never agreed, so what was agreed to there ends.

The strictest reading of consent.md 3.2, row 35, for the fines are per message (47 U.S.C. 227; CTIA 5.1.5 asks for it
each day): consents end in the ledger as invalid, the number is suppressed until somebody there says START, and what we
knew of its former owner is not said to the next one. What was agreed to there after the day is the present owner's,
and stays: to read a list twice is harmless.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import PHONE_CHANNELS, Address
from app.domain.consent import Act, EventType, Scope, SubscriptionState
from app.gateways.base import Transport
from app.gateways.given_back import CannotRead, ListsGivenBack, lines_of
from app.services import suppressions
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.services.record_consent import NewEvent, record
from app.storage import linked
from app.storage.aliases import addresses_of, known_among, people_at
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import Sender, Subscriber, Subscription

BATCH: Final = 1000
REASON: Final = "number given back to the carrier"
# Until then the day lasts somewhere in the US: American Samoa is eleven hours behind UTC.
_DAY_ENDS: Final = timedelta(days=1, hours=11)
_LINE: Final = re.compile(r"(?:\+?1)?([2-9]\d{9})")
_GIVEN: Final = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAUSED, SubscriptionState.STALE})


@dataclass(frozen=True)
class GivenBack:
    """What a day's list came to: its numbers, its lines that are none, and how many people of ours stood at them."""

    day: date
    numbers: int = 0
    unread: int = 0
    people: int = 0


@dataclass(frozen=True)
class _Round:
    """One reading of one day's list."""

    day: date
    sender_id: int
    dry_run: bool
    controller: Controller
    now: datetime

    @property
    def over(self) -> datetime:
        """When the day was over everywhere."""
        return datetime.combine(self.day, time(), UTC) + _DAY_ENDS


def close_given_back(
    sender_id: int,
    gateway: object,
    transport: Transport,
    day: date,
    *,
    dry_run: bool = False,
    by: str,
    controller: Controller,
    now: datetime,
) -> GivenBack:
    """Read the list of `day` and end what was agreed to at its numbers; a dry run only counts the people.

    A batch is committed by itself. Raises `Refused` for a gateway without such lists and a day that is not over, and
    `CannotRead`, after which the same day may be read again.
    """
    if not isinstance(gateway, ListsGivenBack):
        raise Refused("The provider of this sender has no lists of numbers that were given back; Twilio has.")
    if day >= now.date():
        raise Refused(f"{day} is not over. Give a day before {now.date()}, such as --date {now.date()}")
    reading = _Round(day, sender_id, dry_run, controller, now)
    numbers = unread = people = 0
    lines = (line for line in lines_of(gateway, day, transport) if line)
    while batch := list(islice(lines, BATCH)):
        found = list(_numbers(batch))
        numbers, unread = numbers + len(found), unread + len(batch) - len(found)
        people += _close(reading, found)
    if unread and not numbers:
        raise CannotRead("The file has no line that is a US number.")
    done = GivenBack(day, numbers, unread, people)
    if not dry_run:
        _note(done, sender_id, by, now)
    return done


def _numbers(lines: Iterable[str]) -> Iterator[str]:
    """Read numbers of ten digits, with or without the country's 1 and a plus; in E.164."""
    for line in lines:
        if found := _LINE.fullmatch(line):
            yield f"+1{found[1]}"


def _close(reading: _Round, numbers: Sequence[str]) -> int:
    """Most batches hold nobody of ours: only where one does, the ledger is locked and we look again."""
    with transaction() as session:
        known = known_among(session, PHONE_CHANNELS, numbers)
        if not known or reading.dry_run:
            return sum(1 for person in _people(session, known) if _events(session, person, reading))
    with transaction() as session:
        lock_head(session, reading.controller.ledger)
        closed = 0
        for person in _people(session, known):
            events = _events(session, person, reading)
            record(session, events, controller=reading.controller, now=reading.now)
            if any(event.scope is Scope.ALL for event in events):
                _leave(session, person, reading)
            closed += bool(events)
        return closed


def _people(session: Session, numbers: Collection[str]) -> list[Subscriber]:
    """Return everybody at these numbers, on whichever channel an address is a number."""
    found = {
        person.id: person
        for channel in sorted(PHONE_CHANNELS)
        for person in people_at(session, [Address(channel, one) for one in numbers]).values()
        if person.erased_at is None
    }
    return [found[key] for key in sorted(found)]


def _events(session: Session, person: Subscriber, reading: _Round) -> list[NewEvent]:
    """Return what ends: everything, or, where somebody agreed after the day, each list that they did not agree to."""
    rows = session.scalars(
        select(Subscription).where(Subscription.subscriber_id == person.id).order_by(Subscription.list_id)
    ).all()
    standing = [row for row in rows if row.state in _GIVEN or row.requested_seq is not None]
    fresh = [row for row in standing if _since(row) > reading.over]
    if fresh:
        return [_event(session, person, reading, list_id=row.list_id) for row in standing if row not in fresh]
    if person.suppressed_at is not None and not standing:
        return []
    return [_event(session, person, reading, scope=Scope.ALL)]


def _since(row: Subscription) -> datetime:
    """Return when somebody agreed, or was asked for it by a page or form of ours; the later."""
    agreed = row.granted_at if row.state in _GIVEN else None
    return max(at for at in (agreed, row.requested_at, datetime.min.replace(tzinfo=UTC)) if at is not None)


def _event(session: Session, person: Subscriber, reading: _Round, **more: Any) -> NewEvent:
    evidence = {"address": person.address, "channel": person.channel, "given_back_on": str(reading.day)}
    return NewEvent(
        person,
        EventType.CONSENT_INVALIDATED,
        reading.now,
        "provider",
        act=Act.PROVIDER_SIGNAL,
        sender=session.get_one(Sender, reading.sender_id),
        pii=evidence,
        **more,
    )


def _leave(session: Session, person: Subscriber, reading: _Round) -> None:
    """Let no import bring the number back, no other channel stand for it, and no name of its former owner stay."""
    linked.drop(session, person.id)
    here = dict.fromkeys(addresses_of(session, person), REASON)
    suppressions.add(session, reading.controller.keys, here, now=reading.now)
    person.attributes = {}


def _note(done: GivenBack, sender_id: int, by: str, now: datetime) -> None:
    with transaction() as session:
        name = session.get_one(Sender, sender_id).name
        facts = {"day": str(done.day), "numbers": done.numbers, "people": done.people}
        note(session, by, "sender.deactivations", f"sender {name}", now, **facts)
