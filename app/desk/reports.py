"""Reports: broadcasts, days, lists, channels, growth, hours and words, each as a chart, a table and a CSV file."""

from typing import Final

from flask import Response, abort, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import LARGEST_ID, allow, room
from app.desk.reading import open_lists
from app.desk.report_words import ABOUT, drawing_of
from app.desk.report_words import SHEETS as NAMES
from app.runtime import runtime
from app.services.figures.roll_up import counted_until
from app.services.figures.sheets import DAYS, Window, make, window
from app.storage.models.accounts import Role

ROWS: Final = 40
_ROLLED_UP: Final = ("broadcasts", "days", "lists", "growth", "sources", "hours", "words")

reports = room("reports", __name__)


@reports.get("/reports")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """One sheet: drawn, as a table, and to take along."""
    name = request.args.get("sheet", "broadcasts")
    if name not in NAMES:
        abort(404)
    chosen = _window()
    sheet = make(name, chosen)
    page = min(max(1, request.args.get("page", 1, int)), 1000)
    rows = list(enumerate(sheet.rows))[(page - 1) * ROWS :]
    if name in ("days", "growth"):  # a chart reads from the left, a table from the newest
        rows = list(enumerate(sheet.rows))[::-1][(page - 1) * ROWS :]
    return render_template(
        "reports.html",
        sheet=sheet,
        about=ABOUT[name],
        names=NAMES,
        chosen=chosen,
        drawing=drawing_of(sheet, chosen.zone),
        rows=rows[:ROWS],
        page=page,
        more=len(rows) > ROWS,
        lists=open_lists(),
        spans=DAYS,
        until=counted_until(runtime().controller) if name in _ROLLED_UP else None,
    )


@reports.get("/reports/<sheet>.csv")
@allow(Role.EDITOR)
def as_csv(sheet: str) -> ResponseReturnValue:
    """A sheet as a file for spreadsheets; it names no person."""
    if sheet not in NAMES:
        abort(404)
    found = make(sheet, _window())
    headers = {"Content-Disposition": f'attachment; filename="{sheet}.csv"'}
    return Response(stream_with_context(found.as_csv()), mimetype="text/csv", headers=headers)


def _window() -> Window:
    days = request.args.get("days", 30, int)
    list_id = request.args.get("list", None, int)
    known = {row.id for row in open_lists()}
    if list_id is not None and (list_id > LARGEST_ID or list_id not in known):
        list_id = None
    return window(days if days in DAYS else 30, now=utcnow(), list_id=list_id)
