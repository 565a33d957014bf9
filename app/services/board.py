"""The day's board of a list: what each slot took or would take, the queue, and breaking stories that wait for a yes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.board import Story, StoryState, foresee, instant_of, read_minute
from app.services.audit import note
from app.services.controller import NotFound, Refused
from app.services.schedule_broadcasts import schedule_in
from app.services.stories import as_story, end_with, open_story, queue_of, writer_of_story
from app.services.write_drafts import draft_in
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, SlotRun, SlotTime, StoryRow

MAX_SLOTS: Final = 12
MAX_REASON: Final = 300


@dataclass(frozen=True)
class SlotView:
    """One slot of the day. `run` is what it took, None while it is to come; `next` what it would take then."""

    at: datetime
    run: SlotRun | None
    taken: StoryRow | None
    next: Story | None


@dataclass(frozen=True)
class Board:
    """Everything on one page: the slots of `day`, and the queue in its order."""

    list: BroadcastList
    day: date
    slots: Sequence[SlotView]
    minutes: Sequence[int]
    queue: Sequence[StoryRow]

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the list's day passes."""
        return ZoneInfo(self.list.zone)


def board_of(list_id: int, *, now: datetime) -> Board:
    """Return the board of today in the list's zone. Raises `NotFound`."""
    session = db.session()
    row = session.get(BroadcastList, list_id)
    if row is None:
        raise NotFound(f"There is no list number {list_id}.")
    zone = ZoneInfo(row.zone)
    day = now.astimezone(zone).date()
    minutes = minutes_of(session, list_id)
    moments = sorted(instant_of(day, minute, zone) for minute in minutes)
    runs = {
        run.slot_at: run
        for run in session.scalars(
            select(SlotRun).where(SlotRun.list_id == list_id, SlotRun.slot_at.in_(moments))
        )
    }
    queue = queue_of(session, list_id)
    to_come = [at for at in moments if at not in runs and at > now - timedelta(minutes=1)]
    ready = [one for one in queue if one.approved_by is not None or not row.approval]
    nexts = dict(zip(to_come, foresee([as_story(one) for one in ready], to_come), strict=True))
    return Board(
        row, day, [_view(session, at, runs.get(at), nexts.get(at)) for at in moments], minutes, queue
    )


def _view(session: Session, at: datetime, run: SlotRun | None, story: Story | None) -> SlotView:
    taken = session.get(StoryRow, run.story_id) if run is not None and run.story_id is not None else None
    return SlotView(at, run, taken, story)


def minutes_of(session: Session, list_id: int) -> Sequence[int]:
    """Return the slots of a list as minutes of the day."""
    rows = select(SlotTime.minute).where(SlotTime.list_id == list_id).order_by(SlotTime.minute)
    return session.scalars(rows).all()


def set_slots(list_id: int, times: Sequence[str], *, by: str, now: datetime) -> list[int]:
    """Give a list its slots, such as 07:30, 12:30 and 18:00; none takes them all away.

    Raises `BadSlot` for what is no time of day, `Refused` for one outside the promised hours or more than promised.
    """
    minutes = sorted({read_minute(one) for one in times})
    with transaction() as session:
        row = session.get(BroadcastList, list_id, with_for_update=True)
        if row is None:
            raise NotFound(f"There is no list number {list_id}.")
        outside = [one for one in minutes if not row.from_hour * 60 <= one < row.until_hour * 60]
        if outside:
            raise Refused(
                f"“{row.name}” promised messages between {row.from_hour} and {row.until_hour} h only."
            )
        if len(minutes) > min(row.max_per_day, MAX_SLOTS):
            raise Refused(f"“{row.name}” promised at most {row.max_per_day} messages a day.")
        session.execute(delete(SlotTime).where(SlotTime.list_id == list_id))
        session.add_all(SlotTime(list_id=list_id, minute=minute) for minute in minutes)
        note(session, by, "list.slots", f"list {list_id}", now, minutes=minutes)
        return minutes


def ask_to_break(story_id: int, reason: str, *, by: str, now: datetime) -> None:
    """Ask a second person to let a story go at once, over the promise if need be. Raises `Refused` without a reason."""
    words = reason.strip()
    if not 1 <= len(words) <= MAX_REASON:
        raise Refused(
            f"Say in 1 to {MAX_REASON} characters why this cannot wait; whoever is to let it go reads it."
        )
    with transaction() as session:
        row = open_story(session, story_id)
        _refuse_if_over(row, now)
        row.breaking_reason, row.breaking_by, row.updated_at = words, by, now
        note(session, by, "story.breaking", f"story {story_id}", now, reason=words)


def let_break(story_id: int, *, revision: int, by: str, now: datetime) -> int:
    """Send a breaking story now; returns the broadcast.

    Raises `Refused` for whoever asked for it, and for its writer where the list asks for a second person and none has
    said yes; for words that were changed since, for a story whose end has passed, and for what scheduling refuses.
    """
    with transaction() as session:
        row = open_story(session, story_id)
        if row.breaking_reason is None:
            raise Refused("Nobody has asked to send this story at once.")
        if row.breaking_by == by:
            raise Refused("A second person must say yes; you asked for it yourself.")
        if row.revision != revision:
            raise Refused("This story was changed since you read it. Read it again.")
        _refuse_if_over(row, now)
        approved_by = row.approved_by or by
        for_list = session.get_one(BroadcastList, row.list_id)
        if for_list.approval and approved_by == writer_of_story(row):
            raise Refused("You wrote this, or asked for the yes yourself: a second person must give it.")
        broadcast_id = draft_in(
            session, title=row.title, text=row.text, list_ids=[row.list_id], by=row.created_by, now=now
        )
        reason = row.breaking_reason
        broadcast = session.get_one(Broadcast, broadcast_id)
        broadcast.approved_by = approved_by
        schedule_in(
            session, broadcast_id, at=None, zone=for_list.zone, by=by, now=now, over_cap_reason=reason
        )
        end_with(broadcast, row)
        row.state, row.broadcast_id, row.updated_at = StoryState.TAKEN.value, broadcast_id, now
        note(session, by, "story.broke", f"story {story_id}", now, broadcast=broadcast_id, reason=reason)
        return broadcast_id


def _refuse_if_over(row: StoryRow, now: datetime) -> None:
    if row.until is not None and row.until <= now:
        raise Refused("This story is of no use any more: its end has passed.")
