"""How lists grew: by day or by month for one list, and as a line of the last 30 days for each."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from app.services.figures.sheets import Sheet, grown, make, window
from app.storage.database import db
from app.storage.models import ListDay

SPANS: Final = (30, 365)
"""Days: the first by day, the second by month."""


@dataclass(frozen=True)
class Line:
    """The last 30 days of a list: the number of people on each, as far as comings and leavings tell; and these."""

    people: tuple[int, ...]
    came: int
    left: int


def growth(list_id: int, days: int, *, now: datetime) -> Sheet:
    """Return who came and who left, the oldest first: by day for 30 days, by month for a year."""
    sheet = make("growth", window(days, now=now, list_id=list_id))
    if days <= SPANS[0]:
        return sheet
    came: Counter[date] = Counter()
    left: Counter[date] = Counter()
    people: dict[date, int] = {}
    for day, joined, gone, _, on_list, _ in sheet.rows:
        came[day.replace(day=1)] += joined
        left[day.replace(day=1)] += gone
        people[day.replace(day=1)] = on_list  # that of its last day stays
    rows = [grown(month, came[month], left[month], people[month]) for month in people]
    return Sheet("growth", ("month", *sheet.columns[1:]), rows)


def lines(counts: Mapping[int, int], *, now: datetime) -> dict[int, Line]:
    """Return the line of each list; `counts` says how many people are on it now."""
    today = now.date()
    first = today - timedelta(days=SPANS[0] - 1)
    changes: dict[int, Counter[tuple[date, str]]] = defaultdict(Counter)
    rows = select(ListDay.list_id, ListDay.day, ListDay.kind, func.sum(ListDay.people))
    chosen = rows.where(ListDay.day >= first).group_by(ListDay.list_id, ListDay.day, ListDay.kind)
    for list_id, day, kind, people in db.session.execute(chosen):
        changes[list_id][min(day, today), kind] += int(people)
    days = [first + timedelta(days=n) for n in range(SPANS[0])]
    return {list_id: _line(count, changes[list_id], days) for list_id, count in counts.items()}


def _line(now: int, changes: Counter[tuple[date, str]], days: list[date]) -> Line:
    """Go back from today: whoever came on a day was not there the day before."""
    people = [now]
    for day in reversed(days[1:]):
        people.append(max(0, people[-1] - changes[day, "joined"] + changes[day, "left"]))
    came, left = (sum(changes[day, kind] for day in days) for kind in ("joined", "left"))
    return Line(tuple(reversed(people)), came, left)
