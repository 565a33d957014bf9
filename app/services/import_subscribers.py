"""Import subscribers with the evidence of their consent: in batches, resumable, and never against a STOP."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from app.services import import_runs
from app.services.controller import Controller
from app.services.import_file import open_table
from app.services.import_notebook import Notebook
from app.services.import_pass import Pass, batches
from app.services.import_plan import Ears, ImportOptions, ImportReport, Plan, make_plan
from app.services.manage_lists import find_list
from app.storage.database import db, learn_sizes
from app.storage.models import ConsentEvent, ImportRun, Subject, Subscriber, Subscription

_SILENCE = Ears()
_SIZES_LEARNT_AFTER = (5, 50, 500)  # batches


def import_subscribers(
    path: Path,
    *,
    list_name: str,
    options: ImportOptions,
    controller: Controller,
    clock: Callable[[], datetime],
    ears: Ears = _SILENCE,
) -> ImportReport:
    """Import the file at `path` into the list with this name or keyword.

    Every batch of 1,000 rows is one transaction together with how far the import is. One that was broken off is
    gone on with by running it again in the same way; whoever is subscribed already is counted and left alone. A
    dry run changes nothing and reports the same numbers. Raises `Refused` when the file as a whole cannot be
    imported, `NotFound` for an unknown list or file, `Conflict` when another process is importing it.
    """
    table = open_table(path, encoding=options.encoding, delimiter=options.delimiter)
    found = find_list(db.session(), list_name)
    plan = make_plan(table, found, options, controller, clock())
    if options.dry_run:
        return rehearse(plan, now=clock(), ears=ears)
    run = import_runs.begin(plan.wanted, actor=options.by, now=clock())
    return work(plan, run, clock=clock, ears=ears)


def rehearse(plan: Plan, *, now: datetime, ears: Ears = _SILENCE) -> ImportReport:
    """Say what an import would do, changing nothing."""
    with closing(Pass(plan, ears)) as over:
        for rows in batches(plan.table.rows()):
            over.take(rows, lambda batch: over.foresee(batch, now))
        return over.report(None, 0)


def work(
    plan: Plan,
    run: ImportRun,
    *,
    clock: Callable[[], datetime],
    ears: Ears = _SILENCE,
    notebook: Notebook | None = None,
    until: datetime | None = None,
) -> ImportReport:
    """Go on with an import from its last committed row, to its end or (after whole batches) until `until`.

    Rows that are done already are read again, to know the addresses met and to tell their problems; they are
    passed over where the notebook has kept them.
    """
    plan = _as_of(plan, run.created_at)
    before = import_runs.progress_of(run)
    with closing(Pass(plan, ears, notebook)) as over:
        all_rows = plan.table.rows()
        for rows in batches(islice(all_rows, before.rows)):
            if not over.knows(rows[-1].number):
                over.take(rows, lambda batch: over.remember(run.id, batch))
        over.counts = before.counts
        for number, rows in enumerate(batches(all_rows), 1):
            over.take(rows, lambda batch: over.commit(run.id, batch, clock()))
            if number in _SIZES_LEARNT_AFTER:
                learn_sizes(Subject, Subscriber, Subscription, ConsentEvent)
            if until is not None and clock() >= until:
                return over.report(run.id, before.rows, finished=False)
        import_runs.finish(run.id, now=clock())
        return over.report(run.id, before.rows)


def check(
    plan: Plan,
    run: ImportRun,
    *,
    clock: Callable[[], datetime],
    ears: Ears,
    notebook: Notebook,
    until: datetime,
) -> ImportReport:
    """Go on with a dry run whose progress is stored, to its end or (after whole batches) until `until`.

    The notebook is kept first, so it knows every row that is stored as done; one that was lost begins it anew.
    """
    plan = _as_of(plan, run.created_at)
    before = import_runs.progress_of(run) if notebook.kept >= run.done_rows else import_runs.NOTHING
    with closing(Pass(plan, ears, notebook)) as over:
        over.counts += before.counts
        for rows in batches(islice(plan.table.rows(), before.rows, None)):
            over.take(rows, lambda batch: over.foresee(batch, clock()))
            done = import_runs.Progress(rows[-1].number, rows[-1].line, over.counts)
            import_runs.advance_check(run.id, plan.wanted.fingerprint, done, now=clock())
            if clock() >= until:
                return over.report(None, before.rows, finished=False)
        import_runs.finish_check(run.id, plan.wanted.fingerprint, now=clock())
        return over.report(None, before.rows)


def _as_of(plan: Plan, moment: datetime) -> Plan:
    """The same file means the same in every turn: what was in the future at the beginning stays so."""
    return replace(plan, reader=replace(plan.reader, now=moment))
