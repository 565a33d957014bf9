"""Everything that went out and will: broadcasts, slots of the board, occurrences of rules; what stands against each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.domain.board import instant_of
from app.domain.policy.decisions import LONGEST_DAY, breaks_promise, on_the_clock, went_at
from app.domain.recurrence import RuleState, RunState, occurrences
from app.domain.statuses import BroadcastState
from app.services.broadcast_times import within_promise
from app.services.repeat_broadcasts import rule_of
from app.storage.database import db
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    RepeatRule,
    RepeatRun,
    SlotRun,
    SlotTime,
)

_MOMENT: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


class Kind(StrEnum):
    """Where an entry comes from: a broadcast; a slot of the board to come; an occurrence of a rule without one."""

    BROADCAST = "broadcast"
    SLOT = "slot"
    REPEAT = "repeat"


class Clash(StrEnum):
    """What stands against an entry: hours outside of those promised, or one more than a list promised for a day."""

    HOURS = "hours"
    PROMISE = "promise"


@dataclass(frozen=True)
class Entry:
    """One line of the calendar. `id` is the broadcast, the rule or the list that it leads to.

    `state` is that of the broadcast, `planned`, or what became of an occurrence; `problem` says why it was refused.
    `local_at` is its time on each person's own clock, where it goes by that; `at` is then when the first get it.
    `excused`: an editor gave a reason for going over the promise.
    """

    at: datetime
    kind: Kind
    id: int
    title: str
    state: str
    lists: tuple[BroadcastList, ...]
    problem: str | None = None
    excused: bool = False
    local_at: datetime | None = None
    clashes: tuple[tuple[Clash, str], ...] = ()

    @property
    def goes(self) -> bool:
        """Whether it counts as a message to its people: not what was stopped, left out, missed or refused."""
        return self.state in _GOING


PLANNED: Final = "planned"
_SHOWN: Final = (
    BroadcastState.SCHEDULED,
    BroadcastState.SENDING,
    BroadcastState.PAUSED,
    BroadcastState.FINISHED,
    BroadcastState.EXPIRED,
)
_GOING: Final = (PLANNED, *_SHOWN[:4])


def entries(since: datetime, until: datetime, *, now: datetime, list_id: int | None = None) -> list[Entry]:
    """Return what went out and will between two instants, in its order; with `list_id` what goes to that list."""
    session = db.session()
    wide = (since - LONGEST_DAY, until + LONGEST_DAY)
    found = [
        *_broadcasts(session, *wide),
        *_slots(session, *wide, now),
        *_planned(session, *wide, now),
        *_came_to_nothing(session, *wide),
    ]
    found.sort(key=lambda one: (one.at, one.kind, one.id))
    inside = [one for one in found if since <= one.at < until]
    wanted = [one for one in inside if list_id is None or list_id in [row.id for row in one.lists]]
    return [
        replace(one, clashes=_clashes(one, found)) if one.at > now and one.goes else one for one in wanted
    ]


def _broadcasts(session: Session, since: datetime, until: datetime) -> Iterator[Entry]:
    moment = func.coalesce(Broadcast.started_at, Broadcast.next_at)
    rows = session.scalars(
        select(Broadcast).where(
            moment >= since,
            moment < until,
            Broadcast.tests_id.is_(None),
            or_(
                Broadcast.state.in_([state.value for state in _SHOWN]),
                (Broadcast.state == BroadcastState.CANCELED.value) & Broadcast.started_at.is_not(None),
            ),
        )
    ).all()
    lists = _lists_of(session, [row.id for row in rows])
    for row in rows:
        at = went_at(row.next_at, row.started_at)
        if at is not None:
            excused = row.over_cap_reason is not None
            yield Entry(
                at,
                Kind.BROADCAST,
                row.id,
                row.title,
                row.state,
                lists.get(row.id, ()),
                None,
                excused,
                row.local_at,
            )


def _slots(session: Session, since: datetime, until: datetime, now: datetime) -> Iterator[Entry]:
    """The slots to come; those that were filled are broadcasts."""
    rows = session.execute(
        select(BroadcastList, SlotTime.minute)
        .join(SlotTime, SlotTime.list_id == BroadcastList.id)
        .where(BroadcastList.archived_at.is_(None))
    ).all()
    done = {
        (list_id, at)
        for list_id, at in session.execute(
            select(SlotRun.list_id, SlotRun.slot_at).where(SlotRun.slot_at >= now - _DAY)
        )
    }
    for row, minute in rows:
        zone = ZoneInfo(row.zone)
        for day in _days(max(since, now).astimezone(zone).date(), until.astimezone(zone).date()):
            at = instant_of(day, minute, zone)
            if max(since, now) < at < until and (row.id, at) not in done:
                yield Entry(at, Kind.SLOT, row.id, "", PLANNED, (row,))


def _planned(session: Session, since: datetime, until: datetime, now: datetime) -> Iterator[Entry]:
    """The occurrences of active rules that nobody has looked at."""
    rules = session.execute(
        select(RepeatRule, Broadcast.title)
        .join(Broadcast, Broadcast.id == RepeatRule.template_id)
        .where(
            RepeatRule.state == RuleState.ACTIVE.value,
            RepeatRule.next_at.is_not(None),
            RepeatRule.next_at < until,
        )
    ).all()
    lists = _lists_of(session, [row.template_id for row, _ in rules])
    runs = select(RepeatRun.rule_id, RepeatRun.occurs_at).where(RepeatRun.occurs_at >= now)
    looked_at = {(rule_id, at) for rule_id, at in session.execute(runs)}
    for row, title in rules:
        rule = rule_of(row)
        coming = occurrences(rule, max(since, now) - _MOMENT)
        for one in takewhile(lambda one: one.at < until, coming):
            if one.at > now and (row.id, one.at) not in looked_at:
                local_at = one.wall if rule.own_clocks else None
                theirs = lists.get(row.template_id, ())
                yield Entry(one.at, Kind.REPEAT, row.id, title, PLANNED, theirs, local_at=local_at)


def _came_to_nothing(session: Session, since: datetime, until: datetime) -> Iterator[Entry]:
    """Occurrences that were refused, missed or left out."""
    rows = session.execute(
        select(RepeatRun, RepeatRule.template_id, Broadcast.title)
        .join(RepeatRule, RepeatRule.id == RepeatRun.rule_id)
        .join(Broadcast, Broadcast.id == RepeatRule.template_id)
        .where(
            RepeatRun.occurs_at >= since, RepeatRun.occurs_at < until, RepeatRun.state != RunState.MADE.value
        )
    ).all()
    lists = _lists_of(session, [template_id for _, template_id, _ in rows])
    for run, template_id, title in rows:
        theirs = lists.get(template_id, ())
        yield Entry(run.occurs_at, Kind.REPEAT, run.rule_id, title, run.state, theirs, run.problem)


def _clashes(entry: Entry, others: Sequence[Entry]) -> tuple[tuple[Clash, str], ...]:
    """What stands against an entry, each with the name of the list."""
    found = []
    for one in entry.lists:
        if not _promised(one, entry):
            found.append((Clash.HOURS, one.name))
        moments = [
            on_the_clock(other.at, one.zone)
            for other in others
            if other is not entry
            and other.goes
            and abs(other.at - entry.at) < LONGEST_DAY
            and one.id in [row.id for row in other.lists]
        ]
        if not entry.excused and breaks_promise(moments, on_the_clock(entry.at, one.zone), one.max_per_day):
            found.append((Clash.PROMISE, one.name))
    return tuple(found)


def _promised(one: BroadcastList, entry: Entry) -> bool:
    if entry.local_at is not None:
        return one.from_hour <= entry.local_at.hour < one.until_hour
    return within_promise([one], entry.at)


def _lists_of(session: Session, broadcast_ids: Sequence[int]) -> dict[int, tuple[BroadcastList, ...]]:
    found: dict[int, tuple[BroadcastList, ...]] = {}
    rows = session.execute(
        select(BroadcastTarget.broadcast_id, BroadcastList)
        .join(BroadcastList, BroadcastList.id == BroadcastTarget.list_id)
        .where(BroadcastTarget.broadcast_id.in_(broadcast_ids))
        .order_by(BroadcastList.name)
    )
    for broadcast_id, row in rows:
        found[broadcast_id] = (*found.get(broadcast_id, ()), row)
    return found


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += _DAY
