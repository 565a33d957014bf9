"""Imports of files that were uploaded at the desk: kept, understood, started, and deleted in time."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.services import import_runs
from app.services.audit import note
from app.services.controller import Conflict, Controller, NotFound, Refused
from app.services.import_columns import guess
from app.services.import_file import FileFacts, RawRow, Table, open_table
from app.services.import_folders import Folder
from app.services.import_plan import ImportOptions, Plan, make_plan
from app.services.import_rows import Evidence
from app.services.import_runs import Wanted
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ImportRun, ImportState

KEPT: Final = timedelta(days=7)
"""How long an upload that nobody started is kept, and the refused rows of one that ended."""
MOST_COLUMNS: Final = 100
MOST_OPEN: Final = 20
_OPEN: Final = (ImportState.DRAFT.value, ImportState.CHECKING.value, ImportState.CHECKED.value)


@dataclass(frozen=True)
class Choices:
    """What somebody says of an upload: field to header, who vouches, the country of bare numbers, ask or not."""

    mapping: Mapping[str, str]
    evidence: Evidence
    region: str = ""
    ask: bool = False


class Uploads:
    """The uploads of this installation. `ask_link` is the address that the code of a question is put behind."""

    def __init__(self, home: Path, controller: Controller, ask_link: str) -> None:
        self._home = home / "imports"
        self._controller = controller
        self._ask_link = ask_link

    def add(
        self,
        save: Callable[[Path], Any],
        *,
        name: str,
        list_id: int,
        encoding: str,
        delimiter: str | None,
        by: str,
        now: datetime,
    ) -> int:
        """Let `save` write a file, and add its import as a draft; returns its id.

        The same draft again is the one that is there. Raises `Refused` for what is no CSV.
        """
        folder = Folder(self._home / f"{now:%Y%m%d}-{secrets.token_hex(12)}")
        folder.make()
        try:
            save(folder.file)
            table = open_table(folder.file, name=name, encoding=encoding, delimiter=delimiter)
            _check_size(table)
            options = ImportOptions(
                by,
                mapping=guess(table.header),
                mapping_is_all=True,
                encoding=encoding,
                delimiter=delimiter,
            )
            import_id, is_new = _add_draft(
                Wanted(list_id, table.facts, options.as_choices()), by, folder.path.name, now
            )
        except BaseException:
            folder.delete()
            raise
        if not is_new:
            folder.delete()
        return import_id

    def place(self, run: ImportRun) -> Folder:
        """Return where an upload is kept, or was."""
        return Folder(self._home / (run.stored_as or "nothing"))

    def folder(self, run: ImportRun) -> Folder:
        """Return what is kept of an upload. Raises `NotFound` when nothing is, or not on this machine."""
        folder = self.place(run)
        if not folder.path.is_dir():
            raise NotFound("Nothing of this file is kept on this machine any more.")
        return folder

    def table(self, run: ImportRun) -> Table:
        """Return the file as it is written. Raises `NotFound`."""
        options = self.options(run)
        return open_table(
            self.folder(run).file,
            encoding=options.encoding,
            delimiter=options.delimiter,
            facts=FileFacts(run.file_name, run.file_sha256, run.file_lines),
        )

    def first_rows(self, run: ImportRun, most: int) -> list[RawRow]:
        """Return the first rows as they are written."""
        return list(islice(self.table(run).rows(), most))

    def options(self, run: ImportRun) -> ImportOptions:
        """Return what was said of an upload."""
        return ImportOptions.from_choices(run.actor, run.choices, self._ask_link)

    def plan(self, run: ImportRun, options: ImportOptions) -> Plan:
        """Return an upload as understood. Raises `Refused`."""
        found = db.session.get_one(BroadcastList, run.list_id)
        return make_plan(self.table(run), found, options, self._controller, run.created_at)

    def choose(self, import_id: int, choices: Choices, *, now: datetime) -> None:
        """Store what the columns of a draft mean and who vouches; the workers check it then.

        Raises `Refused` where that makes no sense, `Conflict` when it is no draft any more.
        """
        run = import_runs.find(import_id)
        _expect(run, ImportState.DRAFT)
        options = replace(
            self.options(run),
            mapping=choices.mapping,
            evidence=choices.evidence,
            region=choices.region or None,
            ask_link=self._ask_link if choices.ask else "",
        )
        plan = self.plan(run, options)
        with transaction() as session:
            found = import_runs.lock(session, import_id)
            _expect(found, ImportState.DRAFT)
            self.folder(found).clear_notebook()
            found.choices, found.fingerprint = options.as_choices(), plan.wanted.fingerprint
            import_runs.reset(found, ImportState.CHECKING, now)

    def change(self, import_id: int, *, now: datetime) -> None:
        """Take a checked upload back to its columns and evidence. Raises `Conflict` once it was started."""
        with transaction() as session:
            run = import_runs.lock(session, import_id)
            _expect(run, ImportState.CHECKING, ImportState.CHECKED)
            import_runs.reset(run, ImportState.DRAFT, now)

    def start(self, import_id: int, *, by: str, now: datetime) -> None:
        """Let the workers begin. Raises `Conflict` the second time, and for what was not checked."""
        with transaction() as session:
            run = import_runs.lock(session, import_id)
            _expect(run, ImportState.CHECKED)
            note(session, by, "import.start", f"import {run.id}", now, foreseen=dict(run.counts))
            self.folder(run).clear_notebook()
            import_runs.reset(run, ImportState.RUNNING, now)

    def discard(self, import_id: int, *, by: str, now: datetime) -> None:
        """Delete an upload that was not started. Raises `Conflict` once it was."""
        with transaction() as session:
            run = import_runs.lock(session, import_id)
            _expect(run, ImportState.DRAFT, ImportState.CHECKING, ImportState.CHECKED)
            note(session, by, "import.discard", f"import {run.id}", now, file=run.file_name)
            self.place(run).delete()
            session.delete(run)

    def take_refused(self, import_id: int, *, by: str, now: datetime) -> Path:
        """Return the notebook of the refused rows, and note who took them. Raises `NotFound`."""
        with transaction() as session:
            run = import_runs.find(import_id)
            notebook = self.folder(run).notebook
            note(session, by, "import.refused_rows", f"import {run.id}", now)
            return notebook

    def delete_old(self, now: datetime) -> None:
        """Delete what is left of uploads that nobody touched for seven days: it is personal data."""
        old = select(ImportRun.id).where(
            ImportRun.stored_as.is_not(None),
            ImportRun.state != ImportState.RUNNING.value,
            ImportRun.updated_at < now - KEPT,
        )
        for import_id in db.session.scalars(old).all():
            with transaction() as session:
                run = import_runs.lock(session, import_id)
                self.place(run).delete()
                run.stored_as = None
                if run.state in _OPEN:
                    session.delete(run)


def _add_draft(wanted: Wanted, by: str, stored_as: str, now: datetime) -> tuple[int, bool]:
    """Return the id of a new draft and True, or of the same one that is there already and False."""
    with transaction() as session:
        drafts = select(ImportRun.id).where(
            ImportRun.fingerprint == wanted.fingerprint,
            ImportRun.actor == by,
            ImportRun.state == ImportState.DRAFT.value,
        )
        if (there := session.scalars(drafts.limit(1)).first()) is not None:
            return there, False
        _check_number(session)
        run = import_runs.add(session, wanted, ImportState.DRAFT, actor=by, now=now, stored_as=stored_as)
        session.flush()
        note(
            session,
            by,
            "import.upload",
            f"import {run.id}",
            now,
            file=run.file_name,
            sha256=run.file_sha256,
            list_id=run.list_id,
        )
        return run.id, True


def _check_size(table: Table) -> None:
    if len(table.header) > MOST_COLUMNS:
        raise Refused(
            f"{table.facts.name} has {len(table.header)} columns; it may have {MOST_COLUMNS}. "
            "Remove those that are not needed."
        )


def _check_number(session: Session) -> None:
    waiting = select(func.count()).select_from(ImportRun).where(ImportRun.state.in_(_OPEN))
    if (session.scalar(waiting.where(ImportRun.stored_as.is_not(None))) or 0) >= MOST_OPEN:
        raise Refused(
            f"There are {MOST_OPEN} files that nobody has started yet. Start or discard one of them."
        )


def _expect(run: ImportRun, *states: ImportState) -> None:
    if run.state not in {state.value for state in states}:
        raise Conflict("This import is further already. Look at where it stands.")
