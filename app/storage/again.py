"""Puts deliveries that came to nothing back among those that wait, past the gate of today."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, literal, null, or_, select, update
from sqlalchemy.orm import Session

from app.domain.statuses import DeliveryStatus
from app.storage.database import changed
from app.storage.gate import Way, closed_now, consent_seq, refusal
from app.storage.linked import had_elsewhere
from app.storage.models import Broadcast, Delivery, Subscriber

Lost = tuple[DeliveryStatus, Collection[str]]


def put_back(
    session: Session,
    broadcast_id: int,
    lost: Sequence[Lost],
    ways: Sequence[Way],
    now: datetime,
    among: Collection[int] | None = None,
) -> int:
    """Let deliveries of these statuses and reasons (of the subscribers `among`) wait again; returns how many moved.

    Whom the gate refuses today is skipped with the reason: they may have said STOP since, and nothing of theirs waited.
    Who has it on another channel meanwhile is left alone.
    """
    no_end = literal(None, Broadcast.expires_at.type)
    answer = (
        select(refusal(consent_seq(broadcast_id, Subscriber.id), no_end, now, closed_now(ways, now)))
        .where(Subscriber.id == Delivery.subscriber_id)
        .correlate(Delivery)
        .scalar_subquery()
    )
    goes = answer.is_(None)
    return changed(
        session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.inbound_id == 0, _is(lost, among))
            .where(~had_elsewhere(broadcast_id))
            .values(
                status=case((goes, DeliveryStatus.PENDING.value), else_=DeliveryStatus.SKIPPED.value),
                reason=answer,
                due_at=case((goes, literal(now, Delivery.due_at.type)), else_=null()),
                error_code=None,
                attempts=0,
                updated_at=now,
            ),
            execution_options={"synchronize_session": False},
        )
    )


def _is(lost: Sequence[Lost], among: Collection[int] | None) -> ColumnElement[bool]:
    these = or_(*(and_(Delivery.status == one.value, Delivery.reason.in_(why)) for one, why in lost))
    return these if among is None else and_(these, Delivery.subscriber_id.in_(among))
