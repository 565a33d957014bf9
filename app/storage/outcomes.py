"""What became of deliveries, written in bulk: answers to hand-overs, and reports that come later."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import DeliveryStatus
from app.storage.database import changed, is_sqlite
from app.storage.models import Broadcast, Delivery, Slice

RESULTS_COME_WITHIN = timedelta(days=7)
"""A platform that checks a broadcast before it sends it, by people even, is done with it by then."""


class Settlement(NamedTuple):
    """What to write for one delivery after its hand-over. `due_at` with PENDING means: try again then."""

    ref: DeliveryRef
    status: DeliveryStatus
    provider_id: str | None = None
    reason: str | None = None
    error_code: str | None = None
    due_at: datetime | None = None
    attempt_counts: bool = True


# What stands in the row while a hand-over is in the journal only: PENDING, or SKIPPED where a STOP or a cancel came
# after the message had left. A receipt may have come first; it knows more than the answer to the hand-over.
_OPEN = or_(*(Delivery.status == literal(one, Delivery.status.type) for one in (0, 1, 5, 6)))
_AGAIN_THOUGH_STOPPED = and_(
    Delivery.status == literal(DeliveryStatus.SKIPPED.value),
    bindparam("b_status", type_=Delivery.status.type) == literal(DeliveryStatus.PENDING.value),
)
_TAKES = and_(_OPEN, not_(_AGAIN_THOUGH_STOPPED))
_SETTLE = (
    update(Delivery.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed as FromClause
    .where(
        Delivery.broadcast_id == bindparam("b_broadcast"),
        Delivery.subscriber_id == bindparam("b_subscriber"),
        Delivery.inbound_id == bindparam("b_inbound"),
    )
    .values(
        status=case((_TAKES, bindparam("b_status", type_=Delivery.status.type)), else_=Delivery.status),
        reason=case((_TAKES, bindparam("b_reason", type_=Delivery.reason.type)), else_=Delivery.reason),
        error_code=func.coalesce(bindparam("b_code", type_=Delivery.error_code.type), Delivery.error_code),
        provider_id=func.coalesce(
            bindparam("b_provider", type_=Delivery.provider_id.type), Delivery.provider_id
        ),
        due_at=case((_TAKES, bindparam("b_due", type_=Delivery.due_at.type)), else_=Delivery.due_at),
        attempts=Delivery.attempts + bindparam("b_attempts", type_=Delivery.attempts.type),
        updated_at=bindparam("b_now", type_=Delivery.updated_at.type),
    )
)
# The same for the many that were simply taken, in the driver's own words: past SQLAlchemy, and on PostgreSQL in one
# statement for all of them.
_SENT = (
    "UPDATE delivery SET status = CASE WHEN status IN (0, 1, 5, 6) THEN 2 ELSE status END, "
    "reason = CASE WHEN status IN (0, 1, 5, 6) THEN NULL ELSE reason END, due_at = NULL, "
    "attempts = attempts + 1, "
)
_SENT_ON_SQLITE = _SENT + (
    "updated_at = ?, provider_id = ? WHERE broadcast_id = ? AND subscriber_id = ? AND inbound_id = 0"
)
# No join, and bounds: a PostgreSQL that has never counted the rows would read the whole broadcast again and again.
_THOSE = (
    "WHERE broadcast_id = %s AND subscriber_id BETWEEN %s AND %s AND inbound_id = 0 "
    "AND subscriber_id = ANY(%s::bigint[])"
)
_SENT_ON_POSTGRES = f"{_SENT}updated_at = %s, provider_id = %s::jsonb ->> subscriber_id::text {_THOSE}"
_LOCK_ON_POSTGRES = f"SELECT 1 FROM delivery {_THOSE} ORDER BY subscriber_id FOR UPDATE"  # noqa: S608  # constants
# Row by row in the order of the index, as everywhere: another order than a receipt's could end in a deadlock.
_IN_ORDER = "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off"

_CLOSE_TOGETHER = 20
"""The bulk statement reads all between the first and the last person; not for a few out of millions."""


def settle(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what became of hand-overs: of those taken in one statement a broadcast, of the others in one round trip.

    Whoever writes many deliveries takes them in their own order, here as in `apply_reports`: no deadlock.
    """
    in_order = sorted(settlements, key=attrgetter("ref"))
    for broadcast_id, group in groupby(in_order, key=lambda one: one.ref.broadcast_id):
        _settle_broadcast(session, broadcast_id, list(group), now)


