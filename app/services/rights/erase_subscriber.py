"""Erase one person (GDPR article 17): say what would go and what stays, do it, carry out requests by text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.addresses import mask
from app.domain.consent import Act, EventType, Scope, SubscriptionState
from app.domain.statuses import DeliveryStatus
from app.services import kept_hooks
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.manage_subscribers import find_subscriber, read_address
from app.services.record_consent import NewEvent, record
from app.services.rights import wiping
from app.services.rights.requests import Request, next_request, request_of
from app.storage import aliases
from app.storage.database import db, transaction
from app.storage.models import (
    ConsentEvent,
    ConsentPii,
    Delivery,
    InboundRow,
    Subject,
    Subscriber,
    Subscription,
)

MAX_REASON: Final = 300
_OVER: Final = (SubscriptionState.STOPPED.value, SubscriptionState.UNKNOWN.value)


@dataclass(frozen=True)
class Statement:
    """What an erasure of this person touches. `waiting` deliveries are struck; `proof` entries are sealed ones.

    `never_sent`: nothing but answers ever went to this person, so that no proof of use is needed.
    """

    subscriber_id: int
    texts: int
    deliveries: int
    waiting: int
    lists: int
    proof: int
    never_sent: bool


@dataclass(frozen=True)
class Erased:
    """What was done. `full`: the proof was destroyed, too; else it is under lock."""

    subscriber_id: int
    full: bool
    statement: Statement


def statement(subscriber_id: int) -> Statement:
    """Count what would go and what would stay. Raises `NotFound`, and `Refused` for somebody who is erased."""
    session = db.session()
    return _statement(session, _person(session, subscriber_id))


def find(raw: str, *, channel: str, controller: Controller) -> int:
    """Return the id of the person at this address. Raises `Refused`, `NotFound`."""
    return find_subscriber(db.session(), read_address(raw, channel=channel, controller=controller)).id


def erase(
    subscriber_id: int, *, full: bool | None, reason: str = "", by: str, controller: Controller, now: datetime
) -> Erased:
    """Erase a person at once. Without `full` the proof is destroyed only if nothing was ever sent to them.

    All subscriptions end, everything that waits is struck, profile and words go, and a keyed hash of the address
    is suppressed. `reason` says how the request reached us; it is sealed like all evidence. Raises `NotFound`,
    and `Refused` for somebody who is erased already.
    """
    words = reason.strip()
    if len(words) > MAX_REASON:
        raise Refused(f"The reason has {len(words)} characters; it may have {MAX_REASON}.")
    with transaction() as session:
        person = _person(session, subscriber_id)
        request = request_of(session, person)
        events = [] if request else [_request(person, words, by, now)]
        return _erase(session, person, events, request, full=full, actor=f"operator:{by}", by=by,
                      controller=controller, now=now)  # fmt: skip


def erase_requested(*, controller: Controller, now: datetime) -> list[int]:
    """Carry out the requests that people texted, as soon as no answer to them waits; returns the subscriber ids.

    For the clock: one person in one transaction, and a request that somebody else took is left alone.
    """
    done: list[int] = []
    while True:
        with transaction() as session:
            request = next_request(session, controller.ledger, skip=done)
            if request is None:
                return done
            person = _person(session, request.subscriber_id)
            _erase(session, person, [], request, full=None, actor="system:erasure", by="system",
                   controller=controller, now=now)  # fmt: skip
            done.append(person.id)


def _erase(
    session: Session,
    person: Subscriber,
    events: Sequence[NewEvent],
    request: Request | None,
    *,
    full: bool | None,
    actor: str,
    by: str,
    controller: Controller,
    now: datetime,
) -> Erased:
    found = _statement(session, person)
    whole = found.never_sent if full is None else full
    entries = record(
        session, [*_withdrawal(session, person, actor, now), *events], controller=controller, now=now
    )
    asked = request.event_id if request else entries[-1]["event_id"]
    done = NewEvent(
        person,
        EventType.ERASED,
        now,
        actor,
        scope=Scope.ALL,
        matched_rule=f"erase:{'full' if whole else 'restricted'}",
        related_event_id=asked,
    )
    record(session, [done], controller=controller, now=now)
    note(session, by, "subscriber.erase", f"subscriber {person.channel} {mask(person.address)}", now)
    for other in aliases.former_selves(session, person):
        if other.erased_at is None:
            _erase(session, other, [_request(other, "", by, now)], None, full=full, actor=actor, by=by,
                   controller=controller, now=now)  # fmt: skip
    hmac = wiping.hash_of(person, controller.keys)
    wiping.suppress(session, wiping.hashes_of(session, [person], controller.keys), controller.keys, now)
    kept_hooks.forget(session, [person], controller.keys)
    wiping.blank(session, [person], now)
    if whole:
        wiping.shred(session, [person.subject_ref])
    else:
        wiping.restrict(session, person.subject_ref, hmac, now)
    return Erased(person.id, whole, found)


def _withdrawal(session: Session, person: Subscriber, actor: str, now: datetime) -> list[NewEvent]:
    """Who asks to be erased withdraws: without this entry the ledger would still say that they agree."""
    active = select(Subscription.list_id).where(
        Subscription.subscriber_id == person.id, Subscription.state.not_in(_OVER)
    )
    if session.scalar(active.limit(1)) is None:
        return []
    return [NewEvent(person, EventType.CONSENT_WITHDRAWN, now, actor, act=Act.OPERATOR, scope=Scope.ALL)]


def _request(person: Subscriber, reason: str, by: str, now: datetime) -> NewEvent:
    return NewEvent(
        person,
        EventType.ERASURE_REQUESTED,
        now,
        f"operator:{by}",
        act=Act.OPERATOR,
        scope=Scope.ALL,
        pii={"address": person.address, "channel": person.channel, "reason": reason},
    )


def _person(session: Session, subscriber_id: int) -> Subscriber:
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        raise NotFound("There is no such person.")
    if person.erased_at is not None:
        raise Refused("This person's data was erased already.")
    return person


def _statement(session: Session, person: Subscriber) -> Statement:
    deliveries = select(func.count()).select_from(Delivery).where(Delivery.subscriber_id == person.id)
    bulk = deliveries.where(Delivery.inbound_id == 0, Delivery.status.in_(wiping.HANDED_OVER))
    lists = select(func.count()).select_from(Subscription).where(Subscription.subscriber_id == person.id)
    texts = select(func.count()).select_from(InboundRow).where(InboundRow.subscriber_id == person.id)
    proof = (
        select(func.count())
        .select_from(ConsentPii)
        .join(ConsentEvent, ConsentEvent.event_id == ConsentPii.event_id)
        .join(Subject, Subject.subject_ref == ConsentEvent.subject_ref)
        .where(ConsentEvent.subject_ref == person.subject_ref)
    )
    waiting = deliveries.where(Delivery.status == DeliveryStatus.PENDING.value)
    count = {
        name: session.scalar(query) or 0
        for name, query in (
            ("texts", texts), ("deliveries", deliveries), ("waiting", waiting), ("lists", lists), ("proof", proof),
        )
    }  # fmt: skip
    return Statement(person.id, **count, never_sent=not session.scalar(bulk))
