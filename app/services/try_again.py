"""Send a broadcast again to those alone who, as far as anybody can know, never got it."""

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from app.domain.messages import ErrorKind
from app.domain.statuses import NOT_AT_PROVIDER, BroadcastState, DeliveryStatus
from app.services.audit import note
from app.services.brake_samples import sample_of
from app.services.broadcast_rows import broadcast_for_change, move, refuse_if_corrected
from app.services.controller import Controller, Refused
from app.storage import again, tallies
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Broadcast
from app.storage.ways import ways_gone_by

# What may go better another time. A dead number, a refused text or a STOP at the provider would not.
_WORTH_IT: Final = frozenset(
    {
        ErrorKind.TEMPORARY.value,
        ErrorKind.RATE_LIMITED.value,
        ErrorKind.PAIR_LIMITED.value,
        ErrorKind.PREFERENCE_CAP.value,
        ErrorKind.QUOTA.value,
        ErrorKind.CONFIG.value,
        ErrorKind.AUTH.value,
    }
)
_LOST: Final = (
    (DeliveryStatus.FAILED, _WORTH_IT),
    (DeliveryStatus.UNKNOWN, frozenset({NOT_AT_PROVIDER})),
)
_STATES: Final = (BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.FINISHED)


def try_again(broadcast_id: int, *, by: str, controller: Controller, now: datetime) -> int:
    """Send to them once more, past the gate of today; returns how many. Everybody else is left alone.

    A finished broadcast is sent again; its freshness begins anew, for somebody has just decided that it still is.
    Raises `NotFound`, or `Refused` when there is nobody or the broadcast was stopped.
    """
    with transaction() as session:
        lock_head(session, controller.ledger)  # no STOP may slip in between the gate and the wait
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state not in _STATES:
            raise Refused(f"This broadcast is {broadcast.state}; nothing of it can be sent again.")
        refuse_if_corrected(session, broadcast_id)
        ways = ways_gone_by(session, broadcast_id)
        moved = again.put_back(session, broadcast_id, _LOST, ways, now)
        if not moved:
            raise Refused("Nobody is left to whom it would be worth trying again.")
        _freshen(broadcast, by, now)
        broadcast.brake_base = sample_of(session, broadcast).as_dict()
        note(session, by, "broadcast.try_again", f"broadcast {broadcast_id}", now, people=moved)
        return moved


def waiting_for_it(broadcast_id: int) -> int:
    """Count the people whom `try_again` would send to, or skip for what happened since."""
    rows = tallies.counts(db.session(), broadcast_id)
    return sum(
        people
        for status, reason, _, people in rows
        if any(status == lost.value and reason in why for lost, why in _LOST)
    )


def _freshen(broadcast: Broadcast, by: str, now: datetime) -> None:
    if broadcast.state == BroadcastState.FINISHED:
        move(broadcast, BroadcastState.SENDING, by, now)
        broadcast.finished_at = None
    until = now + timedelta(minutes=broadcast.fresh_minutes)
    broadcast.expires_at = max(broadcast.expires_at or until, until)
    if broadcast.local_at is not None and broadcast.next_at is not None:
        # Counted from the hour of each person, none of which was before that of the first.
        broadcast.fresh_minutes += ceil(max(now - broadcast.next_at, timedelta(0)) / timedelta(minutes=1))
