"""What stands against a moment while it is being chosen: who must wait or is left out for its sake, broken promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.services import hold_back
from app.services.ask_gate import ask_gate
from app.services.broadcast_rows import as_if_fresh, broadcast_for_change, targets_of
from app.services.foresee import Foresight, Waiting, broken_promise, foresee
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList

_NOBODY = Foresight(0, {}, ())


@dataclass(frozen=True)
class Ahead:
    """`waiting` people get it later, `skipped` counts those left out by reason, as in a review.

    `promise` (or "") is the promise to a list that one message more would break.
    """

    waiting: tuple[Waiting, ...]
    skipped: Mapping[str, int]
    promise: str


def look_ahead(broadcast_id: int, at: datetime, fresh_minutes: int | None = None) -> Ahead:
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
        return Ahead(seen.waiting, seen.skipped, broken_promise(session, broadcast, lists, at))


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
