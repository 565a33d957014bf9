"""Every table of the desk as a CSV file: all rows of its page, with the same filters and the same masks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from flask import Response, abort, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.clock import utcnow
from app.desk import people_filter
from app.desk.access import LARGEST_ID, allow, room
from app.desk.languages import language
from app.desk.reading import (
    broadcasts_in,
    further_senders,
    imports_of,
    list_names,
    list_or_404,
    ordinary_lists,
    senders,
)
from app.desk.words import TABS, actor_words
from app.domain.addresses import mask
from app.domain.spreadsheets import csv_line
from app.runtime import runtime
from app.services import manage_feeds, notices, reports, tickers
from app.services.controller import NotFound, Refused
from app.services.filter_people import Filter, People, look_up
from app.services.find_people import PersonRow
from app.services.rights import retention, words
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

_PAGE: Final = 500
_MARK: Final = "\ufeff"  # by which spreadsheets know UTF-8
_BROADCAST: Final = ("id", "title", "state", "lists", "planned", "began", "ended", "by", "why")
_COUNTS: Final = ("audience", "delivered", "sent", "failed", "unknown", "skipped", "waiting")

tables = room("tables", __name__)

Row = Sequence[Any]


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Row]) -> Response:
    """Stream rows as a file for spreadsheets; no text in it is calculated, moments are ISO 8601 in UTC."""

    def lines() -> Iterator[str]:
        yield _MARK + csv_line(columns)
        for row in rows:
            yield csv_line(row)

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(stream_with_context(lines()), mimetype="text/csv", headers=headers)


@tables.get("/tables/broadcasts.csv")
@allow(Role.EDITOR)
def broadcasts() -> ResponseReturnValue:
    """The broadcasts of one tab, or of all, with their counts."""
    tab = request.args.get("tab", "")
    chosen = (tab,) if tab in TABS else tuple(TABS)
    return csv_file("broadcasts", (*_BROADCAST, *_COUNTS), (row for one in chosen for row in _of_tab(one)))


@tables.get("/tables/lists.csv")
@allow(Role.EDITOR)
def lists() -> ResponseReturnValue:
    """The lists with their promise and number of people."""
    by_id, further, people = {one.id: one for one in senders()}, further_senders(), reports.list_counts()
    columns = ("list", "keyword", "purpose", "language", "zone", "most_a_day", "from_hour", "until_hour")
    rows = (
        (
            *(row.name, row.keyword.upper(), row.purpose, row.language, row.zone),
            *(row.max_per_day, row.from_hour, row.until_hour),
            ", ".join(one.address for one in (by_id[row.sender_id], *further.get(row.id, ()))),
            people.get(row.id, 0),
        )
        for row in ordinary_lists()
    )
    return csv_file("lists", (*columns, "senders", "people"), rows)


@tables.get("/tables/imports.csv")
@allow(Role.EDITOR)
def imports() -> ResponseReturnValue:
    """Every import, with what became of its rows."""
    columns = ("id", "file", "list", "by", "began", "state", "rows", "imported", "asked", "problem")
    return csv_file("imports", columns, _imports())


@tables.get("/tables/events.csv")
@allow(Role.EDITOR)
def events() -> ResponseReturnValue:
    """The live events, also those that are over."""
    columns = ("event", "keyword", "stage", "begins", "closes", "zone", "sent", "most", "people")
    rows = (
        (
            row.name,
            row.keyword.upper(),
            row.stage.value,
            row.begins_at,
            row.closes_at,
            row.zone,
            row.sent,
            row.most,
            row.people,
        )
        for row in tickers.list_tickers(now=utcnow(), ended=True)
    )
    return csv_file("events", columns, rows)


@tables.get("/tables/people.csv")
@allow(Role.EDITOR)
def people() -> ResponseReturnValue:
    """The people that a filter finds, all pages of them; numbers are masked as on the page."""
    wanted = people_filter.asked()
    if not wanted:
        abort(404)
    try:
        first = _looked_up(wanted)
    except Refused:
        abort(404)
    shown = current_user.may(Role.ADMIN)
    rows = (
        (
            row.subscriber_id,
            row.address if shown else mask(row.address),
            row.channel,
            row.language,
            ", ".join(row.overlays),
            ", ".join(f"{name}: {state}" for name, state in row.lists.items()),
        )
        for row in _all_of(wanted, first)
    )
    return csv_file("people", ("id", "address", "channel", "language", "holds", "lists"), rows)


def _looked_up(wanted: Filter, before: int | None = None) -> People:
    return look_up(wanted, region=runtime().controller.region, before=before, limit=_PAGE)


def _all_of(wanted: Filter, page: People) -> Iterator[PersonRow]:
    yield from page.rows
    while page.before is not None:
        page = _looked_up(wanted, page.before)
        yield from page.rows


@tables.get("/tables/notices.csv")
@allow(Role.EDITOR)
def versions() -> ResponseReturnValue:
    """Every version of the words that a list shows in one language."""
    list_id = request.args.get("list", 0, int)
    if not 0 < list_id <= LARGEST_ID:
        abort(404)
    try:
        found = notices.versions(list_or_404(list_id).id, request.args.get("language", ""))
    except (NotFound, Refused):
        abort(404)
    rows = (
        (one.version, one.language, one.created_at, actor_words(one.written_by or ""), one.sha256, one.text)
        for one in found
    )
    return csv_file("notices", ("version", "language", "written", "by", "sha256", "text"), rows)


@tables.get("/tables/feeds.csv")
@allow(Role.EDITOR)
def feeds() -> ResponseReturnValue:
    """The feeds of one list, or of all."""
    list_id = request.args.get("list", None, int)
    if list_id is not None and not 0 < list_id <= LARGEST_ID:
        abort(404)
    columns = ("id", "feed", "address", "goes_to", "every_minutes", "read_last", "problem", "paused")
    rows = (
        (
            row.id,
            row.shown_name,
            row.address,
            row.goes_to,
            row.every_minutes,
            row.read_at,
            row.problem,
            row.paused_at is not None,
        )
        for row in manage_feeds.feeds_of(list_id)
    )
    return csv_file("feeds", columns, rows)


@tables.get("/tables/retention.csv")
@allow(Role.ADMIN)
def retention_periods() -> ResponseReturnValue:
    """What is kept how long and why, in the reader's language."""
    names = ("what", "period", "counted_from", "then", "source")
    found = words.retention_table(language(), runtime().settings.retention)
    return csv_file("retention", names, ([row[name] for name in names] for row in found))


