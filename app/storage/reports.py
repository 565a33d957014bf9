"""Moves deliveries forward by what gateways report of them, many in one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import DeliveryStatus
from app.storage.database import is_sqlite


@dataclass(frozen=True)
class Report:
    """What a sender's gateway says a delivery came to; it counts while the delivery stands at one of `overwrites`."""

    ref: DeliveryRef
    sender_id: int
    status: DeliveryStatus
    overwrites: tuple[DeliveryStatus, ...]
    provider_id: str
    error_code: str | None = None
    reason: str | None = None


# Statuses as bits, for each kind of report overwrites others. And only a delivery of this sender: a provider account
# may not speak about another's deliveries.
_COUNTS: Final = (
    "({overwrites} & (1 << d.status)) <> 0 AND "
    "(EXISTS (SELECT 1 FROM broadcast b WHERE b.id = {broadcast} AND b.sender_id = {sender}) OR EXISTS "
    "(SELECT 1 FROM slice s WHERE s.broadcast_id = {broadcast} AND s.seq = d.slice AND s.sender_id = {sender}))"
)
_ON_SQLITE: Final = (
    "UPDATE delivery AS d SET status = ?5, provider_id = ?7, error_code = ?8, reason = ?9, updated_at = ?10 "  # noqa: S608  # constants
    "WHERE d.broadcast_id = ?1 AND d.subscriber_id = ?2 AND d.inbound_id = ?3 AND "
    f"{_COUNTS.format(overwrites='?6', broadcast='?1', sender='?4')} RETURNING broadcast_id, subscriber_id, inbound_id"
)
# The arrays are in the order of the deliveries, and each is looked up in turn: whoever else writes several takes them
# in this order, too, so that nobody waits for somebody who waits for them.
_ON_POSTGRES: Final = (
    "UPDATE delivery AS d SET status = r.status, provider_id = r.provider_id, error_code = r.error_code, "  # noqa: S608  # constants
    "reason = r.reason, updated_at = %s "
    "FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::int[], %s::text[], "
    "%s::text[], %s::text[]) AS r(broadcast_id, subscriber_id, inbound_id, sender_id, status, overwrites, "
    "provider_id, error_code, reason) "
    "WHERE d.broadcast_id = r.broadcast_id AND d.subscriber_id = r.subscriber_id AND d.inbound_id = r.inbound_id "
    f"AND {_COUNTS.format(overwrites='r.overwrites', broadcast='r.broadcast_id', sender='r.sender_id')} "
    "RETURNING d.broadcast_id, d.subscriber_id, d.inbound_id"
)
_PLANS: Final = ("hashjoin", "mergejoin", "bitmapscan", "seqscan")
_IN_TURN: Final = "; ".join(f"SET LOCAL enable_{plan} = off" for plan in _PLANS)
_AS_EVER: Final = "; ".join(f"SET LOCAL enable_{plan} TO DEFAULT" for plan in _PLANS)


def apply_reports(session: Session, reports: Sequence[Report], now: datetime) -> list[DeliveryRef]:
    """Move deliveries forward; returns those that moved. Several reports of one count in the order given.

    Deliveries are always taken in their own order, here as in `settle`, so that two writers cannot block each other.
    """
    connection = session.connection()
    moved: list[DeliveryRef] = []
    for firsts in _one_of_each(sorted(reports, key=attrgetter("ref"))):
        rows = [_row(one) for one in firsts]
        moved += (
            _on_sqlite(connection, rows, now) if is_sqlite(session) else _on_postgres(connection, rows, now)
        )
    return sorted(moved)


def apply_report(session: Session, report: Report, now: datetime) -> bool:
    """Move one delivery forward; tells whether it moved."""
    return bool(apply_reports(session, [report], now))


def _one_of_each(in_order: Sequence[Report]) -> Iterator[list[Report]]:
    """Give out the first report of each delivery, then the second of those that have several."""
    rest = list(in_order)
    while rest:
        firsts: list[Report] = [rest[0]]
        later: list[Report] = []
        for one in rest[1:]:
            (later if one.ref == firsts[-1].ref else firsts).append(one)
        yield firsts
        rest = later


def _row(one: Report) -> tuple[Any, ...]:
    ends = (one.provider_id, one.error_code, one.reason)
    return (*one.ref, one.sender_id, one.status.value, _mask(one.overwrites), *ends)


def _on_sqlite(connection: Connection, rows: Sequence[tuple[Any, ...]], now: datetime) -> list[DeliveryRef]:
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")  # as `UtcDateTime` stores it there
    # Past SQLAlchemy, whose part of each of them takes longer than SQLite's.
    cursor = connection.connection.cursor()
    found = [ref for row in rows for ref in cursor.execute(_ON_SQLITE, (*row, moment)).fetchall()]
    cursor.close()
    return [DeliveryRef(*ref) for ref in found]


def _on_postgres(connection: Connection, rows: Sequence[tuple[Any, ...]], now: datetime) -> list[DeliveryRef]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    several = len(rows) > 1  # one has no order, and two more statements would double what it costs
    if several:
        connection.exec_driver_sql(_IN_TURN)
    moved = [DeliveryRef(*ref) for ref in connection.exec_driver_sql(_ON_POSTGRES, (now, *columns))]
    if several:
        connection.exec_driver_sql(_AS_EVER)
    return moved


@cache
def _mask(statuses: tuple[DeliveryStatus, ...]) -> int:
    return sum(1 << status.value for status in statuses)
