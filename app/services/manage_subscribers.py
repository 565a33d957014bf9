"""Subscribers as operators handle them: look one up, export a list, record a revocation, suppress an address."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address, BadAddress, canonical, mask
from app.domain.consent import Act, EventType, Scope
from app.domain.ledger import iso_ms
from app.domain.spreadsheets import wrap
from app.services import suppressions
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.manage_lists import find_list
from app.services.project_consent import overlays_of
from app.services.record_consent import NewEvent, find_or_create_subscriber, record
from app.storage.aliases import addresses_of, people_at, person_at
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Subscriber, Subscription

EXPORT_COLUMNS: Final = ("number", "state", "since", "language")
MAX_REASON: Final = 300


class Way(StrEnum):
    """How a revocation reached us that was no text message (consent rules 1.1, R4)."""

    CALL = "call"
    EMAIL = "email"
    LETTER = "letter"
    IN_PERSON = "in_person"
    OTHER = "other"


@dataclass(frozen=True)
class OnList:
    """The person's standing on one list."""

    list_name: str
    keyword: str
    state: str
    granted_seq: int | None
    granted_at: datetime | None
    stopped_seq: int | None
    stopped_at: datetime | None


@dataclass(frozen=True)
class Person:
    """One subscriber as operators see it. `overlays` are the reasons that win over every subscription; `place` is the
    town, "" where nobody said it.
    """

    subscriber_id: int
    address: str
    channel: str
    subject_ref: str
    language: str
    since: datetime
    overlays: dict[str, datetime]
    lists: tuple[OnList, ...]
    place: str = ""


def read_address(raw: str, *, channel: str, controller: Controller) -> Address:
    """Return the canonical address; raises `Refused` with what is wrong and an example."""
    try:
        return canonical(channel, raw, controller.region)
    except BadAddress as error:
        raise Refused(str(error)) from error


def find_subscriber(session: Session, address: Address) -> Subscriber:
    """Return the subscriber at this address; raises `NotFound`."""
    found = person_at(session, address)
    if found is None:
        raise NotFound(
            f"Nobody at {mask(address.value)} on {address.channel} ever wrote to us or was imported."
        )
    return found


def show(raw: str, *, channel: str = "sms", controller: Controller) -> Person:
    """Return what is known of the person at this address. Raises `Refused`, `NotFound`."""
    session = db.session()
    return describe(
        session, find_subscriber(session, read_address(raw, channel=channel, controller=controller))
    )


def describe(session: Session, subscriber: Subscriber) -> Person:
    """Return a subscriber with overlays and standings."""
    return Person(
        subscriber.id,
        subscriber.address,
        subscriber.channel,
        subscriber.subject_ref,
        subscriber.language,
        subscriber.created_at,
        {name.value: at for name, at in overlays_of(subscriber).present.items()},
        _standings(session, subscriber.id),
        subscriber.place,
    )


def _standings(session: Session, subscriber_id: int) -> tuple[OnList, ...]:
    rows = session.execute(
        select(BroadcastList.name, BroadcastList.keyword, Subscription)
        .join(Subscription, Subscription.list_id == BroadcastList.id)
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(BroadcastList.name)
    )
    return tuple(
        OnList(name, keyword, row.state, row.granted_seq, row.granted_at, row.stopped_seq, row.stopped_at)
        for name, keyword, row in rows
    )


def export_list(list_name: str) -> Iterator[str]:
    """Yield the lines of a CSV of everybody who was ever on the list: number, state, since when, language.

    Raises `NotFound` for an unknown list, before the first line.
    """
    list_id = find_list(db.session(), list_name).id
    return _export_lines(list_id)


def _export_lines(list_id: int) -> Iterator[str]:
    yield _csv_line(EXPORT_COLUMNS)
    query = (
        select(Subscriber.address, Subscription, Subscriber.language)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.list_id == list_id, Subscriber.erased_at.is_(None))
        .order_by(Subscriber.id)
    )
    with db.session().execute(query, execution_options={"yield_per": 1000}) as rows:
        for address, row, language in rows:
            since = row.granted_at if row.state == "active" else row.stopped_at
            yield _csv_line((address, row.state, since.isoformat() if since else "", language))


def opt_out(
    raw: str,
    *,
    reason: str,
    received_by: Way = Way.OTHER,
    received_at: datetime | None = None,
    list_name: str | None = None,
    channel: str = "sms",
    by: str,
    controller: Controller,
    now: datetime,
) -> Person:
    """Record that the person revoked by some other way than a text: a call, a letter, an e-mail (FCC 64.1200(a)(11)).

    `reason` is the evidence: the person's words, or who took the call. The consent ends now, whenever the message
    came; `received_at` is kept beside it. Without `list_name` it is every list. It holds for people whom we never
    met, too, and without `list_name` suppresses their number: no later import brings them in, even after an
    erasure, until they text START themselves. Raises `Refused` without a reason or for a moment to come,
    `NotFound` for an unknown list.
    """
    if received_at is not None and received_at > now:
        raise Refused("The revocation cannot have been received in the future.")
    evidence = {"received_by": received_by.value, "received_at": iso_ms(received_at or now)}
    return _end(
        raw,
        EventType.CONSENT_WITHDRAWN,
        {**evidence, "reason": _checked_reason(reason, MAX_REASON)},
        _Ending(list_name, channel, by),
        controller,
        now,
    )


