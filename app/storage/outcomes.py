"""What became of deliveries, written in bulk: answers to hand-overs, and reports that come later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Update, bindparam, case, exists, func, literal, or_, update
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef
from app.domain.statuses import DeliveryStatus
from app.storage.database import changed
from app.storage.models import Broadcast, Delivery, Slice

_HANDING = DeliveryStatus.HANDING_OVER.value
_UNKNOWN = DeliveryStatus.UNKNOWN.value


@dataclass(frozen=True)
class Settlement:
    """What to write for one delivery after its hand-over. `due_at` with PENDING means: try again then."""

    ref: DeliveryRef
    status: DeliveryStatus
    provider_id: str | None = None
    reason: str | None = None
    error_code: str | None = None
    due_at: datetime | None = None
    attempt_counts: bool = True


_OPEN = or_(Delivery.status == literal(_HANDING), Delivery.status == literal(_UNKNOWN))
_SETTLE = (
    update(Delivery.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed as FromClause
    .where(
        Delivery.broadcast_id == bindparam("b_broadcast"),
        Delivery.subscriber_id == bindparam("b_subscriber"),
        Delivery.inbound_id == bindparam("b_inbound"),
    )
    .values(
        # A receipt may have come first; it knows more than the answer to the hand-over.
        status=case((_OPEN, bindparam("b_status", type_=Delivery.status.type)), else_=Delivery.status),
        reason=case((_OPEN, bindparam("b_reason", type_=Delivery.reason.type)), else_=Delivery.reason),
        error_code=func.coalesce(bindparam("b_code", type_=Delivery.error_code.type), Delivery.error_code),
        provider_id=func.coalesce(
            bindparam("b_provider", type_=Delivery.provider_id.type), Delivery.provider_id
        ),
        due_at=bindparam("b_due", type_=Delivery.due_at.type),
        attempts=Delivery.attempts - bindparam("b_uncounted"),
        updated_at=bindparam("b_now", type_=Delivery.updated_at.type),
    )
)


def settle(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what became of hand-overs, in one round trip."""
    if settlements:
        rows = [_settle_params(one, now) for one in sorted(settlements, key=lambda one: one.ref)]
        session.connection().execute(_SETTLE, rows)


def _settle_params(one: Settlement, now: datetime) -> dict[str, Any]:
    return {
        "b_broadcast": one.ref.broadcast_id,
        "b_subscriber": one.ref.subscriber_id,
        "b_inbound": one.ref.inbound_id,
        "b_status": one.status.value,
        "b_reason": one.reason,
        "b_code": one.error_code,
        "b_provider": one.provider_id,
        "b_due": one.due_at,
        "b_uncounted": 0 if one.attempt_counts else 1,
        "b_now": now,
    }


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


@cache
def _reporting(overwrites: tuple[DeliveryStatus, ...]) -> Update:
    return (
        update(Delivery.__table__)  # type: ignore[arg-type]  # as above
        .where(
            Delivery.broadcast_id == bindparam("b_broadcast"),
            Delivery.subscriber_id == bindparam("b_subscriber"),
            Delivery.inbound_id == bindparam("b_inbound"),
            # Not IN: SQLAlchemy cannot write that for many rows at once.
            or_(*(Delivery.status == literal(one.value) for one in overwrites)),
            # Only a delivery of this sender: a provider account may not speak about another's deliveries.
            or_(
                exists().where(
                    Broadcast.id == bindparam("b_broadcast"), Broadcast.sender_id == bindparam("b_sender")
                ),
                exists().where(
                    Slice.broadcast_id == bindparam("b_broadcast"),
                    Slice.seq == Delivery.slice,
                    Slice.sender_id == bindparam("b_sender"),
                ),
            ),
        )
        .values(
            status=bindparam("b_status", type_=Delivery.status.type),
            provider_id=bindparam("b_provider", type_=Delivery.provider_id.type),
            error_code=bindparam("b_code", type_=Delivery.error_code.type),
            reason=bindparam("b_reason", type_=Delivery.reason.type),
            updated_at=bindparam("b_now", type_=Delivery.updated_at.type),
        )
    )


def apply_reports(session: Session, reports: Sequence[Report], now: datetime) -> None:
    """Move deliveries forward, in one round trip for each kind of report.

    Deliveries are always taken in their own order, here as in `settle`, so that two writers cannot block each other.
    """
    in_order = sorted(reports, key=lambda one: (one.overwrites, one.ref))
    for overwrites, group in groupby(in_order, key=lambda one: one.overwrites):
        session.connection().execute(_reporting(overwrites), [_report_params(one, now) for one in group])


def apply_report(session: Session, report: Report, now: datetime) -> bool:
    """Move one delivery forward; tells whether it moved."""
    done = session.connection().execute(_reporting(report.overwrites), _report_params(report, now))
    return changed(done) > 0


def _report_params(report: Report, now: datetime) -> dict[str, Any]:
    return {
        "b_broadcast": report.ref.broadcast_id,
        "b_subscriber": report.ref.subscriber_id,
        "b_inbound": report.ref.inbound_id,
        "b_sender": report.sender_id,
        "b_status": report.status.value,
        "b_provider": report.provider_id,
        "b_code": report.error_code,
        "b_reason": report.reason,
        "b_now": now,
    }
