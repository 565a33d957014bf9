"""Counts what came of a broadcast for its brakes: taken, failed, and who left or blocked us because of it."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.consent import Act, EventType
from app.domain.messages import ErrorKind
from app.domain.policy.brakes import Sample
from app.domain.statuses import DeliveryStatus
from app.storage import tallies
from app.storage.models import Broadcast, ConsentEvent, Delivery, LedgerHead, Subscriber

_TAKEN: Final = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED)
_BLOCKED: Final = frozenset({ErrorKind.BLOCKED.value, ErrorKind.OPTED_OUT.value})
_HAD_IT: Final = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.UNKNOWN)
_BY_PLATFORM: Final = frozenset({Act.PROVIDER_SIGNAL.value, Act.PLATFORM_PREFERENCE.value})


def sample_of(session: Session, broadcast: Broadcast) -> Sample:
    """Return what came of a broadcast that began."""
    taken = failed = blocked = refused = 0
    for status, reason, _, people in tallies.counts(session, broadcast.id):
        if status in _TAKEN:
            taken += people
        elif status == DeliveryStatus.FAILED:
            failed += people
            blocked += people if reason in _BLOCKED else 0
            refused += people if reason == ErrorKind.CONTENT.value else 0
    left = left_because_of(session, broadcast)
    by_platform = sum(people for act, people in left.items() if act in _BY_PLATFORM)
    return Sample(taken, failed, sum(left.values()) - by_platform, blocked + by_platform, refused)


def left_because_of(session: Session, broadcast: Broadcast) -> dict[str | None, int]:
    """Count, by act, people who had this broadcast and withdrew their consent after it began.

    Asked each second while it is sent: so the few who withdrew are found first, and each is looked up. Of a join the
    database would choose the order itself, and read all of the ledger or all of the broadcast.
    """
    if broadcast.as_of_seq is None:
        return {}
    had_it = (
        select(Delivery.subscriber_id)
        .where(
            Delivery.broadcast_id == broadcast.id,
            Delivery.subscriber_id == Subscriber.id,
            Delivery.inbound_id == 0,
            Delivery.status.in_([one.value for one in _HAD_IT]),
        )
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(ConsentEvent.act, func.count(func.distinct(ConsentEvent.subject_ref)))
        .join(Subscriber, Subscriber.subject_ref == ConsentEvent.subject_ref)
        .where(
            ConsentEvent.ledger.in_(select(LedgerHead.ledger)),  # the index on seq begins with it
            ConsentEvent.seq > broadcast.as_of_seq,
            ConsentEvent.event_type == EventType.CONSENT_WITHDRAWN.value,
            had_it.is_not(None),
        )
        .group_by(ConsentEvent.act)
    )
    return {act: people for act, people in rows}
