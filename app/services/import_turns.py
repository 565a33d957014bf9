"""The workers' part of an uploaded import: one short turn after another, so that sending need not wait for it."""

from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update

from app.services import import_runs
from app.services.controller import Conflict, NotFound, Refused
from app.services.import_folders import Folder
from app.services.import_notebook import Notebook
from app.services.import_plan import Ears
from app.services.import_subscribers import check, work
from app.services.import_uploads import Uploads
from app.storage.database import db, transaction
from app.storage.models import ImportRun, ImportState

TURN: Final = timedelta(seconds=10)
_QUIET: Final = timedelta(seconds=30)
_AT_WORK: Final = (ImportState.CHECKING.value, ImportState.RUNNING.value)


def go_on(uploads: Uploads, import_id: int, *, clock: Callable[[], datetime], turn: timedelta = TURN) -> bool:
    """Check or import for one turn; True when there is more to do.

    What makes it impossible ends it with the reason. One that another process works on, that was called off or is
    over, is left alone, so a turn may be asked for twice.
    """
    try:
        run = import_runs.find(import_id)
        if run.state not in _AT_WORK or run.stored_as is None:
            return False
        folder = uploads.folder(run)
        with folder.alone() as alone:
            return alone and _turn(uploads, run, folder, clock, turn)
    except Conflict:
        return False
    except Refused as refusal:
        return _end(uploads, import_id, refusal, clock())


def _turn(
    uploads: Uploads, run: ImportRun, folder: Folder, clock: Callable[[], datetime], turn: timedelta
) -> bool:
    plan, until = uploads.plan(run, uploads.options(run)), clock() + turn
    notebook = Notebook(folder.notebook)
    ears = Ears(opened=notebook.describe, problem=notebook.refuse)
    step = check if run.state == ImportState.CHECKING.value else work
    with closing(notebook):
        report = step(plan, run, clock=clock, ears=ears, notebook=notebook, until=until)
    if report.finished and step is work:
        folder.keep_the_refused()
    return not report.finished


def _end(uploads: Uploads, import_id: int, refusal: Refused, now: datetime) -> bool:
    """Keep why it cannot go on; nobody can correct a file that lies here, so it goes."""
    with suppress(NotFound):  # somebody discarded it just now, or the file is gone
        import_runs.fail(import_id, str(refusal), now=now)
        uploads.folder(import_runs.find(import_id)).keep_the_refused()
    return False


def take_forgotten(now: datetime) -> list[int]:
    """Return uploads at work that nobody worked on for half a minute: a wake-up or a worker was lost.

    They count as worked on from now, so that the clock asks once and not every second.
    """
    lost = (
        ImportRun.state.in_(_AT_WORK),
        ImportRun.stored_as.is_not(None),
        ImportRun.updated_at < now - _QUIET,
    )
    if db.session.scalar(select(ImportRun.id).where(*lost).limit(1)) is None:
        return []
    with transaction() as session:
        return list(
            session.scalars(update(ImportRun).where(*lost).values(updated_at=now).returning(ImportRun.id))
        )


def tidy(uploads: Uploads, now: datetime) -> None:
    """Delete what a crash left behind at the end of an import, and what was kept long enough."""
    ended = select(ImportRun).where(
        ImportRun.stored_as.is_not(None),
        ImportRun.state.in_((ImportState.DONE.value, ImportState.FAILED.value)),
    )
    for run in db.session.scalars(ended).all():
        folder = uploads.place(run)
        if folder.file.exists():
            folder.keep_the_refused()
    uploads.delete_old(now)
