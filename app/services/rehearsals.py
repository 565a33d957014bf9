"""Ask for a rehearsal of a broadcast, take it, keep what it found, and read it again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from app.domain.rehearsal import Faults, Report
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change
from app.services.controller import Refused
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Rehearsal

# One that says nothing for so long has died; it may be asked for again.
GIVEN_UP_AFTER: Final = timedelta(minutes=10)
_OPEN: Final = ("asked", "running")


@dataclass(frozen=True)
class RehearsalRow:
    """One rehearsal as it is shown; `outdated`: the draft was changed since."""

    id: int
    broadcast_id: int
    faults: Faults
    state: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    report: Report | None
    problem: str
    outdated: bool


def ask(broadcast_id: int, faults: Faults, *, by: str, now: datetime) -> int:
    """Ask for a rehearsal; returns its id. Raises `NotFound`, and `Refused` while one is on or after the beginning."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        if broadcast.state not in (BroadcastState.DRAFT.value, BroadcastState.SCHEDULED.value):
            raise Refused(
                f"This broadcast is {broadcast.state}; only one that has not begun can be rehearsed."
            )
        busy = select(Rehearsal.id).where(
            Rehearsal.state.in_(_OPEN), Rehearsal.asked_at > now - GIVEN_UP_AFTER
        )
        if session.scalar(busy.limit(1)) is not None:
            raise Refused("A rehearsal is going on. Wait for its report, then ask for the next one.")
        row = Rehearsal(
            broadcast_id=broadcast_id,
            revision=broadcast.revision,
            faults=asdict(faults),
            state="asked",
            asked_by=by,
            asked_at=now,
        )
        session.add(row)
        session.flush()
        note(session, by, "broadcast.rehearse", f"broadcast {broadcast_id}", now)
        return row.id


def take(rehearsal_id: int) -> tuple[int, Faults] | None:
    """Begin one that was asked for; returns its broadcast and faults, None when somebody else has taken it."""
    with transaction() as session:
        row = session.get(Rehearsal, rehearsal_id, with_for_update=True)
        if row is None or row.state != "asked":
            return None
        row.state = "running"
        return row.broadcast_id, Faults(**row.faults)


def end(rehearsal_id: int, report: Report | None, problem: str, now: datetime) -> None:
    """Keep what a rehearsal found, or why it came to nothing."""
    with transaction() as session:
        row = session.get_one(Rehearsal, rehearsal_id, with_for_update=True)
        row.state, row.ended_at = ("done" if report else "failed"), now
        row.report, row.problem = (report.as_json() if report else None), (problem[:2000] or None)


def of_broadcast(broadcast_id: int) -> Sequence[RehearsalRow]:
    """Return the rehearsals of a broadcast, the newest first."""
    rows = db.session.execute(
        select(Rehearsal, Broadcast.revision)
        .join(Broadcast, Broadcast.id == Rehearsal.broadcast_id)
        .where(Rehearsal.broadcast_id == broadcast_id)
        .order_by(Rehearsal.id.desc())
        .limit(10)
    )
    return [_shown(row, revision) for row, revision in rows]


def _shown(row: Rehearsal, revision: int) -> RehearsalRow:
    data: dict[str, Any] | None = row.report
    return RehearsalRow(
        row.id,
        row.broadcast_id,
        Faults(**row.faults),
        row.state,
        row.asked_by,
        row.asked_at,
        row.ended_at,
        Report.from_json(data) if data else None,
        row.problem or "",
        row.revision != revision,
    )
