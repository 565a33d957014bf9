"""Live tickers: events that are lists of their own, with a word, a promise and an end; make them, show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.keywords import squeeze
from app.domain.statuses import BroadcastState
from app.services.controller import Controller, NotFound, Refused
from app.services.list_checks import MAX_PER_DAY
from app.services.manage_lists import add_list
from app.services.reports import Tally, list_counts, tally
from app.services.write_drafts import check_words
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, Sender, Ticker, TickerMessage

FRESH_MINUTES: Final = 10
MOST_MESSAGES: Final = 500
MOST_MINUTES: Final = 120
MOST_DAYS: Final = 365
LONGEST: Final = timedelta(days=60)
SHOWN: Final = 20
# Kept with the list where another list keeps why it may be sent to at night.
_HOURS_AGREED: Final = "live event: people agreed to its hours when they joined"


class Stage(StrEnum):
    """Where an event is. People may join before it begins and while it is on."""

    BEFORE = "before"
    ON = "on"
    CLOSING = "closing"
    ENDED = "ended"


@dataclass(frozen=True)
class Plan:
    """A new event. Hours are those of `zone`; `most` messages, each of use for `fresh_minutes`.

    `farewell` are the last words, said by themselves before the end, or "". Whoever is on no other list is erased
    `erase_after_days` after it.
    """

    name: str
    keyword: str
    purpose: str
    language: str
    begins_at: datetime
    ends_at: datetime
    zone: str
    sender_id: int
    most: int
    from_hour: int = 0
    until_hour: int = 24
    fresh_minutes: int = FRESH_MINUTES
    erase_after_days: int = 30
    farewell: str = ""


@dataclass(frozen=True)
class TickerRow:
    """What is shown of an event; `sent` of its `most` messages are out, `people` are on its list."""

    id: int
    name: str
    keyword: str
    sender: str
    zone: str
    begins_at: datetime
    ends_at: datetime
    closes_at: datetime
    most: int
    sent: int
    fresh_minutes: int
    erase_after_days: int
    farewell: str
    people: int
    stage: Stage


@dataclass(frozen=True)
class Said:
    """One message of an event, with what became of it so far; `corrects` names the one that it puts right."""

    broadcast_id: int
    text: str
    state: BroadcastState
    at: datetime | None
    corrects: int | None
    tally: Tally


def create(plan: Plan, *, by: str, controller: Controller, now: datetime) -> int:
    """Make an event and its list with notices in English and German; returns the id that both share.

    Raises `Refused` for what cannot be, `Conflict` for a name or keyword in use, `NotFound` for an unknown sender.
    """
    _check(plan, now)
    with transaction() as session:
        row = BroadcastList(
            name=plan.name.strip(),
            keyword=squeeze(plan.keyword),
            purpose=plan.purpose.strip(),
            language=plan.language,
            max_per_day=min(plan.most, MAX_PER_DAY),
            from_hour=plan.from_hour,
            until_hour=plan.until_hour,
            zone=plan.zone,
            sender_id=plan.sender_id,
            any_hour_reason=_HOURS_AGREED,
            most=plan.most,
            ends_at=plan.ends_at,
            erase_after_days=plan.erase_after_days,
            is_default=False,
            created_at=now,
        )
        list_id = add_list(session, row, plan.keyword, by=by, controller=controller, now=now)
        row.is_default = False  # a bare START is no wish to be told of one evening
        session.add(
            Ticker(
                list_id=list_id,
                begins_at=plan.begins_at,
                closes_at=plan.ends_at,
                fresh_minutes=plan.fresh_minutes,
                farewell=plan.farewell.strip() or None,
            )
        )
        return list_id


def list_tickers(*, now: datetime, ended: bool = False) -> list[TickerRow]:
    """Return the events by their end; with `ended` those that are over, too."""
    rows = _rows(db.session(), now)
    return [row for row in rows if ended or row.stage is not Stage.ENDED]


def ticker(list_id: int, *, now: datetime) -> TickerRow:
    """Return one event; raises `NotFound`."""
    found = [row for row in _rows(db.session(), now) if row.id == list_id]
    if not found:
        raise NotFound(f"There is no live event {list_id}.")
    return found[0]


def named(name: str) -> int:
    """Return the id of the event with this name or keyword; raises `NotFound` naming those that exist."""
    rows = db.session.execute(
        select(BroadcastList.id, BroadcastList.name, BroadcastList.keyword)
        .join(Ticker, Ticker.list_id == BroadcastList.id)
        .order_by(BroadcastList.name)
    ).all()
    for list_id, its_name, keyword in rows:
        if name.strip().casefold() == its_name.casefold() or squeeze(name) == keyword:
            return int(list_id)
    there = ", ".join(f"“{row.name}”" for row in rows) or "none yet; make one with: tidings tickers create"
    raise NotFound(f"There is no live event “{name}”. Events: {there}.")


def messages(list_id: int, *, limit: int = SHOWN) -> list[Said]:
    """Return the last messages of an event, the newest first."""
    rows = db.session.scalars(
        select(Broadcast)
        .join(TickerMessage, TickerMessage.broadcast_id == Broadcast.id)
        .where(TickerMessage.list_id == list_id)
        .order_by(Broadcast.id.desc())
        .limit(limit)
    ).all()
    return [_said(row) for row in rows]


def sent_of(session: Session, list_ids: Sequence[int]) -> dict[int, int]:
    """Count the messages of events; corrections count for none, for nobody was promised that what is wrong stays."""
    rows = session.execute(
        select(TickerMessage.list_id, func.count())
        .join(Broadcast, Broadcast.id == TickerMessage.broadcast_id)
        .where(TickerMessage.list_id.in_(list_ids), Broadcast.corrects_id.is_(None))
        .group_by(TickerMessage.list_id)
    )
    return {list_id: count for list_id, count in rows}


def stage_of(row: Ticker, now: datetime) -> Stage:
    """Return where an event is."""
    if row.ended_at is not None:
        return Stage.ENDED
    if row.farewell_id is not None or row.closes_at <= now:
        return Stage.CLOSING
    return Stage.ON if row.begins_at <= now else Stage.BEFORE


def _check(plan: Plan, now: datetime) -> None:
    try:
        ZoneInfo(plan.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(f"There is no time zone “{plan.zone}”. Example: Europe/Berlin") from error
    if plan.ends_at <= now:
        raise Refused("This end is in the past. Choose a later one.")
    if not timedelta(0) < plan.ends_at - plan.begins_at <= LONGEST:
        raise Refused(f"An event ends after it begins, and within {LONGEST.days} days.")
    if not 1 <= plan.most <= MOST_MESSAGES:
        raise Refused(f"An event promises 1 to {MOST_MESSAGES} messages, not {plan.most}.")
    if not 1 <= plan.fresh_minutes <= MOST_MINUTES:
        raise Refused(f"A message is of use for 1 to {MOST_MINUTES} minutes, not {plan.fresh_minutes}.")
    if not 1 <= plan.erase_after_days <= MOST_DAYS:
        raise Refused(f"People are erased 1 to {MOST_DAYS} days later, not {plan.erase_after_days}.")
    if plan.farewell.strip():
        check_words("farewell", plan.farewell)


def _rows(session: Session, now: datetime) -> list[TickerRow]:
    found = session.execute(
        select(Ticker, BroadcastList, Sender.name)
        .join(BroadcastList, BroadcastList.id == Ticker.list_id)
        .join(Sender, Sender.id == BroadcastList.sender_id)
        .order_by(Ticker.closes_at, Ticker.list_id)
    ).all()
    counts, sent = list_counts(), sent_of(session, [row.list_id for row, _, _ in found])
    return [
        TickerRow(
            row.list_id,
            its.name,
            its.keyword,
            sender,
            its.zone,
            row.begins_at,
            its.ends_at or row.closes_at,
            row.closes_at,
            its.most or 0,
            sent.get(row.list_id, 0),
            row.fresh_minutes,
            its.erase_after_days or 0,
            row.farewell or "",
            counts.get(row.list_id, 0),
            stage_of(row, now),
        )
        for row, its, sender in found
    ]


def _said(row: Broadcast) -> Said:
    return Said(
        row.id,
        row.text,
        BroadcastState(row.state),
        row.started_at or row.next_at,
        row.corrects_id,
        tally(row.id),
    )