def remove(
    raw: str,
    *,
    reason: str,
    list_name: str | None = None,
    channel: str = "sms",
    by: str,
    controller: Controller,
    now: datetime,
) -> Person:
    """End somebody's consent at our own wish, not the person's (consent rules 3.2, row 38).

    Only the person can come back, by a text. Raises `Refused` without a reason, `NotFound` for an unknown list or
    for an address that we do not know.
    """
    pii = {"reason": _checked_reason(reason, MAX_REASON)}
    find_subscriber(db.session(), read_address(raw, channel=channel, controller=controller))
    ending = _Ending(list_name, channel, by)
    return _end(raw, EventType.CONSENT_REVOKED, pii, ending, controller, now)


@dataclass(frozen=True)
class _Ending:
    list_name: str | None
    channel: str
    by: str


def _end(
    raw: str,
    event_type: EventType,
    pii: dict[str, str],
    ending: _Ending,
    controller: Controller,
    now: datetime,
) -> Person:
    address = read_address(raw, channel=ending.channel, controller=controller)
    with transaction() as session:
        lock_head(session, controller.ledger)
        found = find_list(session, ending.list_name) if ending.list_name else None
        stranger = not _is_known(session, address)
        subscriber = find_or_create_subscriber(
            session, address, language=found.language if found else "en", controller=controller, now=now
        )
        event = NewEvent(
            subscriber,
            event_type,
            occurred_at=now,
            actor=f"operator:{ending.by}",
            act=Act.OPERATOR,
            scope=Scope.LIST if found else Scope.ALL,
            list_id=found.id if found else None,
            pii={"address": address.value, "channel": address.channel, **pii},
        )
        record(session, [event], controller=controller, now=now)
        if stranger and found is None:
            words = {address: "asked to stop"}
            suppressions.add(session, controller.keys, words, now=now)
            tell_ledger(session, words, EventType.SUPPRESSION_ADDED, ending.by, controller, now)
        return describe(session, subscriber)


def suppress(
    raw: str, *, reason: str, channel: str = "sms", by: str, controller: Controller, now: datetime
) -> None:
    """Never send to this address, whatever lists or imports say; only a keyed hash of it is kept for that.

    Suppressing twice changes nothing. Raises `Refused` without a reason or for a bad address.
    """
    words = _checked_reason(reason, suppressions.MAX_REASON)
    address = read_address(raw, channel=channel, controller=controller)
    with transaction() as session:
        lock_head(session, controller.ledger)
        if suppressions.add(session, controller.keys, {address: words}, now=now):
            tell_ledger(session, {address: words}, EventType.SUPPRESSION_ADDED, by, controller, now)
            _audit(session, "subscriber.suppress", address, by, now)


def unsuppress(raw: str, *, channel: str = "sms", by: str, controller: Controller, now: datetime) -> None:
    """Lift a suppression that was made by mistake; consent is untouched. Raises `Refused` when there is none."""
    address = read_address(raw, channel=channel, controller=controller)
    with transaction() as session:
        lock_head(session, controller.ledger)
        person = person_at(session, address)
        here = addresses_of(session, person) if person else [address]
        lifted = [suppressions.lift(session, controller.keys, one, now=now) for one in here]
        if not any(lifted):
            raise Refused(f"{mask(address.value)} is not suppressed.")
        tell_ledger(session, {address: "made by mistake"}, EventType.SUPPRESSION_LIFTED, by, controller, now)
        _audit(session, "subscriber.unsuppress", address, by, now)


def tell_ledger(
    session: Session,
    reasons: Mapping[Address, str],
    event_type: EventType,
    by: str,
    controller: Controller,
    now: datetime,
) -> None:
    """Write it into the ledger of those whom we know (addresses of one channel); of others only the hash is kept."""
    people = people_at(session, reasons)
    events = [
        NewEvent(
            person,
            event_type,
            occurred_at=now,
            actor=f"operator:{by}",
            act=Act.OPERATOR,
            scope=Scope.ALL,
            pii={"address": address.value, "channel": address.channel, "reason": reasons[address]},
        )
        for address, person in people.items()
    ]
    record(session, events, controller=controller, now=now)


def _is_known(session: Session, address: Address) -> bool:
    return person_at(session, address) is not None


def _checked_reason(reason: str, limit: int) -> str:
    words = reason.strip()
    if not words:
        raise Refused('Say why and how it reached you: --reason "called on 3 March, spoke to Ms Ross"')
    if len(words) > limit:
        raise Refused(f"The reason has {len(words)} characters; it may have {limit}.")
    return words


def _audit(session: Session, action: str, address: Address, by: str, now: datetime) -> None:
    note(session, by, action, f"subscriber {address.channel} {mask(address.value)}", now)


def _csv_line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(map(wrap, cells))
    return out.getvalue()
