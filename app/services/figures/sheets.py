"""The sheets of the reports: columns and rows, the same on a page, as CSV and as JSON."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.keywords import Outcome
from app.domain.keywords.languages import KINDS
from app.domain.spreadsheets import csv_line
from app.services.controller import Refused
from app.services.figures import read, word_costs
from app.services.figures.read import Told
from app.services.figures.sums import Sums, tenths, total
from app.storage import headcounts
from app.storage.database import db
from app.storage.models import BroadcastList, ListDay, Sender, WordDay

DAYS: Final = (7, 30, 90, 365)
LONGEST: Final = 3660
FEW: Final = 5
"""Fewer broadcasts than these at an hour say nothing about the hour."""

_FIGURES: Final = (
    "audience",
    "sent_to",
    "delivered",
    "delivered_percent",
    "read",
    "open",
    "failed",
    "unknown",
    "skipped",
    "left",
    "answered",
    "clicks",
    "parts",
    "cost",
)
_OF_SENDERS: Final = tuple(
    one for one in _FIGURES if one not in ("audience", "skipped", "left", "answered", "clicks")
)


@dataclass(frozen=True)
class Window:
    """Which broadcasts a sheet is about: those of the last `days` days, today included, to one list or to all.

    Days are those in `zone`. `zones` has the zone of each list.
    """

    days: int
    today: date
    zone: str
    list_id: int | None = None

    @property
    def first(self) -> date:
        """The first day."""
        return self.today - timedelta(days=self.days - 1)

    @property
    def since(self) -> datetime:
        """The beginning of the first day."""
        return datetime.combine(self.first, time(), ZoneInfo(self.zone))

    @property
    def until(self) -> datetime:
        """The end of today."""
        return datetime.combine(self.today + timedelta(days=1), time(), ZoneInfo(self.zone))

    def all_days(self) -> list[date]:
        """Every day, the first first."""
        return [self.first + timedelta(days=n) for n in range(self.days)]


@dataclass(frozen=True)
class Sheet:
    """A table: names of columns, and rows of as many values; `ids` are those of the rows' broadcasts."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    ids: tuple[int, ...] = ()

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rows by name, for programs."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]

    def as_csv(self) -> Iterator[str]:
        """Yield the lines of a CSV file for spreadsheets; no cell of it is calculated."""
        yield "\ufeff" + csv_line(self.columns)  # the mark by which spreadsheets know UTF-8
        for row in self.rows:
            yield csv_line(row)


def window(days: int, *, now: datetime, list_id: int | None = None) -> Window:
    """Return the window of the last `days` days, in the zone of the list, or of the house. Raises `Refused`."""
    if not 1 <= days <= LONGEST:
        raise Refused(f"A report is about 1 to {LONGEST} days, not {days}.")
    chosen = select(BroadcastList.zone).order_by(BroadcastList.is_default.desc(), BroadcastList.id)
    if list_id is not None:
        chosen = chosen.where(BroadcastList.id == list_id)
    zone = db.session.scalar(chosen.limit(1)) or "UTC"
    return Window(days, now.astimezone(ZoneInfo(zone)).date(), zone, list_id)


def make(name: str, chosen: Window) -> Sheet:
    """Return a sheet by its name. Raises `Refused` for a name that is none."""
    maker = SHEETS.get(name)
    if maker is None:
        raise Refused(f"There is no report “{name}”. There are: {', '.join(SHEETS)}.")
    return maker(db.session(), chosen)


def _told(session: Session, chosen: Window) -> list[Told]:
    return read.broadcasts(session, since=chosen.since, until=chosen.until, list_id=chosen.list_id)


def _broadcasts(session: Session, chosen: Window) -> Sheet:
    names = _list_names(session)
    found = _told(session, chosen)
    rows = [
        (
            one.title,
            ", ".join(names.get(list_id, "") for list_id in one.list_ids),
            one.started_at.astimezone(ZoneInfo(chosen.zone)),
            *_figures(one.sums, _FIGURES),
        )
        for one in found
    ]
    columns = ("broadcast", "lists", "began", *_FIGURES)
    return Sheet("broadcasts", columns, rows, tuple(one.id for one in found))


