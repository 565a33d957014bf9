"""Send whoever has just written the newest broadcast that they missed while their channel was closed to us.

Some channels let us write only for some hours after a person's own words. Their words open the way again; a list may
say that the latest then follows the answer. Told by the channel's rules, never by a gateway's name.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.domain.policy.proactive import window_of
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.services.broadcast_rows import is_corrected, move
from app.services.controller import Controller
from app.storage import again, missed
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import Broadcast
from app.storage.ways import ways, ways_gone_by

# The clock looks every second. After a longer pause of the clock, news unasked for would come as a surprise.
WROTE_WITHIN: Final = timedelta(minutes=5)
# Of one broadcast in one round; who is left comes with the next one.
MOST: Final = 1000
_MISSED: Final = ((DeliveryStatus.SKIPPED, frozenset({SkipReason.NO_PROACTIVE_PATH.value})),)


def send_missed(*, controller: Controller, now: datetime) -> int:
    """Let the newest broadcast that they missed wait for each who wrote lately; returns how many do.

    The answer to their words waits already and goes first, and the lane asks the gate again. Two clocks at the same
    moment are as one: only what is skipped begins to wait.
    """
    with transaction() as session:
        found = [one for one in missed.still_fresh(session, now) if _anybody(session, one, now)]
    return sum(_put_back(broadcast_id, controller, now) for broadcast_id in found)


def may_miss(session: Session, list_id: int) -> bool:
    """Tell whether a list has a channel that reaches only people who wrote lately."""
    return any(window_of(channel) is not None for channel in ways(session, [list_id]))


def _anybody(session: Session, broadcast_id: int, now: datetime) -> bool:
    return bool(_people(session, session.get_one(Broadcast, broadcast_id), now, most=1))


def _people(session: Session, broadcast: Broadcast, now: datetime, most: int) -> list[int]:
    gone_by = ways_gone_by(session, broadcast.id)
    return list(missed.people(session, broadcast, gone_by, now - WROTE_WITHIN, most))


def _put_back(broadcast_id: int, controller: Controller, now: datetime) -> int:
    with transaction() as session:
        lock_head(session, controller.ledger)  # no STOP may slip in between the gate and the wait
        # Locked: the clock may be calling it finished at this moment, and somebody may be stopping it.
        broadcast = session.get_one(Broadcast, broadcast_id, with_for_update=True, populate_existing=True)
        if broadcast.state not in missed.GOES_ON or is_corrected(session, broadcast_id):
            return 0
        people = _people(session, broadcast, now, MOST)
        gone_by = ways_gone_by(session, broadcast_id)
        moved = again.put_back(session, broadcast_id, _MISSED, gone_by, now, among=people) if people else 0
        if moved and broadcast.state == BroadcastState.FINISHED:
            move(broadcast, BroadcastState.SENDING, "system", now)
            broadcast.finished_at = None
        return moved
