"""The record of each import: begun, gone on with after a crash, finished."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.services.audit import note
from app.services.controller import Conflict, NotFound
from app.services.import_file import FileFacts
from app.services.import_verdicts import Verdict
from app.storage.database import db, transaction
from app.storage.models import ImportRefusal, ImportRun, ImportState


@dataclass(frozen=True)
class Wanted:
    """What makes two imports the same one: the file, the list, and what every column is taken for."""

    list_id: int
    facts: FileFacts
    choices: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it."""
        whole = json.dumps([self.list_id, self.facts.sha256, dict(self.choices)], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True)
class Progress:
    """Where an import stands: rows done and counted."""

    rows: int
    line: int
    counts: Counter[Verdict]


NOTHING: Final = Progress(0, 0, Counter())


def begin(wanted: Wanted, *, actor: str, now: datetime) -> ImportRun:
    """Return the import of this kind that was broken off, or a new one."""
    with transaction() as session:
        broken_off = session.scalars(
            select(ImportRun)
            .where(
                ImportRun.fingerprint == wanted.fingerprint,
                ImportRun.state == ImportState.RUNNING.value,
                ImportRun.stored_as.is_(None),  # a file from the desk is worked by the workers
            )
            .order_by(ImportRun.id.desc())
        ).first()
        run = broken_off or add(session, wanted, ImportState.RUNNING, actor=actor, now=now)
        session.flush()
        return run


def add(
    session: Session,
    wanted: Wanted,
    state: ImportState,
    *,
    actor: str,
    now: datetime,
    stored_as: str | None = None,
) -> ImportRun:
    """Add an import that has done nothing yet."""
    run = ImportRun(
        list_id=wanted.list_id,
        state=state.value,
        file_name=wanted.facts.name[:200],
        file_sha256=wanted.facts.sha256,
        file_lines=wanted.facts.lines,
        fingerprint=wanted.fingerprint,
        choices=dict(wanted.choices),
        actor=actor,
        stored_as=stored_as,
        created_at=now,
        updated_at=now,
    )
    session.add(run)
    return run


def find(import_id: int) -> ImportRun:
    """Return an import. Raises `NotFound`."""
    run = db.session.get(ImportRun, import_id, populate_existing=True)
    if run is None:
        raise NotFound(f"There is no import {import_id}.")
    return run


def lock(session: Session, import_id: int) -> ImportRun:
    """Return an import that nobody else changes until the end of the transaction. Raises `NotFound`."""
    rows = select(ImportRun).where(ImportRun.id == import_id).with_for_update()
    run = session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if run is None:
        raise NotFound(f"There is no import {import_id}.")
    return run


def hold(session: Session, import_id: int, done_rows: int) -> ImportRun:
    """Lock an import for one batch. Raises `Conflict` when somebody else has worked on it since `done_rows`."""
    run = lock(session, import_id)
    if run.state != ImportState.RUNNING.value or run.done_rows != done_rows:
        raise Conflict(f"Import {import_id} is being worked on by another process, which goes on with it.")
    return run


def advance(
    session: Session, run: ImportRun, progress: Progress, refusals: Mapping[int, Verdict], now: datetime
) -> None:
    """Store how far the import is, in the transaction that stored its rows."""
    _store(run, progress, now)
    rows = [
        {"import_id": run.id, "row_number": number, "verdict": verdict.value}
        for number, verdict in refusals.items()
    ]
    if rows:
        session.execute(insert(ImportRefusal), rows)


def advance_check(import_id: int, fingerprint: str, progress: Progress, *, now: datetime) -> None:
    """Store how far a dry run is. Raises `Conflict` when it was called off, or the choices are others by now."""
    with transaction() as session:
        _store(_being_checked(session, import_id, fingerprint), progress, now)


def finish_check(import_id: int, fingerprint: str, *, now: datetime) -> None:
    """Close a dry run whose last row is done; the import waits for somebody to start it."""
    with transaction() as session:
        run = _being_checked(session, import_id, fingerprint)
        run.state, run.updated_at = ImportState.CHECKED.value, now


def fail(import_id: int, problem: str, *, now: datetime) -> None:
    """End an import that cannot go on; what was committed stays."""
    with transaction() as session:
        run = lock(session, import_id)
        if run.state == ImportState.CHECKING.value:
            _store(run, NOTHING, now)  # a dry run wrote nothing
        run.state, run.problem = ImportState.FAILED.value, problem[:500]
        run.finished_at = run.updated_at = now
        note(session, run.actor, "subscribers.import_failed", f"import {run.id}", now, **run.counts)


def reset(run: ImportRun, state: ImportState, now: datetime) -> None:
    """Let an import stand at its first row, in the transaction that changes its state."""
    run.state = state.value
    _store(run, NOTHING, now)


def finish(import_id: int, *, now: datetime) -> None:
    """Close an import whose last row is done."""
    with transaction() as session:
        run = session.get_one(ImportRun, import_id)
        run.state, run.finished_at, run.updated_at = ImportState.DONE.value, now, now
        details = {**run.counts, "file": run.file_name, "sha256": run.file_sha256}
        note(session, run.actor, "subscribers.import", f"import {run.id}", now, **details)


def _being_checked(session: Session, import_id: int, fingerprint: str) -> ImportRun:
    run = lock(session, import_id)
    if run.state != ImportState.CHECKING.value or run.fingerprint != fingerprint:
        raise Conflict(f"Import {import_id} is not being checked in this way any more.")
    return run


def _store(run: ImportRun, progress: Progress, now: datetime) -> None:
    run.done_rows, run.done_line, run.updated_at = progress.rows, progress.line, now
    run.counts = {verdict.value: count for verdict, count in progress.counts.items()}


def progress_of(run: ImportRun) -> Progress:
    """Return where an import stands."""
    return Progress(
        run.done_rows, run.done_line, Counter({Verdict(name): n for name, n in run.counts.items()})
    )


def refusals(import_id: int, first: int, last: int) -> dict[int, Verdict]:
    """Return the verdicts on the rows `first` to `last` that were refused though they made sense."""
    found = db.session.execute(
        select(ImportRefusal.row_number, ImportRefusal.verdict).where(
            ImportRefusal.import_id == import_id, ImportRefusal.row_number.between(first, last)
        )
    )
    return {number: Verdict(verdict) for number, verdict in found}