def _days(session: Session, chosen: Window) -> Sheet:
    zone = ZoneInfo(chosen.zone)
    sums = _grouped(_told(session, chosen), lambda one: [one.started_at.astimezone(zone).date()])
    columns = ("day", "broadcasts", *_FIGURES)
    rows = [_summed(day, sums.get(day, Sums()), ("broadcasts", *_FIGURES)) for day in chosen.all_days()]
    return Sheet("days", columns, rows)


def _lists(session: Session, chosen: Window) -> Sheet:
    """A broadcast to several lists counts in each of them, whole: a delivery goes to a person, not to a list."""
    names = _list_names(session)
    sums = _grouped(_told(session, chosen), lambda one: one.list_ids)
    only = [list_id for list_id in sums if chosen.list_id in (None, list_id)]
    rows = [
        _summed(names.get(one, ""), sums[one], ("broadcasts", *_FIGURES))
        for one in sorted(only, key=lambda one: names.get(one, ""))
    ]
    return Sheet("lists", ("list", "broadcasts", *_FIGURES), rows)


def _channels(session: Session, chosen: Window) -> Sheet:
    senders = {row.id: row for row in session.scalars(select(Sender))}
    sums: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for one in _told(session, chosen):
        for sender_id, theirs in one.by_sender.items():
            sender = senders.get(sender_id)
            key = (sender.channel, sender.name) if sender else ("", "")
            sums[key] = sums[key] + theirs
    rows = [(*key, *_figures(sums[key], _OF_SENDERS)) for key in sorted(sums) if sums[key].sent_to]
    return Sheet("channels", ("channel", "sender", *_OF_SENDERS), rows)


def _failures(session: Session, chosen: Window) -> Sheet:
    counts: Counter[tuple[str, str]] = Counter()
    for one in _told(session, chosen):
        counts.update(one.reasons)
    rows = [(status, reason, people) for (status, reason), people in counts.most_common()]
    return Sheet("failures", ("status", "reason", "people"), rows)


def _growth(session: Session, chosen: Window) -> Sheet:
    """Go back from today: how many were on the lists follows from how many are, as far as comings and leavings tell."""
    counts: Counter[tuple[date, str]] = Counter()
    for row in session.execute(_list_days(chosen, ListDay.day, ListDay.kind)):
        counts[row[0], row[1]] += int(row[2])
    now = headcounts.by_list(session)
    people = sum(now.values()) if chosen.list_id is None else now.get(chosen.list_id, 0)
    rows = []
    for day in reversed(chosen.all_days()):
        rows.append(grown(day, counts[day, "joined"], counts[day, "left"], people))
        people = max(0, people - counts[day, "joined"] + counts[day, "left"])
    return Sheet("growth", ("day", "joined", "left_list", "net", "on_list", "left_percent"), rows[::-1])


def grown(when: date, joined: int, left: int, people: int) -> tuple[Any, ...]:
    """Return a row of growth; `people` are there at its end, and who left is a share of those at its beginning."""
    before = max(0, people - joined + left)
    return when, joined, left, joined - left, people, _rounded(100 * left / before) if before else None


def _sources(session: Session, chosen: Window) -> Sheet:
    found = session.execute(_list_days(chosen, ListDay.kind, ListDay.channel, ListDay.act, ListDay.tag))
    rows = sorted(((*row[:4], int(row[4])) for row in found), key=lambda row: (row[0], -row[4], row))
    return Sheet("sources", ("kind", "channel", "act", "tag", "people"), rows)


def _list_days(chosen: Window, *by: Any) -> Any:
    query = select(*by, func.sum(ListDay.people)).where(
        ListDay.day >= chosen.first, ListDay.day <= chosen.today
    )
    if chosen.list_id is not None:
        query = query.where(ListDay.list_id == chosen.list_id)
    return query.group_by(*by)


