"""Counts who opened a message, where the platform tells: each person once, and never instead of *delivered*.

Who it was is kept only so long as a platform may tell it a second time, for nothing but not to count it twice. After
that there are numbers and no names.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import delete, exists, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import DeliveryStatus
from app.storage.counters import add, insert_into
from app.storage.database import UtcDateTime, changed, transaction
from app.storage.models import Broadcast, Delivery, DeliveryRead, ReadTally, Slice

# A broadcast's reads count so long after it began; the mark outlives that, so that none counts twice.
COUNTED_FOR: Final = timedelta(days=7)
_KEPT_FOR: Final = COUNTED_FOR + timedelta(days=1)
_AT_ONCE: Final = 500


def record_reads(reads: Iterable[tuple[int, DeliveryRef]], now: datetime) -> int:
    """Count deliveries that were read, each with the sender whose platform says so; returns how many were new.

    Reads of what is not delivered, of replies, of tests, of other senders' deliveries and of broadcasts that began more
    than `COUNTED_FOR` ago are left out; the same may be given again.
    """
    found = sorted({(sender_id, ref) for sender_id, ref in reads if ref.inbound_id == 0})
    new = 0
    for sender_id, group in groupby(found, key=itemgetter(0)):
        refs = [ref for _, ref in group]
        for at in range(0, len(refs), _AT_ONCE):
            with transaction() as session:
                new += _count(session, sender_id, refs[at : at + _AT_ONCE], now)
    return new


def forget(now: datetime) -> int:
    """Let go of who read what, once nobody can tell it again; returns how many rows went."""
    with transaction() as session:
        old = delete(DeliveryRead).where(DeliveryRead.at < now - _KEPT_FOR)
        return changed(session.execute(old))


def reads_of(session: Session, broadcast_id: int) -> Mapping[int, int]:
    """Return how many read a broadcast, by sender."""
    rows = session.execute(
        select(ReadTally.sender_id, ReadTally.people).where(ReadTally.broadcast_id == broadcast_id)
    )
    return {sender_id: people for sender_id, people in rows}


def _count(session: Session, sender_id: int, refs: Sequence[DeliveryRef], now: datetime) -> int:
    key = (Delivery.broadcast_id, Delivery.subscriber_id)
    theirs = (
        select(*key, literal(now, UtcDateTime))
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            tuple_(*key).in_([(ref.broadcast_id, ref.subscriber_id) for ref in refs]),
            Delivery.inbound_id == 0,
            Delivery.status == DeliveryStatus.DELIVERED.value,
            Broadcast.started_at > now - COUNTED_FOR,
            Broadcast.tests_id.is_(None),
            or_(
                Broadcast.sender_id == sender_id,
                exists().where(
                    Slice.broadcast_id == Delivery.broadcast_id,
                    Slice.seq == Delivery.slice,
                    Slice.sender_id == sender_id,
                ),
            ),
        )
        .order_by(*key)
    )
    insert = insert_into(session, DeliveryRead).from_select(["broadcast_id", "subscriber_id", "at"], theirs)
    marked = session.scalars(insert.on_conflict_do_nothing().returning(DeliveryRead.broadcast_id)).all()
    counts = Counter((broadcast_id, sender_id) for broadcast_id in marked)
    add(session, ReadTally, "people", counts)
    return len(marked)
