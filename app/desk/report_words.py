"""Words and charts of the reports: what a column is called, how a value reads, what is drawn."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from app.desk.languages import day_words, moment, number
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.words import ACTS, EVENTS, reason_words, status_words
from app.domain.channels import CHANNELS
from app.domain.charts import Chart, beside, stacked
from app.domain.consent import EventType
from app.domain.keywords import Outcome
from app.services.figures.sheets import Sheet
from app.services.figures.sums import tenths

SHEETS: Final = {
    "broadcasts": _l("Broadcasts"),
    "days": _l("Days"),
    "lists": _l("Lists"),
    "channels": _l("Channels"),
    "failures": _l("Not delivered"),
    "growth": _l("Growth"),
    "sources": _l("Ways in and out"),
    "hours": _l("Hours"),
    "words": _l("Words"),
    "costs": _l("Cost by word"),
}

ABOUT: Final = {
    "broadcasts": _l("Each broadcast that began in this time, the newest first."),
    "days": _l("What became of the broadcasts that began on each day."),
    "lists": _l("A broadcast to several lists counts in each of them."),
    "channels": _l("What went out of each of our senders."),
    "failures": _l("Why people did not get a broadcast."),
    "growth": _l("Who came to the lists and who left them, by day. A pause is neither."),
    "sources": _l("How people came, how they left, and where the link hung that they followed."),
    "hours": _l("What came of each hundred deliveries, by the hour at which the broadcast began."),
    "words": _l("What people texted, and how it was read."),
    "costs": _l("What the messages to the people of each list's word cost, however they came to the list."),
}

COLUMNS: Final = {
    "broadcast": _l("Broadcast"),
    "lists": _l("Lists"),
    "began": _l("Began"),
    "day": _l("Day"),
    "month": _l("Month"),
    "hour": _l("Hour"),
    "hour_at": _l("Hour"),
    "list": _l("List"),
    "channel": _l("Channel"),
    "sender": _l("Sender"),
    "broadcasts": _l("Broadcasts"),
    "audience": _l("Audience"),
    "sent_to": _l("Sent to"),
    "delivered": _l("Delivered"),
    "delivered_percent": _l("Delivered, %"),
    "read": _l("Read"),
    "open": _l("No receipt yet"),
    "failed": _l("Failed"),
    "unknown": _l("Unknown"),
    "skipped": _l("Skipped"),
    "left": _l("Left afterwards"),
    "answered": _l("Answered"),
    "clicks": _l("Clicks"),
    "parts": _l("Parts or messages"),
    "cost": _l("Cost"),
    "status": _l("Status"),
    "reason": _l("Why"),
    "people": _l("People"),
    "joined": _l("Came"),
    "left_list": _l("Left"),
    "net": _l("Difference"),
    "on_list": _l("On the lists afterwards"),
    "left_percent": _l("Left, %"),
    "kind": _l("Came or left"),
    "act": _l("How"),
    "tag": _l("Where the link hung"),
    "clicks_per_100": _l("Clicks per 100"),
    "answers_per_100": _l("Answers per 100"),
    "left_per_100": _l("Left per 100"),
    "few": _l("How sure"),
    "meaning": _l("Meaning"),
    "word": _l("Word"),
    "texts": _l("Texts"),
    "without_price": _l("Parts without a price"),
}

MEANINGS: Final = {
    Outcome.STOP: _l("Leave everything"),
    Outcome.STOP_FUZZY: _l("Leave everything, in free words"),
    Outcome.STOP_LIST: _l("Leave one list"),
    Outcome.ERASE: _l("Erase me"),
    Outcome.HELP: _l("Help"),
    Outcome.CONFIRM: _l("Yes to our question"),
    Outcome.DECLINE: _l("No to our question"),
    Outcome.START: _l("Join"),
    Outcome.START_LIST: _l("Join one list"),
    Outcome.PAUSE: _l("Pause"),
    Outcome.WRONG_NUMBER: _l("Wrong number"),
    Outcome.REVIEW: _l("Perhaps a stop: somebody decides"),
    Outcome.NONE: _l("No command: an answer or a question"),
}

TEXTS: Final = frozenset(
    {"broadcast", "lists", "began", "day", "month", "hour", "hour_at", "list", "channel", "sender", "status"}
    | {"reason", "kind", "act", "tag", "meaning", "word", "few"}
)
"""Columns that are read from the left; all others are numbers."""

_MANY: Final = 10
_FOLDED: Final = ("lists", "began", "delivered_percent")
_PARTED: Final = (
    "after-wards",
    "Aus-gelassen",
    "Empfänger-kreis",
    "Empfangs-bestä-tigung",
    "Ge-antwortet",
    "Ge-scheitert",
    "Nach-richten",
    "Sen-dungen",
    "Un-bekannt",
    "Zu-gestellt",
)
"""Long words of headings, and where they may be parted: browsers on a desk know no hyphens for most languages."""
_KINDS: Final = {"joined": _l("came"), "left": _l("left")}
_STACKED: Final = ("delivered", "open", "unknown", "failed")
_MOST_COLUMNS: Final = 60


@dataclass(frozen=True)
class Drawing:
    """A chart with its words; `first` and `last` stand under its ends."""

    chart: Chart
    series: tuple[str, ...]
    title: str
    first: str
    last: str


def column_words(name: str) -> str:
    """What a column is called."""
    return str(COLUMNS[name])


def percent_words(value: float) -> str:
    """A percentage as the reader writes it."""
    return number(tenths(value))


def heading_words(name: str) -> str:
    """What a column is called above it, with soft hyphens in words that would make it too wide."""
    called = column_words(name)
    for parted in _PARTED:
        called = called.replace(parted.replace("-", ""), parted.replace("-", "\u00ad"))
    return called


def folded(sheet: Sheet) -> tuple[str, ...]:
    """The columns that stand in the cell of another: of a sheet with so many that they would not fit on a screen."""
    return tuple(name for name in _FOLDED if name in sheet.columns) if len(sheet.columns) > _MANY else ()


def value_words(name: str, value: Any, zone: str) -> str:
    """A value as the reader writes it; a dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("few broadcasts: chance") if value else "–"
    if isinstance(value, datetime):
        return moment(value, zone, "short")
    if isinstance(value, date):
        return day_words(value, "month" if name == "month" else "date")
    if name == "hour":
        return f"{value:02d}:00"
    if isinstance(value, int | float):
        return number(value)
    return _named(name, str(value))