def _hours(session: Session, chosen: Window) -> Sheet:
    """By the hour at which broadcasts began: what came of each hundred deliveries."""
    zone = ZoneInfo(chosen.zone)
    sums = _grouped(_told(session, chosen), lambda one: [one.started_at.astimezone(zone).hour])
    names = ("broadcasts", "delivered", "clicks", "answered", "left")
    rows = [
        (
            hour,
            *(getattr(sums[hour], name) for name in names),
            *(_rounded(sums[hour].share(name, "delivered")) for name in ("clicks", "answered", "left")),
            sums[hour].broadcasts < FEW,
        )
        for hour in sorted(sums)
    ]
    rates = ("clicks_per_100", "answers_per_100", "left_per_100")
    return Sheet("hours", ("hour", *names, *rates, "few"), rows)


def _words(session: Session, chosen: Window) -> Sheet:
    """What people texted, as it was read; the word of a list counts with who came to the list by texting it."""
    query = select(WordDay.outcome, WordDay.rule, func.sum(WordDay.texts)).where(
        WordDay.day >= chosen.first, WordDay.day <= chosen.today
    )
    if chosen.list_id is not None:
        sender = select(BroadcastList.sender_id).where(BroadcastList.id == chosen.list_id)
        query = query.where(WordDay.sender_id == sender.scalar_subquery())
    counts: Counter[tuple[str, str]] = Counter()
    for outcome, rule, texts in session.execute(query.group_by(WordDay.outcome, WordDay.rule)):
        counts[outcome, _word_of(outcome, rule)] += int(texts)
    rows = [(outcome, word, texts) for (outcome, word), texts in counts.most_common()]
    return Sheet("words", ("meaning", "word", "texts"), rows)


def _costs(session: Session, chosen: Window) -> Sheet:
    return Sheet("costs", word_costs.COLUMNS, word_costs.rows(session, _told(session, chosen)))


def _word_of(outcome: str, rule: str) -> str:
    """`en.stop:unsubscribe` is the word “unsubscribe”; no command has none, nor has a sentence (`en.ask:37`).

    `en.stop:stop+all:everything` is STOP everything, `en.stop:stop+list` STOP and a list's word: the word is “stop”.
    """
    kind = rule.partition(":")[0].partition(".")[2]
    if outcome in (Outcome.NONE, Outcome.REVIEW) or kind in KINDS:
        return ""
    return rule.partition("+")[0].rpartition(":")[2]


SHEETS: Final[Mapping[str, Callable[[Session, Window], Sheet]]] = {
    "broadcasts": _broadcasts,
    "days": _days,
    "lists": _lists,
    "channels": _channels,
    "failures": _failures,
    "growth": _growth,
    "sources": _sources,
    "hours": _hours,
    "words": _words,
    "costs": _costs,
}


def _grouped(found: Iterable[Told], keys: Callable[[Told], Iterable[Any]]) -> dict[Any, Sums]:
    groups: dict[Hashable, list[Sums]] = defaultdict(list)
    for one in found:
        for key in keys(one):
            groups[key].append(one.sums)
    return {key: total(sums) for key, sums in groups.items()}


def _summed(head: Any, sums: Sums, names: Sequence[str]) -> tuple[Any, ...]:
    return (head, *_figures(sums, names))


def _figures(sums: Sums, names: Sequence[str]) -> tuple[Any, ...]:
    special = {
        "delivered_percent": _rounded(sums.share("delivered", "receipted")),
        "read": sums.read if sums.tells else None,  # nobody knows, which is not nobody
        "cost": sums.money,
    }
    return tuple(special[name] if name in special else getattr(sums, name) for name in names)


def _rounded(value: float | None) -> float | None:
    return None if value is None else tenths(value)


def _list_names(session: Session) -> Mapping[int, str]:
    return {one: name for one, name in session.execute(select(BroadcastList.id, BroadcastList.name))}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
