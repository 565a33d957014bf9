"""One pass over a file of subscribers, batch by batch: who was met before, what became of each row, who is told."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.asking import Who
from app.domain.consent import Act, EventType
from app.services import import_runs
from app.services.import_columns import ADDRESS
from app.services.import_file import RawRow
from app.services.import_notebook import Notebook
from app.services.import_plan import Ears, ImportReport, Plan
from app.services.import_rows import ReadRow, RowProblem
from app.services.import_runs import Progress
from app.services.import_verdicts import REASONS, Judged, Verdict, judge, judge_asking
from app.services.questions import SignUp
from app.services.record_consent import NewEvent, find_or_create_subscribers, record
from app.services.record_newcomers import Joining, Newcomer, record_newcomers
from app.services.request_consent import request_consents
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Subscriber

BATCH: Final = 1000
FIRST_ROWS: Final = 5


@dataclass(frozen=True)
class Batch:
    """Rows that are decided together: `fresh` make sense and name addresses that the file did not name before."""

    rows: Sequence[RawRow]
    fresh: Sequence[ReadRow]
    others: Counter[Verdict]

    def counts(self, verdicts: Sequence[Verdict]) -> Counter[Verdict]:
        """Return the numbers of the whole batch, given the verdicts on `fresh`."""
        return self.others + Counter(verdicts)


def batches(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    """Yield the rows in batches of 1,000."""
    while batch := list(islice(rows, BATCH)):
        yield batch


class Pass:
    """Goes over the rows of a plan once. Memory stays flat for any file. Close it, and its notebook, after use."""

    def __init__(self, plan: Plan, ears: Ears, notebook: Notebook | None = None) -> None:
        self.counts: Counter[Verdict] = Counter()
        self._plan, self._ears = plan, ears
        ears.opened(plan.table)
        self._notebook = notebook or Notebook()
        self._first_rows: list[ReadRow] = []
        self._repaired = 0

    def take(self, rows: Sequence[RawRow], decide: Callable[[Batch], Sequence[Verdict]]) -> None:
        """Read the next rows, let `decide` give a verdict on each fresh one, and tell what became of them."""
        readings = [self._plan.reader.read(row) for row in rows]
        problems = [one for one in readings if isinstance(one, RowProblem)]
        good = [one for one in readings if isinstance(one, ReadRow)]
        fresh = [row for row in good if self._notebook.first_time(row.address, row.number)]
        others = {Verdict.DUPLICATE: len(good) - len(fresh), Verdict.INVALID: len(problems)}
        batch = Batch(rows, fresh, Counter(others))
        verdicts = decide(batch)
        self.counts += batch.counts(verdicts)
        self._repaired += sum(row.repaired for row in good)
        self._first_rows += fresh[: FIRST_ROWS - len(self._first_rows)]
        self._tell(problems, fresh, verdicts)
        self._notebook.keep(rows[-1].number)
        self._ears.progress(rows[-1].line, self._plan.table.facts.lines)

    def _tell(
        self, problems: list[RowProblem], fresh: Sequence[ReadRow], verdicts: Sequence[Verdict]
    ) -> None:
        column = self._plan.reader.columns.name(ADDRESS)
        refused = [
            RowProblem(row.line, column, row.address.value, REASONS[verdict], row.cells)
            for row, verdict in zip(fresh, verdicts, strict=True)
            if verdict in REASONS
        ]
        for problem in sorted([*problems, *refused], key=lambda problem: problem.line):
            self._ears.problem(problem)

    def foresee(self, batch: Batch, now: datetime) -> Sequence[Verdict]:
        """Say what an import would do, changing nothing."""
        verdicts = _judge(db.session(), self._plan, batch, now).verdicts
        db.session.rollback()  # ends the reading, so that a long dry run does not hold on to an old view
        return verdicts

    def remember(self, import_id: int, batch: Batch) -> Sequence[Verdict]:
        """Say what was decided on rows that are committed; of the others it only matters that they were met."""
        known = import_runs.refusals(import_id, batch.rows[0].number, batch.rows[-1].number)
        db.session.rollback()
        taken = Verdict.ASKED if self._plan.options.ask_link else Verdict.IMPORTED
        return [known.get(row.number, taken) for row in batch.fresh]

    def commit(self, import_id: int, batch: Batch, now: datetime) -> Sequence[Verdict]:
        """Decide and store, in one transaction with how far the import is."""
        plan, last = self._plan, batch.rows[-1]
        with transaction() as session:
            run = import_runs.hold(session, import_id, batch.rows[0].number - 1)
            lock_head(session, plan.controller.ledger)  # no STOP may slip in between judging and recording
            found = _judge(session, plan, batch, now)
            judged = list(zip(batch.fresh, found.verdicts, strict=True))
            _apply(session, plan, judged, found.people, found.has_subject, now)
            refused = {row.number: verdict for row, verdict in judged if verdict in REASONS}
            progress = Progress(last.number, last.line, self.counts + batch.counts(found.verdicts))
            import_runs.advance(session, run, progress, refused, now)
        return found.verdicts

    def knows(self, row: int) -> bool:
        """Whether an earlier pass left in the notebook what it met and refused up to this row."""
        return self._notebook.kept >= row

    def report(self, import_id: int | None, continued_at: int, *, finished: bool = True) -> ImportReport:
        """Return the numbers so far."""
        table = self._plan.table
        return ImportReport(
            import_id,
            table.facts,
            table.encoding,
            table.delimiter,
            self._plan.reader.columns,
            self.counts,
            tuple(self._first_rows),
            self._repaired,
            continued_at,
            finished,
        )

    def close(self) -> None:
        """Forget the addresses met, unless the notebook has a name."""
        self._notebook.close()


def _judge(session: Session, plan: Plan, batch: Batch, now: datetime) -> Judged:
    found = judge(session, plan.list_id, plan.controller.keys, batch.fresh)
    if not plan.options.ask_link:
        return found
    return judge_asking(session, plan.list_id, batch.fresh, found, plan.controller, now)


def _ask(session: Session, plan: Plan, rows: Sequence[ReadRow], now: datetime) -> None:
    """Put one question to each; what the file says of their wish is sealed with it."""
    wish = SignUp(
        Who.IMPORT,
        plan.options.ask_link,
        by=plan.options.by,
        cta_ref=plan.cta_ref,
        evidence_of={row.address: _evidence(plan, row) for row in rows},
    )
    addresses = [row.address for row in rows]
    request_consents(session, addresses, plan.list_id, wish, controller=plan.controller, now=now)
    list(_people(session, plan, rows, now))  # keeps the names and the town of each row


def _apply(
    session: Session,
    plan: Plan,
    judged: Sequence[tuple[ReadRow, Verdict]],
    people: Mapping[Address, Subscriber],
    has_subject: set[Address],
    now: datetime,
) -> None:
    """Store what was decided: people whom nobody knew in bulk, the few others one by one."""
    if asked := [row for row, verdict in judged if verdict is Verdict.ASKED]:
        _ask(session, plan, asked, now)
    joining = Joining(plan.list_id, Act.IMPORT_ATTESTED, f"operator:{plan.options.by}", plan.cta_ref)
    wanted = [row for row, verdict in judged if verdict is Verdict.IMPORTED]
    newcomers = [row for row in wanted if row.address not in has_subject]
    record_newcomers(
        session,
        [_newcomer(plan, row) for row in newcomers],
        joining,
        controller=plan.controller,
        now=now,
    )
    returning = [row for row in wanted if row.address in has_subject]
    events = [_event(plan, row, person, now) for row, person in _people(session, plan, returning, now)]
    refused = [(row, people[row.address]) for row, verdict in judged if _is_told(verdict, row, people)]
    told = _already_told(session, plan, [person.subject_ref for _, person in refused])
    events += [
        _event(plan, row, person, now, EventType.IMPORT_REJECTED)
        for row, person in refused
        if person.subject_ref not in told
    ]
    record(session, events, controller=plan.controller, now=now)


def _newcomer(plan: Plan, row: ReadRow) -> Newcomer:
    return Newcomer(row.address, row.language, row.attributes, row.consent_at, _evidence(plan, row))


def _people(
    session: Session, plan: Plan, rows: Sequence[ReadRow], now: datetime
) -> Iterator[tuple[ReadRow, Subscriber]]:
    """Return the subscriber of each row; what we knew of a person before stays."""
    for row in rows:
        found = find_or_create_subscribers(
            session, [row.address], language=row.language, controller=plan.controller, now=now
        )
        person = found[row.address]
        person.attributes = {**row.attributes, **person.attributes}
        yield row, person


def _is_told(verdict: Verdict, row: ReadRow, people: Mapping[Address, Subscriber]) -> bool:
    """Whether the ledger gets an entry: not for a suppressed address, nor for somebody who was erased."""
    return verdict in (Verdict.STOPPED, Verdict.UNREACHABLE) and row.address in people


def _already_told(session: Session, plan: Plan, refs: Sequence[str]) -> set[str]:
    """Return whom this very file was refused for before, so that running it again adds no entry."""
    if not refs:
        return set()
    return set(
        session.scalars(
            select(ConsentEvent.subject_ref).where(
                ConsentEvent.subject_ref.in_(refs),
                ConsentEvent.event_type == EventType.IMPORT_REJECTED.value,
                ConsentEvent.list_id == plan.list_id,
                ConsentEvent.cta_ref == plan.cta_ref,
            )
        )
    )


def _event(
    plan: Plan,
    row: ReadRow,
    person: Subscriber,
    now: datetime,
    event_type: EventType = EventType.CONSENT_GIVEN,
) -> NewEvent:
    return NewEvent(
        person,
        event_type,
        occurred_at=row.consent_at if event_type is EventType.CONSENT_GIVEN else now,
        actor=f"operator:{plan.options.by}",
        act=Act.IMPORT_ATTESTED,
        list_id=plan.list_id,
        pii=_evidence(plan, row),
        cta_ref=plan.cta_ref,
    )


def _evidence(plan: Plan, row: ReadRow) -> Mapping[str, Any]:
    facts, given = plan.table.facts, row.evidence
    vouching = {"attested_by": given.by, "document_sha256": given.document}
    return {
        "address": row.address.value,
        "channel": row.address.channel,
        "consent_source": given.source,
        "consent_text": given.text,
        "consent_at": row.consent_at.isoformat(),
        "file_name": facts.name,
        "file_sha256": facts.sha256,
        "file_line": row.line,
        **{name: value for name, value in vouching.items() if value},
    }
