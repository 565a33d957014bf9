"""What a provider's refusal tells us about a person: opted out, number dead, sender blocked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.consent import Act, EventType, Scope
from app.domain.messages import ErrorKind, SendError
from app.domain.statuses import DeliveryStatus
from app.services.controller import Controller
from app.services.record_consent import NewEvent, record
from app.storage.models import Delivery, Sender, Subscriber

# Kinds that say something about the person and not only about this delivery.
_DEAD = frozenset({ErrorKind.INVALID, ErrorKind.GONE})
PERSONAL = _DEAD | {ErrorKind.OPTED_OUT, ErrorKind.BLOCKED}


def react(
    session: Session,
    failures: Sequence[tuple[int, SendError]],
    *,
    sender_id: int,
    controller: Controller,
    now: datetime,
) -> None:
    """Turn refusals about a person (subscriber id, error) into consent events and overlays.

    An opt-out at the provider is a withdrawal here, with the provider's code as evidence; so our ledger never
    drifts from the provider's own block list.
    """
    personal = {person: error for person, error in failures if error.kind in PERSONAL}
    if not personal:
        return
    sender = session.get_one(Sender, sender_id)
    # A receipt may come after an erasure; it says nothing any more about anybody.
    people = session.scalars(
        select(Subscriber)
        .where(Subscriber.id.in_(personal), Subscriber.erased_at.is_(None))
        .order_by(Subscriber.id)
    )
    events = [
        event
        for person in people
        if _counts(session, person, personal[person.id])
        and (event := _mark(person, personal[person.id], sender, now)) is not None
    ]
    record(session, events, controller=controller, now=now)


def _counts(session: Session, person: Subscriber, error: SendError) -> bool:
    """Some codes mean a dead number only when they come again (consent.md 3.2, row 32); this failure is written."""
    if error.bounces_after == 1:
        return True
    failed = select(func.count()).where(
        Delivery.subscriber_id == person.id,
        Delivery.status == DeliveryStatus.FAILED.value,
        Delivery.error_code == error.code,
    )
    return (session.scalar(failed) or 0) >= error.bounces_after


def _mark(person: Subscriber, error: SendError, sender: Sender, now: datetime) -> NewEvent | None:
    pii = {"address": person.address, "channel": person.channel, "provider_code": error.code}
    known = person.bounced_at if error.kind in _DEAD else person.blocked_at
    if known is not None:
        return None
    bounced = NewEvent(
        person, EventType.ENDPOINT_BOUNCED, now, "provider", scope=Scope.ALL, sender=sender, pii=pii
    )
    if error.kind in _DEAD:
        return bounced
    if error.kind is ErrorKind.BLOCKED:
        # No wish of the person that we know of (consent.md 3.4): nothing is withdrawn, the address rests.
        return replace(bounced, act=Act.PROVIDER_SIGNAL, reply_skipped_reason="carrier_blocked")
    return NewEvent(
        person,
        EventType.CONSENT_WITHDRAWN,
        now,
        "provider",
        act=Act.PROVIDER_SIGNAL,
        scope=Scope.ALL,
        sender=sender,
        pii=pii,
        reply_skipped_reason="provider_opted_out",
    )
