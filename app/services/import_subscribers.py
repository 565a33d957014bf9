"""Import subscribers with the evidence of their consent: in batches, resumable, and never against a STOP."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import Act, EventType
from app.services import import_file
from app.services.controller import Controller, Refused
from app.services.import_file import FileFacts
from app.services.import_rows import Evidence, ReadRow, RowProblem, RowReader
from app.services.import_verdicts import REASONS, Verdict, judge
from app.services.manage_lists import find_list
from app.services.record_consent import NewEvent, find_or_create_subscribers, record
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Subscriber

BATCH: Final = 500


@dataclass(frozen=True)
class ImportOptions:
    """How to read the file, and who vouches for it. `evidence` fills what a row does not say itself."""

    by: str
    evidence: Evidence = field(default_factory=Evidence)
    encoding: str = "utf-8"
    region: str | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class ImportReport:
    """The numbers of an import; the counts add up to `rows`."""

    file: FileFacts
    counts: Counter[Verdict]
    dry_run: bool

    @property
    def rows(self) -> int:
        return self.counts.total()


@dataclass(frozen=True)
class _Job:
    """What every batch of one import needs to know."""

    list_id: int
    reader: RowReader
    facts: FileFacts
    options: ImportOptions
    controller: Controller
    now: datetime

    @property
    def cta_ref(self) -> str:
        """Names the file in every entry that came from it."""
        return f"import:{self.facts.sha256[:16]}"


def import_subscribers(
    path: Path,
    *,
    list_name: str,
    options: ImportOptions,
    controller: Controller,
    now: datetime,
    on_problem: Callable[[RowProblem], None] = lambda problem: None,
    on_progress: Callable[[int, int], None] = lambda line, lines: None,
) -> ImportReport:
    """Import the file at `path` into the list with this name or keyword.

    Every batch of 500 rows is one transaction, so an import that was broken off is finished by running it again:
    whoever is subscribed already is counted and left alone. A dry run changes nothing and reports the same
    numbers. Each row that was not taken goes to `on_problem`. Raises `Refused` when the file as a whole cannot
    be imported, `NotFound` for an unknown list or file.
    """
    facts = import_file.inspect(path, options.encoding)
    _check_evidence(import_file.read_header(path, options.encoding), options.evidence, facts.name)
    job = _job(list_name, facts, options, controller, now)
    counts: Counter[Verdict] = Counter()
    rows = import_file.read_rows(path, options.encoding)
    with closing(_Seen()) as seen:
        while batch := list(islice(rows, BATCH)):
            readings = [job.reader.read(row) for row in batch]
            counts.update(_import_batch(job, readings, seen, on_problem))
            on_progress(batch[-1].line, facts.lines)
    return ImportReport(facts, counts, options.dry_run)


def _check_evidence(columns: Sequence[str], fallback: Evidence, name: str) -> None:
    lacking = [
        f"the column {column} (or {option} for the whole file)"
        for column, option, given in (
            ("consent_source", '--evidence "where and how"', fallback.source),
            ("consent_at", "--consented-at DATE", fallback.at),
        )
        if column not in columns and not given
    ]
    if lacking:
        raise Refused(f"{name} does not say that these people consented. Missing: {' and '.join(lacking)}.")


def _job(
    list_name: str, facts: FileFacts, options: ImportOptions, controller: Controller, now: datetime
) -> _Job:
    found = find_list(db.session(), list_name)
    if found.archived_at is not None:
        raise Refused(f"The list “{found.name}” is archived; nobody can join it any more.")
    reader = RowReader(
        options.region or controller.region, ZoneInfo(found.zone), found.language, options.evidence, now
    )
    job = _Job(found.id, reader, facts, options, controller, now)
    db.session.rollback()  # the caller shall see what the batches write, not the view from before
    return job


def _import_batch(
    job: _Job,
    readings: Sequence[ReadRow | RowProblem],
    seen: "_Seen",
    on_problem: Callable[[RowProblem], None],
) -> Iterator[Verdict]:
    problems = [reading for reading in readings if isinstance(reading, RowProblem)]
    rows = [reading for reading in readings if isinstance(reading, ReadRow)]
    fresh = [row for row in rows if seen.first_time(row.address)]
    verdicts = _decide(job, fresh)
    problems += [
        RowProblem(row.line, "number", row.address.value, REASONS[verdict])
        for row, verdict in zip(fresh, verdicts, strict=True)
        if verdict in REASONS
    ]
    for problem in sorted(problems, key=lambda problem: problem.line):
        on_problem(problem)
    yield from verdicts
    yield from [Verdict.DUPLICATE] * (len(rows) - len(fresh))
    yield from [Verdict.INVALID] * (len(readings) - len(rows))


def _decide(job: _Job, rows: Sequence[ReadRow]) -> list[Verdict]:
    if job.options.dry_run:
        verdicts = judge(db.session(), job.list_id, job.controller.keys, rows)
        db.session.rollback()  # ends the reading, so that a long dry run does not hold on to an old view
        return verdicts
    with transaction() as session:
        lock_head(session, job.controller.ledger)  # no STOP may slip in between judging and recording
        verdicts = judge(session, job.list_id, job.controller.keys, rows)
        _apply(session, job, rows, verdicts)
    return verdicts


def _apply(session: Session, job: _Job, rows: Sequence[ReadRow], verdicts: Sequence[Verdict]) -> None:
    judged = dict(zip((row.address for row in rows), verdicts, strict=True))
    wanted = [row for row in rows if judged[row.address] in (Verdict.IMPORTED, Verdict.STOPPED)]
    people: dict[Address, Subscriber] = {}
    with session.no_autoflush:  # the new people of a batch go in together, not one by one
        for language in {row.language for row in wanted}:
            people |= find_or_create_subscribers(
                session,
                [row.address for row in wanted if row.language == language],
                language=language,
                controller=job.controller,
                now=job.now,
            )
    told = _already_rejected(session, job, [person.subject_ref for person in people.values()])
    events = []
    for row in wanted:
        person = people[row.address]
        if judged[row.address] is Verdict.IMPORTED:
            person.attributes = {**row.attributes, **person.attributes}
            events.append(_event(job, row, person, EventType.CONSENT_GIVEN))
        elif person.subject_ref not in told:
            events.append(_event(job, row, person, EventType.IMPORT_REJECTED))
    record(session, events, controller=job.controller, now=job.now)


def _already_rejected(session: Session, job: _Job, refs: Sequence[str]) -> set[str]:
    """Return whom this very file was refused for before, so that running it again adds no entry."""
    return set(
        session.scalars(
            select(ConsentEvent.subject_ref).where(
                ConsentEvent.subject_ref.in_(refs),
                ConsentEvent.event_type == EventType.IMPORT_REJECTED.value,
                ConsentEvent.list_id == job.list_id,
                ConsentEvent.cta_ref == job.cta_ref,
            )
        )
    )


def _event(job: _Job, row: ReadRow, person: Subscriber, event_type: EventType) -> NewEvent:
    given = event_type is EventType.CONSENT_GIVEN
    return NewEvent(
        person,
        event_type,
        occurred_at=row.consent_at if given else job.now,
        actor=f"operator:{job.options.by}",
        act=Act.IMPORT_ATTESTED,
        list_id=job.list_id,
        pii=_evidence(job.facts, row),
        cta_ref=job.cta_ref,
    )


def _evidence(facts: FileFacts, row: ReadRow) -> Mapping[str, Any]:
    return {
        "address": row.address.value,
        "channel": row.address.channel,
        "consent_source": row.evidence.source,
        "consent_text": row.evidence.text,
        "consent_at": row.consent_at.isoformat(),
        "file_name": facts.name,
        "file_sha256": facts.sha256,
        "file_line": row.line,
    }


class _Seen:
    """The addresses met so far, in a nameless database on disk, so that memory stays flat for any file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE seen (address TEXT PRIMARY KEY) WITHOUT ROWID")

    def first_time(self, address: Address) -> bool:
        """Tell whether this address was not met before, and remember it."""
        done = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (address.value,))
        return done.rowcount == 1

    def close(self) -> None:
        self._db.close()
