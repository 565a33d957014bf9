"""Those who leave while a broadcast is on its way to them: skipped at once, so that a STOP wins."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage import planning
from app.storage.database import is_sqlite
from app.storage.gate import consent_seq
from app.storage.models import Broadcast, BroadcastTarget, Delivery

_RUNNING = (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


class Departure(NamedTuple):
    """A subscriber left a list, or paused it; `active_seq` is the entry since which it was active until now."""

    subscriber_id: int
    list_id: int
    active_seq: int
    reason: SkipReason


class Sent(NamedTuple):
    """A broadcast that is on its way, and what tells who is in its audience."""

    id: int
    corrects_id: int | None
    segment_rule: Mapping[str, Any] | None


def strike(session: Session, left: Sequence[Departure], now: datetime) -> None:
    """Skip those who left in every broadcast that is on its way to them, so that a STOP wins at once.

    A row is written even where the claim has not come by yet: the sums still meet the frozen audience.
    """
    if not left or not _anything_runs(session):
        return
    for departure in left:
        for sent in _running_audiences_of(session, departure):
            if _is_counted(session, sent, departure.subscriber_id):
                _enter(session, sent.id, departure.subscriber_id, departure.reason, now)
            _skip(session, sent.id, departure.subscriber_id, departure.reason, now)


def _anything_runs(session: Session) -> bool:
    return session.scalar(select(Broadcast.id).where(Broadcast.state.in_(_RUNNING)).limit(1)) is not None


def _is_counted(session: Session, sent: Sent, subscriber_id: int) -> bool:
    """Tell whether somebody on the lists is in the audience already, claimed or not.

    Those are who were found: whoever leaves before the planning comes by will not be found. A correction counts its
    people, and skips those who left, when it claims them.
    """
    if sent.corrects_id is not None:
        return False
    if sent.segment_rule is not None:
        return planning.waits(session, sent.id, subscriber_id)
    return planning.covers(session, sent.id, subscriber_id)


def _running_audiences_of(session: Session, departure: Departure) -> list[Sent]:
    """Running broadcasts whose frozen audience the person was in and that no other list still lets through."""
    still = consent_seq(Broadcast.id, departure.subscriber_id, Broadcast.as_of_seq)
    rows = session.execute(
        select(Broadcast.id, Broadcast.corrects_id, Broadcast.segment_rule).where(
            Broadcast.state.in_(_RUNNING),
            Broadcast.as_of_seq >= departure.active_seq,
            exists().where(
                and_(
                    BroadcastTarget.broadcast_id == Broadcast.id, BroadcastTarget.list_id == departure.list_id
                )
            ),
            still.is_(None),
        )
    )
    return [Sent(*row) for row in rows]


def _enter(
    session: Session, broadcast_id: int, subscriber_id: int, reason: SkipReason, now: datetime
) -> None:
    """Write the row of somebody for whom the claim has not come by."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(
        dialect.insert(Delivery)
        .values(
            broadcast_id=broadcast_id,
            subscriber_id=subscriber_id,
            inbound_id=0,
            status=DeliveryStatus.SKIPPED.value,
            reason=reason.value,
            attempts=0,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )


def _skip(session: Session, broadcast_id: int, subscriber_id: int, reason: SkipReason, now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.subscriber_id == subscriber_id,
            Delivery.inbound_id == 0,
            Delivery.status == DeliveryStatus.PENDING.value,
        )
        .values(status=DeliveryStatus.SKIPPED.value, reason=reason.value, due_at=None, updated_at=now)
    )
