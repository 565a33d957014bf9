"""Messages that a provider took and refused later: those that may go better another time wait once more.

Many platforms tell by webhook alone that a person has had enough for today, or that a quota is used up. What is written
then is what a refused request would write (`settle_outcomes.settlement`), as far as sending again can do no harm.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, Receipt, SendError
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services.broadcast_rows import is_corrected, move
from app.services.settle_outcomes import settlement
from app.storage.models import Broadcast, Delivery
from app.storage.outcomes import Settlement

# Time alone mends these, so that even a broadcast that had finished goes on.
_REOPENS: Final = frozenset({ErrorKind.PREFERENCE_CAP, ErrorKind.PAIR_LIMITED, ErrorKind.RATE_LIMITED})
WAITS: Final = _REOPENS | {ErrorKind.QUOTA, ErrorKind.CONFIG, ErrorKind.AUTH}
"""Not what was a passing fault: the provider has tried by itself, and its last word is that it failed."""
_ON_THE_WAY: Final = (BroadcastState.SENDING, BroadcastState.PAUSED)


def may_wait(error: SendError, ref: DeliveryRef) -> bool:
    """Tell whether such a failure may be tried again: of broadcasts only, for an answer would come too late."""
    return error.kind in WAITS and ref.inbound_id == 0


class Stood(NamedTuple):
    """A delivery before a report was applied to it."""

    status: int
    provider_id: str | None
    attempts: int


def stood_at(session: Session, ref: DeliveryRef) -> Stood | None:
    """Read a delivery and lock it."""
    columns = (Delivery.status, Delivery.provider_id, Delivery.attempts)
    row = session.execute(select(*columns).where(*_is(ref)).with_for_update()).first()
    return Stood(*row) if row else None


def is_old(before: Stood, receipt: Receipt) -> bool:
    """Tell whether a report was heard before: its message waits again, or has gone out once more under another id."""
    if before.provider_id is None:
        return False
    same = before.provider_id == receipt.provider_id
    return (same and before.status == DeliveryStatus.PENDING) or (not same and before.attempts > 1)


def wait_again(session: Session, ref: DeliveryRef, error: SendError, before: Stood, now: datetime) -> bool:
    """Let a delivery that has just failed wait again; False where it stays failed: too often, too late, or over.

    The broadcast is locked already. What failed before its hand-over was written stays failed, too.
    """
    broadcast = session.get(Broadcast, ref.broadcast_id)
    if broadcast is None or before.status != DeliveryStatus.SENT or before.attempts >= error.tries:
        return False
    found = settlement(Outcome(ref, error=error), before.attempts, now)
    if found.due_at is None or not _goes_on(session, broadcast, error, found.due_at):
        return False
    _write(session, found, now)
    if broadcast.state == BroadcastState.FINISHED:
        move(broadcast, BroadcastState.SENDING, "system", now)
        broadcast.finished_at = None
    return True


def _goes_on(session: Session, broadcast: Broadcast, error: SendError, due: datetime) -> bool:
    """Tell whether it will still be sent then; nobody gets the wrong words after they were corrected."""
    if broadcast.expires_at is not None and broadcast.expires_at <= due:
        return False
    finished = broadcast.state == BroadcastState.FINISHED and error.kind in _REOPENS
    return (finished or broadcast.state in _ON_THE_WAY) and not is_corrected(session, broadcast.id)


def _write(session: Session, found: Settlement, now: datetime) -> None:
    """The id of the message stays, so that a repeated report is known; the attempt was counted when it left."""
    values = {"status": found.status.value, "due_at": found.due_at, "error_code": found.error_code}
    session.execute(update(Delivery).where(*_is(found.ref)).values(reason=None, updated_at=now, **values))


def _is(ref: DeliveryRef) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.broadcast_id == ref.broadcast_id,
        Delivery.subscriber_id == ref.subscriber_id,
        Delivery.inbound_id == ref.inbound_id,
    )
