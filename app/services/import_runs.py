"""The record of each import: begun, gone on with after a crash, finished."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.services.audit import note
from app.services.controller import Conflict
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


def hold(session: Session, import_id: int, done_rows: int) -> ImportRun:
    """Lock an import for one batch. Raises `Conflict` when somebody else has worked on it since `done_rows`."""
    run = session.scalars(select(ImportRun).where(ImportRun.id == import_id).with_for_update()).one()
    if run.state != ImportState.RUNNING.value or run.done_rows != done_rows:
        raise Conflict(f"Import {import_id} is being worked on by another process, which goes on with it.")
    return run


def advance(
    session: Session, run: ImportRun, progress: Progress, refusals: Mapping[int, Verdict], now: datetime
) -> None:
    """Store how far the import is, in the transaction that stored its rows."""
    run.done_rows, run.done_line, run.updated_at = progress.rows, progress.line, now
    run.counts = {verdict.value: count for verdict, count in progress.counts.items()}
    rows = [
        {"import_id": run.id, "row_number": number, "verdict": verdict.value}
        for number, verdict in refusals.items()
    ]
    if rows:
        session.execute(insert(ImportRefusal), rows)


def finish(import_id: int, *, now: datetime) -> None:
    """Close an import whose last row is done."""
    with transaction() as session:
        run = session.get_one(ImportRun, import_id)
        run.state, run.finished_at, run.updated_at = ImportState.DONE.value, now, now
        details = {**run.counts, "file": run.file_name, "sha256": run.file_sha256}
        note(session, run.actor, "subscribers.import", f"import {run.id}", now, **details)


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
