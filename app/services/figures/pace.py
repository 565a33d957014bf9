"""How fast a broadcast goes: the clock keeps how far it is each minute, and the progress page draws the steps.

Read are the counts that the database keeps, never the deliveries, so a look costs the same for a million people.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus
from app.storage.counters import insert_into
from app.storage.database import changed, db, transaction
from app.storage.models import Broadcast, BroadcastMinute, DeliveryTally, Sender
from app.storage.ways import ways_of_broadcast

KEPT: Final = timedelta(days=90)
MOST_POINTS: Final = 60
_MINUTE: Final = timedelta(minutes=1)
# The last minute of a broadcast is looked at once more after it ended.
_JUST_ENDED: Final = timedelta(minutes=1)
_SMS: Final = "sms"
_HANDED_OVER: Final = (
    DeliveryStatus.SENT.value,
    DeliveryStatus.DELIVERED.value,
    DeliveryStatus.FAILED.value,
    DeliveryStatus.UNKNOWN.value,
)


@dataclass(frozen=True)
class Step:
    """What was handed over in each minute from `at` (UTC) on, on average of `minutes`, and how many failed."""

    at: datetime
    minutes: int
    per_minute: float
    failed: int


@dataclass(frozen=True)
class Pace:
    """The steps in their order, at most `MOST_POINTS`, and messages a minute that the senders together allow."""

    steps: tuple[Step, ...]
    target: float


def sample(now: datetime) -> int:
    """Keep how far each broadcast is that is being sent, or ended a moment ago; returns how many there were."""
    with transaction() as session:
        going = session.scalars(
            select(Broadcast.id).where(
                Broadcast.tests_id.is_(None),
                or_(
                    Broadcast.state == BroadcastState.SENDING.value,
                    Broadcast.finished_at > now - _JUST_ENDED,
                ),
                Broadcast.started_at.is_not(None),
            )
        ).all()
        if going:
            _keep(session, going, now)
        return len(going)


def forget(now: datetime) -> int:
    """Let go of what is older than `KEPT`; returns how many rows went."""
    with transaction() as session:
        old = delete(BroadcastMinute).where(BroadcastMinute.minute < now - KEPT)
        return changed(session.execute(old))


def pace_of(broadcast_id: int) -> Pace:
    """Return how fast a broadcast went until now; without steps before the first look."""
    session = db.session()
    rows = session.execute(
        select(BroadcastMinute.minute, BroadcastMinute.handed_over, BroadcastMinute.failed)
        .where(BroadcastMinute.broadcast_id == broadcast_id)
        .order_by(BroadcastMinute.minute)
    ).all()
    return Pace(_steps([(at, over, failed) for at, over, failed in rows]), _target(session, broadcast_id))


def _keep(session: Session, going: Sequence[int], now: datetime) -> None:
    over: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    keys = (DeliveryTally.broadcast_id, DeliveryTally.status)
    rows = session.execute(
        select(*keys, func.sum(DeliveryTally.people))
        .where(DeliveryTally.broadcast_id.in_(going), DeliveryTally.status.in_(_HANDED_OVER))
        .group_by(*keys)
    )
    for broadcast_id, status, people in rows:
        over[broadcast_id] += int(people)
        failed[broadcast_id] += int(people) if status == DeliveryStatus.FAILED else 0
    minute = now.replace(second=0, microsecond=0)
    insert = insert_into(session, BroadcastMinute)
    later = {name: insert.excluded[name] for name in ("handed_over", "failed")}
    session.execute(
        insert.on_conflict_do_update(index_elements=["broadcast_id", "minute"], set_=later),
        [
            {"broadcast_id": one, "minute": minute, "handed_over": over[one], "failed": failed[one]}
            for one in sorted(going)
        ],
    )


def _steps(rows: Sequence[tuple[datetime, int, int]]) -> tuple[Step, ...]:
    """Differences between looks; of a long broadcast several minutes are one step. A gap is a slow stretch."""
    if not rows:
        return ()
    first, last = rows[0][0], rows[-1][0]
    width = ceil(((last - first) // _MINUTE + 1) / MOST_POINTS)
    reached = {(at - first) // (_MINUTE * width): (over, failed) for at, over, failed in rows}
    steps, before = [], (0, 0)
    for place in range(max(reached) + 1):
        after = reached.get(place, before)
        at = first + place * width * _MINUTE
        minutes = min(width, (last - at) // _MINUTE + 1)
        # A message that is tried again is waiting once more: then fewer are out than before.
        steps.append(Step(at, minutes, max(0, after[0] - before[0]) / minutes, max(0, after[1] - before[1])))
        before = after
    return tuple(steps)


def _target(session: Session, broadcast_id: int) -> float:
    ids = _at_work(session, broadcast_id) or set(ways_of_broadcast(session, broadcast_id).values())
    parts = max(1, session.scalar(select(Broadcast.sms_parts).where(Broadcast.id == broadcast_id)) or 1)
    senders = session.scalars(select(Sender).where(Sender.id.in_(ids)))
    return sum(60 * one.rate / (parts if one.channel == _SMS else 1) for one in senders)


def _at_work(session: Session, broadcast_id: int) -> set[int]:
    """Senders that handed something over: a list may offer channels on which it has nobody."""
    return set(
        session.scalars(
            select(DeliveryTally.sender_id)
            .where(
                DeliveryTally.broadcast_id == broadcast_id,
                DeliveryTally.status.in_(_HANDED_OVER),
                DeliveryTally.sender_id != 0,
            )
            .group_by(DeliveryTally.sender_id)
            .having(func.sum(DeliveryTally.people) > 0)
        )
    )
