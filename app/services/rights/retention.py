"""Let go what has been kept long enough: small steps for the clock, the whole round for an operator, and reports."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.retention import Kept, Periods
from app.services.controller import Controller
from app.services.rights import timers
from app.services.rights.ageing import aged_people, let_go
from app.storage.database import db, is_sqlite, transaction
from app.storage.models import PurgeRun

PEOPLE_A_STEP: Final = 1000

Counts = dict[str, int]


def purge(*, by: str, periods: Periods, controller: Controller, now: datetime) -> PurgeRun:
    """Do a whole round at once, for an operator; what went stays in its row. Raises nothing that is not a fault."""
    with transaction() as session:
        run = PurgeRun(day=None, by=by, started_at=now, walked=0, counts={})
        session.add(run)
        session.flush()
        run_id = run.id
    while _step(run_id, periods, controller, now):
        pass
    return db.session.get_one(PurgeRun, run_id)


def purge_step(*, periods: Periods, controller: Controller, now: datetime) -> bool:
    """Do one small step of today's round, for the clock; tells whether there is more to do today.

    Several clocks may call it. A round that was broken off goes on where it stopped.
    """
    run_id = _unfinished() or _begin_of_the_day(now)
    return run_id is not None and _step(run_id, periods, controller, now)


def would_go(*, periods: Periods, now: datetime) -> Counts:
    """Count what a round would take now, and take nothing."""
    session = db.session()
    counts: Counter[str] = Counter()
    for timer in timers.TIMERS:
        counts[timer.kind.value] += timer.count(session, periods, now)
    walked = 0
    while (page := aged_people(session, walked, PEOPLE_A_STEP, periods, now)) is not None:
        walked = page.last_id
        counts.update(aged.kind.value for aged in page.people)
    return _every(counts)


def last_runs(limit: int = 20) -> Sequence[PurgeRun]:
    """Return the last rounds, the newest first."""
    return db.session.scalars(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(limit)).all()


def _unfinished() -> int | None:
    found = db.session.scalar(
        select(PurgeRun.id).where(PurgeRun.finished_at.is_(None)).order_by(PurgeRun.id).limit(1)
    )
    db.session.rollback()
    return found


def _begin_of_the_day(now: datetime) -> int | None:
    day = now.astimezone(UTC).date().isoformat()
    had = db.session.scalar(select(PurgeRun.id).where(PurgeRun.day == day))
    db.session.rollback()
    if had is not None:
        return None
    with transaction() as session:
        dialect = sqlite if is_sqlite(session) else postgresql
        run_id: int | None = session.scalar(
            dialect.insert(PurgeRun)
            .values(day=day, by="system", started_at=now, walked=0, counts={})
            .on_conflict_do_nothing()
            .returning(PurgeRun.id)
        )
        return run_id


def _step(run_id: int, periods: Periods, controller: Controller, now: datetime) -> bool:
    """Take a batch of each kind; False when the round is over, or when somebody else is at it."""
    with transaction() as session:
        run = session.scalar(
            select(PurgeRun)
            .where(PurgeRun.id == run_id, PurgeRun.finished_at.is_(None))
            .with_for_update(skip_locked=True)
        )
        if run is None:
            return False
        counts = Counter(run.counts)
        more = False
        for timer in timers.TIMERS:
            taken = timer.take(session, periods, now)
            counts[timer.kind.value] += taken
            more = more or taken >= timer.step
        page = aged_people(session, run.walked, PEOPLE_A_STEP, periods, now)
        if page is not None:
            let_go(session, page.people, controller=controller, now=now)
            counts.update(aged.kind.value for aged in page.people)
            run.walked, more = page.last_id, True
        run.counts = _every(counts)
        if not more:
            run.finished_at = now
        return more


def _every(counts: Counter[str]) -> Counts:
    return {kind.value: counts[kind.value] for kind in Kept}
