"""When a slot's time has come, its list's top story goes out as a broadcast; an empty queue sends nothing."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.board import StoryState, due_slots, top_story
from app.services.audit import note
from app.services.controller import Refused
from app.services.schedule_broadcasts import schedule_in
from app.services.stories import as_story, end_with, open_story, queue_of
from app.services.write_drafts import draft_in
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, SlotRun, SlotTime, StoryRow

SYSTEM = "system:slot"


@dataclass(frozen=True)
class Filled:
    """A slot that has come: the broadcast that its story became, or why there is none."""

    list_id: int
    slot_at: datetime
    story_id: int | None
    broadcast_id: int | None
    problem: str | None


def fill_slots(now: datetime) -> list[Filled]:
    """Fill every slot whose time has come, once, however many clocks run."""
    return [filled for list_id, at in _due(now) if (filled := _fill(list_id, at, now)) is not None]


def _due(now: datetime) -> list[tuple[int, datetime]]:
    session = db.session()
    minutes: dict[BroadcastList, list[int]] = {}
    for row, minute in session.execute(
        select(BroadcastList, SlotTime.minute)
        .join(SlotTime, SlotTime.list_id == BroadcastList.id)
        .where(BroadcastList.archived_at.is_(None))
    ):
        minutes.setdefault(row, []).append(minute)
    due = [(row.id, at) for row, own in minutes.items() for at in due_slots(own, ZoneInfo(row.zone), now)]
    done = {
        (list_id, at)
        for list_id, at in session.execute(
            select(SlotRun.list_id, SlotRun.slot_at).where(SlotRun.slot_at.in_([at for _, at in due]))
        )
    }
    session.rollback()
    return [one for one in due if one not in done]


def _fill(list_id: int, at: datetime, now: datetime) -> Filled | None:
    """Take the top story and schedule it, in one transaction. The slot is marked first: of two clocks one goes on."""
    try:
        with transaction() as session:
            run = SlotRun(list_id=list_id, slot_at=at, at=now)
            session.add(run)
            session.flush()
            story = _top(session, list_id, at, now)
            if story is not None:
                _send(session, story, run, now)
            else:
                run.problem = _why_none(session, list_id)
            return Filled(list_id, at, run.story_id, run.broadcast_id, run.problem)
    except IntegrityError:
        return None


def _send(session: Session, story: StoryRow, run: SlotRun, now: datetime) -> None:
    """Make the story a broadcast that goes out now; one that may not stays in the queue, and the board says why."""
    run.story_id = story.id
    try:
        with session.begin_nested():
            run.broadcast_id = story.broadcast_id = draft_in(
                session,
                title=story.title,
                text=story.text,
                list_ids=[story.list_id],
                by=story.created_by,
                now=now,
            )
            broadcast = session.get_one(Broadcast, story.broadcast_id)
            broadcast.approved_by = story.approved_by
            story.state, story.updated_at = StoryState.TAKEN.value, now
            zone = session.get_one(BroadcastList, story.list_id).zone
            schedule_in(session, story.broadcast_id, at=None, zone=zone, by=SYSTEM, now=now)
            end_with(broadcast, story)
            note(session, SYSTEM, "story.sent", f"story {story.id}", now, broadcast=story.broadcast_id)
    except Refused as error:
        run.problem = str(error)


def _top(session: Session, list_id: int, at: datetime, now: datetime) -> StoryRow | None:
    session.execute(
        update(StoryRow)
        .where(
            StoryRow.list_id == list_id,
            StoryRow.state == StoryState.QUEUED.value,
            StoryRow.until.is_not(None),
            StoryRow.until <= at,
        )
        .values(state=StoryState.EXPIRED.value, updated_at=now)
    )
    queue = queue_of(session, list_id)
    if session.get_one(BroadcastList, list_id).approval:
        queue = [row for row in queue if row.approved_by is not None]
    top = top_story([as_story(row) for row in queue], at)
    return open_story(session, top.id) if top is not None else None


def _why_none(session: Session, list_id: int) -> str | None:
    """Say why the slot took none of the stories that waited; None when the queue was empty."""
    queue = queue_of(session, list_id)
    held = [row for row in queue if row.state == StoryState.HELD.value]
    if not queue:
        return None
    if len(held) == len(queue):
        return "Stories waited, but they were held."
    if not held:
        return "Stories waited, but no second person had said yes to them."
    return "Stories waited, but they were held, or no second person had said yes to them."