def _settle_broadcast(
    session: Session, broadcast_id: int, in_order: Sequence[Settlement], now: datetime
) -> None:
    sent: list[Settlement] = []
    others: list[Settlement] = []
    for one in in_order:
        (sent if _is_plain(one) else others).append(one)
    if in_order[-1].ref.subscriber_id - in_order[0].ref.subscriber_id >= _CLOSE_TOGETHER * len(sent):
        sent, others = [], list(in_order)
    if sent and others and not is_sqlite(session):
        _lock(session, broadcast_id, in_order)
    if sent:
        _settle_sent(session, broadcast_id, sent, now)
    if others:
        session.connection().execute(_SETTLE, [_settle_params(one, now) for one in others])


def _is_plain(one: Settlement) -> bool:
    return one.status is DeliveryStatus.SENT and one.provider_id is not None and one.ref.inbound_id == 0


def _lock(session: Session, broadcast_id: int, in_order: Sequence[Settlement]) -> None:
    """Lock what two statements are going to write, for the second comes back to rows before the last of the first."""
    connection = session.connection()
    connection.exec_driver_sql(_IN_ORDER)
    connection.exec_driver_sql(_LOCK_ON_POSTGRES, (broadcast_id, *_people(in_order)))


def _people(in_order: Sequence[Settlement]) -> tuple[int, int, str]:
    """Return the first, the last, and all as an array of PostgreSQL."""
    ids = [one.ref.subscriber_id for one in in_order]
    return ids[0], ids[-1], f"{{{','.join(map(str, ids))}}}"


def _settle_sent(session: Session, broadcast_id: int, sent: Sequence[Settlement], now: datetime) -> None:
    connection = session.connection()
    if is_sqlite(session):
        moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")  # as `UtcDateTime` stores it there
        rows = [(moment, one.provider_id, broadcast_id, one.ref.subscriber_id) for one in sent]
        connection.exec_driver_sql(_SENT_ON_SQLITE, rows)
    else:
        ids = {str(one.ref.subscriber_id): one.provider_id for one in sent}
        connection.exec_driver_sql(_IN_ORDER)
        connection.exec_driver_sql(_SENT_ON_POSTGRES, (now, json.dumps(ids), broadcast_id, *_people(sent)))


def _settle_params(one: Settlement, now: datetime) -> dict[str, Any]:
    # Replies are counted when they are claimed, in the statement that marks them as leaving.
    counted = 0 if one.ref.inbound_id == 0 else 1
    return {
        "b_broadcast": one.ref.broadcast_id,
        "b_subscriber": one.ref.subscriber_id,
        "b_inbound": one.ref.inbound_id,
        "b_status": one.status.value,
        "b_reason": one.reason,
        "b_code": one.error_code,
        "b_provider": one.provider_id,
        "b_due": one.due_at,
        "b_attempts": int(one.attempt_counts) - counted,
        "b_now": now,
    }


def apply_result(
    session: Session,
    sender_id: int,
    provider_id: str,
    status: DeliveryStatus,
    overwrites: Sequence[DeliveryStatus],
    now: datetime,
    *,
    error_code: str | None,
    reason: str | None,
) -> int:
    """Move every delivery of one request of a sender forward; returns how many moved.

    Only broadcasts that changed in the last days are looked at, for no index leads from a provider's id to them.
    """
    recent = (
        select(Slice.broadcast_id)
        .join(Broadcast, Broadcast.id == Slice.broadcast_id)
        .where(Slice.sender_id == sender_id, Broadcast.started_at > now - RESULTS_COME_WITHIN)
    )
    done = session.execute(
        update(Delivery)
        .where(
            Delivery.broadcast_id.in_(recent),
            Delivery.inbound_id == 0,
            Delivery.provider_id == provider_id,
            Delivery.status.in_([one.value for one in overwrites]),
            exists().where(
                Slice.broadcast_id == Delivery.broadcast_id,
                Slice.seq == Delivery.slice,
                Slice.sender_id == sender_id,
            ),
        )
        .values(status=status.value, error_code=error_code, reason=reason, updated_at=now),
        execution_options={"synchronize_session": False},
    )
    return changed(done)
