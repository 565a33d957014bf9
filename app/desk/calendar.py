"""The calendar: a month or a week of everything that went out and will, with what stands against it in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, room
from app.desk.languages import day_words, language
from app.desk.languages import gettext as _
from app.desk.moves import moved_note
from app.desk.reading import house_zone, open_lists
from app.desk.repeating import RUN_WORDS
from app.desk.words import state_words
from app.domain.recurrence import RunState
from app.domain.statuses import BroadcastState
from app.services.calendar import PLANNED, Clash, Entry, Kind, entries
from app.storage.models import BroadcastList
from app.storage.models.accounts import Role

WEEK: Final = 7
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
"""Days that can be asked for; no clock of ours will show others."""
_DAY: Final = timedelta(days=1)

calendar = room("calendar", __name__)


@dataclass(frozen=True)
class Line:
    """An entry as the page shows it: its hour on the clocks of the page, where it leads, its state in words.

    `move` is the address of the page that moves it, for one that waits.
    """

    entry: Entry
    hour: str
    href: str
    title: str
    state: str
    clashes: Sequence[str]
    move: str | None = None


@dataclass(frozen=True)
class Day:
    """One cell: a day, whether it belongs to the month that is shown, and its lines."""

    day: date
    inside: bool
    today: bool
    lines: Sequence[Line]

    @property
    def words(self) -> str:
        """`Tuesday 1 December`, for a cell that stands alone."""
        return day_words(self.day, "weekday")


@calendar.get("/calendar")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """The month or the week around a day; with `list` what goes to that list, on the clocks of its zone."""
    now, lists = utcnow(), open_lists()
    chosen = next((row for row in lists if row.id == request.args.get("list", type=int)), None)
    zone = chosen.zone if chosen else house_zone()
    view = "week" if request.args.get("view") == "week" else "month"
    around = _asked_day() or now.astimezone(ZoneInfo(zone)).date()
    return render_template(
        "calendar.html",
        view=view,
        around=around,
        title=_title(view, around),
        weeks=_weeks(view, around, ZoneInfo(zone), now, chosen),
        weekdays=[format_date(_monday(around) + n * _DAY, "EEE", locale=language()) for n in range(WEEK)],
        zone=zone,
        lists=lists,
        chosen=chosen,
        before=_kept(_next(view, around, -1)),
        after=_kept(_next(view, around, 1)),
        moved=moved_note(),
    )


def _weeks(
    view: str, around: date, zone: ZoneInfo, now: datetime, chosen: BroadcastList | None
) -> list[list[Day]]:
    first, count = _span(view, around)
    since, until = _midnight(first, zone), _midnight(first + count * WEEK * _DAY, zone)
    lines: dict[date, list[Line]] = {}
    found = entries(since, until, now=now, list_id=chosen.id if chosen else None)
    shown = [(entry.local_at or entry.at.astimezone(zone).replace(tzinfo=None), entry) for entry in found]
    for there, entry in sorted(shown, key=lambda pair: pair[0]):
        lines.setdefault(there.date(), []).append(_line(entry, there))
    today = now.astimezone(zone).date()
    days = [first + n * _DAY for n in range(count * WEEK)]
    cells = [
        Day(day, view == "week" or day.month == around.month, day == today, lines.get(day, ()))
        for day in days
    ]
    return [cells[n : n + WEEK] for n in range(0, len(cells), WEEK)]


def _span(view: str, around: date) -> tuple[date, int]:
    """Return the Monday with which the view begins, and its number of weeks."""
    if view == "week":
        return _monday(around), 1
    first = _monday(around.replace(day=1))
    last = _next("month", around, 1).replace(day=1) - _DAY
    return first, (_monday(last) - first).days // WEEK + 1


def _monday(day: date) -> date:
    return day - day.weekday() * _DAY


def _next(view: str, around: date, step: int) -> date:
    if view == "week":
        return around + step * WEEK * _DAY
    month = around.year * 12 + around.month - 1 + step
    return date(month // 12, month % 12 + 1, 1)


def _kept(day: date) -> date | None:
    return day if FIRST <= day <= LAST else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _asked_day() -> date | None:
    try:
        return _kept(date.fromisoformat(request.args.get("day", "")))
    except ValueError:
        return None


def _title(view: str, around: date) -> str:
    if view == "month":
        return day_words(around, "month")
    first = _monday(around)
    last = first + (WEEK - 1) * _DAY
    return f"{day_words(first)} – {day_words(last)}"


def _line(entry: Entry, there: datetime) -> Line:
    hrefs = {
        Kind.BROADCAST: lambda: url_for("progress.show", broadcast_id=entry.id),
        Kind.REPEAT: lambda: url_for("rules.show", rule_id=entry.id),
        Kind.SLOT: lambda: url_for("board.show", list_id=entry.id),
    }
    title = entry.title or _("Slot: the top story")
    clashes = [_clash_words(clash, name) for clash, name in entry.clashes]
    view = request.args.get("view")
    waits = entry.state == BroadcastState.SCHEDULED
    move = url_for("moves.ask", broadcast_id=entry.id, view=view) if waits else None
    return Line(entry, f"{there:%H:%M}", hrefs[entry.kind](), title, _state(entry), clashes, move)


def _state(entry: Entry) -> str:
    if entry.state == PLANNED:
        return _("planned")
    if entry.kind is Kind.REPEAT:
        return str(RUN_WORDS[RunState(entry.state)])
    words = state_words(entry.state)
    return f"{words}, {_('on each person’s own clock')}" if entry.local_at else words


def _clash_words(clash: Clash, name: str) -> str:
    if clash is Clash.HOURS:
        return _("outside the hours of %(list)s", list=name)
    return _("more than %(list)s promised for a day", list=name)
