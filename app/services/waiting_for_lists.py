"""What still waits to go to a list: while something does, the list is not closed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.recurrence import RuleState
from app.domain.statuses import BroadcastState
from app.services.controller import Refused
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget, RepeatRule

_NOT_OUT = (BroadcastState.SCHEDULED.value, BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


def waiting_broadcast(session: Session, list_id: int) -> str | None:
    """Return the title of the first broadcast to this list that is not out yet; None when none waits."""
    return session.scalar(
        select(Broadcast.title)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .where(
            BroadcastTarget.list_id == list_id,
            Broadcast.state.in_(_NOT_OUT),
            Broadcast.tests_id.is_(None),
        )
        .order_by(Broadcast.next_at, Broadcast.id)
        .limit(1)
    )


def repeating(session: Session, list_id: int) -> str | None:
    """Return the title of the first rule that makes broadcasts for this list; None when there is none."""
    return session.scalar(
        select(Broadcast.title)
        .join(RepeatRule, RepeatRule.template_id == Broadcast.id)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .where(BroadcastTarget.list_id == list_id, RepeatRule.state != RuleState.ENDED.value)
        .order_by(RepeatRule.id)
        .limit(1)
    )


def refuse_while_waiting(session: Session, row: BroadcastList) -> None:
    """Raise `Refused` naming what is still to go to a list."""
    if (title := waiting_broadcast(session, row.id)) is not None:
        raise Refused(
            f"“{title}” goes to this list and is not out yet. Wait for its end, stop it, or take it back to draft."
        )
    if (title := repeating(session, row.id)) is not None:
        raise Refused(f"“{title}” repeats and goes to this list. End its rule first.")
