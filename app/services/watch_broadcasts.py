"""Watches broadcasts that are being sent: pulls the brake on a jump, lets the rest follow the first wave."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app.domain.policy.brakes import Brakes, Sample, pulled
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.brake_samples import sample_of
from app.services.broadcast_rows import broadcast_for_change, move, targets_of
from app.services.controller import Refused
from app.storage.database import changed, db, transaction
from app.storage.holding import Held, held_of
from app.storage.models import Broadcast, Slice

# Long enough for receipts to come and for people to say STOP; with the button the rest goes at once.
REST_FOLLOWS_AFTER: Final = timedelta(minutes=10)
_SYSTEM: Final = "system"
_COUNTED: Final = 5000


@dataclass(frozen=True)
class Watched:
    """A broadcast that was stopped for `reason`, or, when that is empty, whose rest goes out now."""

    broadcast_id: int
    reason: str = ""


def watch(brakes: Brakes, now: datetime) -> list[Watched]:
    """Look at every broadcast that is being sent; returns those with which something was done."""
    session = db.session()
    sending = session.scalars(
        select(Broadcast)
        .where(Broadcast.state == BroadcastState.SENDING.value, Broadcast.tests_id.is_(None))
        .order_by(Broadcast.id)
    ).all()
    found = [(one.id, _jump(session, one, brakes), _is_time_for_rest(session, one, now)) for one in sending]
    session.rollback()
    # Read first and locked only where something is to be done: a lane must not wait for a look.
    done = [_act(broadcast_id, reason, now) for broadcast_id, reason, rest in found if reason or rest]
    return [one for one in done if one is not None]


def release(broadcast_id: int, *, by: str, now: datetime) -> int:
    """Let the rest follow the first wave at once; returns how many slices. Raises `NotFound`, `Refused`."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state != BroadcastState.SENDING or not (opened := _open_rest(session, broadcast, now)):
            raise Refused("Nothing of this broadcast waits for its first wave.")
        note(session, by, "broadcast.release", f"broadcast {broadcast_id}", now)
        return opened


def rest_waits(broadcast_id: int) -> bool:
    """Tell whether a part of a broadcast waits for its first wave."""
    return _any(db.session(), broadcast_id, "held")


def held(broadcast: Broadcast, now: datetime) -> Held | None:
    """Say whom quiet hours or the messages of the day hold back while it is sent, and until when."""
    if broadcast.state not in (BroadcastState.SENDING, BroadcastState.PAUSED):
        return None
    return held_of(db.session(), broadcast.id, now, _COUNTED)


def _act(broadcast_id: int, reason: str | None, now: datetime) -> Watched | None:
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state != BroadcastState.SENDING:
            return None
        if reason:
            move(broadcast, BroadcastState.PAUSED, _SYSTEM, now, reason)
            note(session, _SYSTEM, "broadcast.brake", f"broadcast {broadcast_id}", now, reason=reason)
            return Watched(broadcast_id, reason)
        if broadcast.rest_at is None:
            broadcast.rest_at = now + REST_FOLLOWS_AFTER
            return None
        return Watched(broadcast_id) if _open_rest(session, broadcast, now) else None


def _jump(session: Session, broadcast: Broadcast, brakes: Brakes) -> str | None:
    # A warning to people in danger is not held up by a rule of thumb about newsletters.
    if any(one.any_hour_reason for one in targets_of(session, broadcast.id)):
        return None
    base = Sample(**(broadcast.brake_base or {}))
    return pulled(sample_of(session, broadcast).since(base), brakes)


def _is_time_for_rest(session: Session, broadcast: Broadcast, now: datetime) -> bool:
    """Whether the first wave is out and the clock must be set, or has run down."""
    if broadcast.first_percent is None or not _any(session, broadcast.id, "held"):
        return False
    if broadcast.rest_at is not None:
        return now >= broadcast.rest_at
    if broadcast.planned_to is not None:  # more of the first wave may come
        return False
    return not _any(session, broadcast.id, "open", "leased")


def _open_rest(session: Session, broadcast: Broadcast, now: datetime) -> int:
    broadcast.rest_at = broadcast.rest_at or now
    held = (Slice.broadcast_id == broadcast.id, Slice.state == "held")
    return changed(session.execute(update(Slice).where(*held).values(state="open")))


def _any(session: Session, broadcast_id: int, *states: str) -> bool:
    there = exists().where(Slice.broadcast_id == broadcast_id, Slice.state.in_(states))
    return bool(session.scalar(select(there)))