@tables.get("/tables/retention-rounds.csv")
@allow(Role.ADMIN)
def retention_rounds() -> ResponseReturnValue:
    """What went in the last rounds: one row for each kind of data."""
    rows = (
        (run.started_at, run.finished_at, run.by, kind, gone)
        for run in retention.last_runs()
        for kind, gone in (sorted(run.counts.items()) or [("", 0)])
    )
    return csv_file("retention-rounds", ("began", "ended", "by", "kind", "gone"), rows)


def _of_tab(tab: str) -> Iterator[Row]:
    page, more = 1, True
    while more:
        rows = broadcasts_in(tab, page=page, size=_PAGE)
        more, shown = len(rows) > _PAGE, rows[:_PAGE]
        names = list_names([row.id for row in shown])
        for row in shown:
            yield _broadcast(row, names[row.id])
        page += 1


def _broadcast(row: Broadcast, lists: Sequence[str]) -> Row:
    said = (row.id, row.title, row.state, ", ".join(lists), row.next_at, row.started_at, row.finished_at)
    counts: tuple[int | None, ...] = (None,) * len(_COUNTS)
    if row.started_at:
        tally = reports.tally(row.id)
        counts = (tally.audience, tally.delivered, tally.sent, tally.failed, tally.unknown, tally.skipped)
        counts += (tally.pending + tally.handing_over,)
    return (*said, actor_words(row.created_by), row.state_reason, *counts)


def _imports() -> Iterator[Row]:
    page, more = 1, True
    while more:
        rows = imports_of(page=page, size=_PAGE)
        for run, name in rows[:_PAGE]:
            said = (run.id, run.file_name, name, actor_words(run.actor), run.created_at, run.state)
            counts = (run.done_rows, run.counts.get("imported", 0), run.counts.get("asked", 0))
            yield (*said, *counts, run.problem)
        page, more = page + 1, len(rows) > _PAGE
