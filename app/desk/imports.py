"""Import subscribers at the desk: a file, what its columns mean, who vouches; a dry run first, then the import."""

from typing import Final

from flask import Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk import import_words
from app.desk.access import allow, me, room
from app.desk.errors import not_found_as_404
from app.desk.forms import Errors
from app.desk.import_forms import LARGEST, Uploaded, may_see, proposed, read_choices, read_upload
from app.desk.languages import gettext as _
from app.desk.reading import house_zone, imports_of, list_or_404, open_lists
from app.desk.refusals import said, translated
from app.queue import enqueue_import
from app.runtime import runtime
from app.services import import_rejects, import_runs
from app.services.controller import Conflict, NotFound, Refused
from app.services.import_notebook import read_refused
from app.services.import_rows import MAX_EVIDENCE, ReadRow, RowProblem
from app.services.import_uploads import KEPT
from app.services.import_verdicts import REASONS, Verdict
from app.storage.models import ImportRun, ImportState
from app.storage.models.accounts import Role

ROWS: Final = 20
SHOWN: Final = 20
PREVIEWED: Final = 3
POLL_SECONDS: Final = 2
_AT_WORK: Final = (ImportState.CHECKING, ImportState.RUNNING)

imports = room("imports", __name__)


@imports.get("/imports")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Every import, newest first."""
    page = max(1, request.args.get("page", 1, int))
    rows = imports_of(page=min(page, 10_000), size=ROWS)
    return render_template(
        "imports.html",
        rows=rows[:ROWS],
        more=page + 1 if len(rows) > ROWS else None,
        zone=house_zone(),
        may_see=may_see,
    )


@imports.get("/imports/new")
@allow(Role.EDITOR)
def new() -> ResponseReturnValue:
    """The form that brings a file."""
    return _first_page({}, {})


@imports.post("/imports/new")
@allow(Role.EDITOR, largest=LARGEST)
def upload() -> ResponseReturnValue:
    """Keep a file as a draft, or say what is wrong with it as a whole."""
    given = read_upload()
    if given.errors:
        return _first_page(given.values, given.errors | _chosen_again(given)), 422
    try:
        import_id = _keep(given)
    except Refused as refusal:
        return _first_page(given.values, {"file": translated(refusal)}), 422
    return redirect(url_for("imports.show", import_id=import_id))


@imports.get("/imports/<int:import_id>")
@allow(Role.EDITOR)
@not_found_as_404
def show(import_id: int) -> ResponseReturnValue:
    """Where an import stands: its columns and evidence, its dry run, its progress, or what became of it."""
    run = _mine(import_id)
    if run.state == ImportState.DRAFT and _is_owner(run):
        options = runtime().uploads.options(run).as_choices()
        header = runtime().uploads.table(run).header
        zone = list_or_404(run.list_id).zone
        return _columns_page(run, proposed(header, options, zone, runtime().controller.region), {})
    return render_template("import.html", **_standing(run))


@imports.get("/imports/<int:import_id>/live")
@allow(Role.EDITOR)
@not_found_as_404
def live(import_id: int) -> ResponseReturnValue:
    """The part of an import's page that renews itself."""
    return render_template("import_live.html", **_standing(_mine(import_id)))


@imports.post("/imports/<int:import_id>/check")
@allow(Role.EDITOR, largest=LARGEST)
@not_found_as_404
def check(import_id: int) -> ResponseReturnValue:
    """Store what the columns mean and who vouches, and let the workers look through the file."""
    run = _own(import_id)
    given = read_choices(runtime().uploads.table(run).header, list_or_404(run.list_id).zone)
    if given.errors:
        return _columns_page(run, given.values, given.errors), 422
    try:
        runtime().uploads.choose(import_id, given.choices, now=utcnow())
    except Conflict:
        return _back_to(import_id)
    except Refused as refusal:
        return _columns_page(run, given.values, {"form": translated(refusal)}), 422
    enqueue_import(import_id)
    return _back_to(import_id)


@imports.post("/imports/<int:import_id>/change")
@allow(Role.EDITOR)
@not_found_as_404
def change(import_id: int) -> ResponseReturnValue:
    """Go back to the columns and the evidence."""
    _own(import_id)
    try:
        runtime().uploads.change(import_id, now=utcnow())
    except Conflict as conflict:
        flash(translated(conflict), "error")
    return _back_to(import_id)


@imports.post("/imports/<int:import_id>/start")
@allow(Role.EDITOR)
@not_found_as_404
def start(import_id: int) -> ResponseReturnValue:
    """Let the workers import. Pressed twice, it leads to the import that runs."""
    _own(import_id)
    try:
        runtime().uploads.start(import_id, by=me().actor, now=utcnow())
    except Conflict:
        return _back_to(import_id)
    enqueue_import(import_id)
    return _back_to(import_id)


