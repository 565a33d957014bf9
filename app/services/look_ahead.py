"""What stands against a moment while it is being chosen: who must wait or is left out for its sake, broken promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.services import allowances, hold_back
from app.services.ask_gate import ask_gate
from app.services.broadcast_rows import as_if_fresh, broadcast_for_change, targets_of
from app.services.foresee import Foresight, Waiting, broken_promise, foresee
from app.services.shares import shares_of
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList
from app.storage.ways import ways

_NOBODY = Foresight(0, {}, ())


@dataclass(frozen=True)
class Ahead:
    """`waiting` people get it later, `skipped` counts those left out by reason, as in a review.

    `promise` (or "") is the promise to a list that one message more would break; `notes` say who would wait because a
    platform takes only so much from a sender.
    """

    waiting: tuple[Waiting, ...]
    skipped: Mapping[str, int]
    promise: str
    notes: tuple[str, ...] = ()


def look_ahead(broadcast_id: int, at: datetime, fresh_minutes: int | None = None, *, now: datetime) -> Ahead:
    """Ask as if the draft began at the UTC instant `at`, and were worth sending for `fresh_minutes`.

    Cheaper than a review, for it is asked while somebody types: nobody is counted where nobody can have to wait.
    """
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        as_if_fresh(broadcast, fresh_minutes)
        lists = targets_of(session, broadcast_id)
        seen = (
            _counted(session, broadcast, lists, at) if _some_wait(session, broadcast, lists, at) else _NOBODY
        )
        promise = broken_promise(session, broadcast, lists, at)
        return Ahead(seen.waiting, seen.skipped, promise, _notes(session, broadcast, lists, at, now))


def _notes(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime, now: datetime
) -> tuple[str, ...]:
    """Count people only where a sender of these lists has a platform that counts."""
    senders = set().union(*ways(session, [one.id for one in lists], broadcast.corrects_id).values())
    if not lists or not allowances.some_limited(session, senders):
        return ()
    shares = shares_of(session, broadcast, lists, at)
    return tuple(allowances.notes_of(session, broadcast, lists, shares, at, now))


def _some_wait(session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime) -> bool:
    if not lists:
        return False
    expires_at = at + timedelta(minutes=broadcast.fresh_minutes)
    recent, _cap = hold_back.recent_and_cap(session, broadcast, lists, at)
    return bool(recent or hold_back.closed(session, lists, expires_at, at))


def _counted(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], at: datetime
) -> Foresight:
    answers = ask_gate(session, broadcast, [one.id for one in lists], at)
    return foresee(session, broadcast, lists, at, answers)