def _named(name: str, value: str) -> str:
    match name:
        case "status":
            return status_words(value)
        case "reason":
            return reason_words(value)
        case "channel":
            return CHANNELS[value].name if value in CHANNELS else value
        case "kind":
            return str(_KINDS.get(value, value))
        case "act":
            return _act_words(value)
        case "meaning":
            return str(MEANINGS[Outcome(value)]) if value in list(Outcome) else value
        case "word":
            return _("the list's word") if value == "list-word" else value
    return value


def _act_words(act: str) -> str:
    if act in ACTS:
        return str(ACTS[act])
    return str(EVENTS[EventType(act)]) if act in list(EventType) else act


def drawing_of(sheet: Sheet, zone: str) -> Drawing | None:
    """What is drawn of a sheet; None where a table says more, and of an empty one."""
    if not sheet.rows:
        return None
    match sheet.name:
        case "days" | "broadcasts" | "lists" | "channels":
            return _of_columns(sheet, _STACKED, zone, stack=True)
        case "growth":
            return _of_columns(sheet, ("joined", "left_list"), zone, stack=False)
        case "hours":
            return _of_columns(
                sheet, ("clicks_per_100", "answers_per_100", "left_per_100"), zone, stack=False
            )
        case "effects":
            return _of_columns(sheet, ("clicks", "answered", "left"), zone, stack=False)
    return None


def _of_columns(sheet: Sheet, names: tuple[str, ...], zone: str, *, stack: bool) -> Drawing | None:
    rows = sheet.rows[:_MOST_COLUMNS] if sheet.name == "broadcasts" else sheet.rows
    series = {name: [value or 0 for value in sheet.column(name)[: len(rows)]] for name in names}
    ends = [value_words(sheet.columns[0], row[0], zone) for row in (rows[0], rows[-1])]
    if sheet.name == "broadcasts":  # the sheet has the newest first, a chart the oldest
        series, ends = {name: values[::-1] for name, values in series.items()}, ends[::-1]
    if not any(map(any, series.values())):
        return None
    chart = stacked(series) if stack else beside(series)
    title = ", ".join(column_words(name) for name in names)
    return Drawing(chart, names, title, ends[0], ends[1] if len(rows) > 1 else "")