@imports.post("/imports/<int:import_id>/discard")
@allow(Role.EDITOR)
@not_found_as_404
def discard(import_id: int) -> ResponseReturnValue:
    """Delete a file that was not imported."""
    _mine(import_id)
    try:
        runtime().uploads.discard(import_id, by=me().actor, now=utcnow())
    except Conflict as conflict:
        flash(translated(conflict), "error")
        return _back_to(import_id)
    flash(_("The file is deleted. Nothing was imported."))
    return redirect(url_for("imports.index"))


@imports.post("/imports/<int:import_id>/refused.csv")
@allow(Role.EDITOR)
@not_found_as_404
def refused_rows(import_id: int) -> ResponseReturnValue:
    """The rows that were not taken, as a file to correct. A POST, for it leaves a line in the audit log."""
    _mine(import_id)
    notebook = runtime().uploads.take_refused(import_id, by=me().actor, now=utcnow())
    lines = import_rejects.as_csv(notebook, _in_words)
    headers = {"Content-Disposition": f'attachment; filename="refused-import-{import_id}.csv"'}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)


def _mine(import_id: int) -> ImportRun:
    """An import whose rows this person may see."""
    run = import_runs.find(import_id)
    if not may_see(run.actor):
        abort(403)
    return run


def _own(import_id: int) -> ImportRun:
    """An import that this person brought: whoever starts it vouches for it."""
    run = import_runs.find(import_id)
    if not _is_owner(run):
        abort(403)
    return run


def _is_owner(run: ImportRun) -> bool:
    return run.actor == me().actor


def _back_to(import_id: int) -> ResponseReturnValue:
    return redirect(url_for("imports.show", import_id=import_id))


def _keep(given: Uploaded) -> int:
    if given.file is None:  # `read_upload` has said so
        abort(422)
    return runtime().uploads.add(
        given.file.save,
        name=given.name,
        list_id=int(given.values["list_id"]),
        encoding=given.values["encoding"],
        delimiter=given.values["delimiter"] or None,
        by=me().actor,
        now=utcnow(),
    )


def _chosen_again(given: Uploaded) -> Errors:
    """No browser keeps a chosen file when the form comes back, and nobody sees that at once."""
    if "file" in given.errors:
        return {}
    return {"file": _("Choose the file “%(name)s” again: the browser has let go of it.", name=given.name)}


def _first_page(values: dict[str, str], errors: Errors) -> str:
    return render_template(
        "import_new.html",
        values=values,
        errors=errors,
        lists=open_lists(),
        encodings=import_words.ENCODINGS,
        delimiters=import_words.DELIMITERS,
        megabytes=LARGEST // 1_000_000,
        days=KEPT.days,
    )


def _columns_page(run: ImportRun, values: dict[str, str], errors: Errors) -> str:
    table = runtime().uploads.table(run)
    rows = runtime().uploads.first_rows(run, PREVIEWED)
    samples = [
        [import_words.bare(row.cells[n]) for row in rows if n < len(row.cells)]
        for n in range(len(table.header))
    ]
    return render_template(
        "import_columns.html",
        run=run,
        list=list_or_404(run.list_id),
        columns=list(zip(table.header, samples, strict=True)),
        encoding=import_words.ENCODINGS[run.choices["encoding"]],
        fields=import_words.FIELDS,
        values=values,
        errors=errors,
        longest=MAX_EVIDENCE,
    )


def _standing(run: ImportRun) -> dict[str, object]:
    counts = import_runs.progress_of(run).counts
    at_work = run.state in _AT_WORK
    return {
        "run": run,
        "list": list_or_404(run.list_id),
        "counts": {
            words: counts[verdict] for verdict, words in import_words.VERDICTS.items() if counts[verdict]
        },
        "total": counts.total(),
        "wanted": counts[Verdict.IMPORTED] + counts[Verdict.ASKED],
        "refused": sum(counts[verdict] for verdict in (*REASONS, Verdict.INVALID)),
        "problems": [] if at_work else _first_problems(run),
        "understood": _first_understood(run) if run.state == ImportState.CHECKED else [],
        "percent": min(100, 100 * run.done_line // max(1, run.file_lines)),
        "poll": POLL_SECONDS if at_work else None,
        "is_owner": _is_owner(run),
        "kept_until": run.finished_at + KEPT if run.finished_at and run.stored_as else None,
        "zone": house_zone(),
        "now": utcnow(),
    }


def _first_problems(run: ImportRun) -> list[tuple[int, str]]:
    """The first refused rows as lines and words, as long as they are kept."""
    try:
        notebook = runtime().uploads.folder(run).notebook
    except NotFound:
        return []
    return [(problem.line, _in_words(problem)) for problem in read_refused(notebook, SHOWN)]


def _first_understood(run: ImportRun) -> list[ReadRow]:
    """The first rows as they were understood."""
    uploads = runtime().uploads
    reader = uploads.plan(run, uploads.options(run)).reader
    readings = map(reader.read, uploads.first_rows(run, PREVIEWED))
    return [row for row in readings if isinstance(row, ReadRow)]


def _in_words(problem: RowProblem) -> str:
    """What is wrong with a row, in the reader's language."""
    reason = said(problem.reason)
    return f"{problem.column} “{problem.value}”: {reason}" if problem.column else reason
