"""The story queue: editors add, change, rank, hold and drop stories; nothing here sends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain.board import Story, StoryState
from app.services.audit import note
from app.services.controller import Conflict, NotFound, Refused
from app.services.write_drafts import check_words
from app.storage.database import transaction
from app.storage.models import Broadcast, BroadcastList, StoryRow

_OPEN: Final = (StoryState.QUEUED.value, StoryState.HELD.value)


def add_story(
    list_id: int, *, title: str, text: str, until: datetime | None = None, by: str, now: datetime
) -> int:
    """Put a story at the end of a list's queue; returns its id. Raises `Refused`, `NotFound`."""
    with transaction() as session:
        return add_story_in(session, list_id, title=title, text=text, until=until, by=by, now=now)


def add_story_in(
    session: Session,
    list_id: int,
    *,
    title: str,
    text: str,
    until: datetime | None = None,
    by: str,
    now: datetime,
) -> int:
    """Do what `add_story` does within the caller's transaction."""
    _check(title, text, until, now)
    if session.get(BroadcastList, list_id) is None:
        raise NotFound(f"There is no list number {list_id}.")
    last = select(func.max(StoryRow.rank)).where(StoryRow.list_id == list_id, StoryRow.state.in_(_OPEN))
    row = StoryRow(
        list_id=list_id,
        title=title.strip(),
        text=text.strip(),
        state=StoryState.QUEUED.value,
        rank=(session.scalar(last) or 0) + 1,
        until=until,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    note(session, by, "story.add", f"story {row.id}", now)
    return row.id


def change_story(
    story_id: int, *, title: str, text: str, until: datetime | None, revision: int, by: str, now: datetime
) -> int:
    """Change a story that no slot has taken; returns the new revision. Raises `Conflict`, `Refused`, `NotFound`."""
    _check(title, text, until, now)
    with transaction() as session:
        row = open_story(session, story_id)
        if row.revision != revision:
            raise Conflict(
                "Somebody else saved this story in the meantime. Load it again, then make your change."
            )
        row.title, row.text, row.until = title.strip(), text.strip(), until
        row.revision, row.updated_at = row.revision + 1, now
        # What somebody is to say yes to must be what they read.
        row.breaking_reason = row.breaking_by = row.approved_by = None
        row.saved_by = by
        note(session, by, "story.change", f"story {story_id}", now)
        return row.revision


def move_story(story_id: int, *, up: bool, by: str, now: datetime) -> None:
    """Let a story change places with its neighbour in the queue; at the end of it nothing changes."""
    with transaction() as session:
        order, place = _order(session, story_id)
        _put(session, order, place, place - 1 if up else place + 1, by, now)


def place_story(story_id: int, place: int, *, by: str, now: datetime) -> int:
    """Put a story at a place of the queue, 1 for the top; returns where it is: a place beyond the end is the last."""
    with transaction() as session:
        order, before = _order(session, story_id)
        return _put(session, order, before, place - 1, by, now) + 1


def _order(session: Session, story_id: int) -> tuple[list[StoryRow], int]:
    """Return the queue of a story, locked, and the index of the story in it."""
    row = open_story(session, story_id)
    queue = session.scalars(_queue(row.list_id).with_for_update()).all()
    return list(queue), [one.id for one in queue].index(story_id)


def _put(session: Session, order: list[StoryRow], before: int, after: int, by: str, now: datetime) -> int:
    """Move the story at index `before` to `after`, or to the nearest there is; returns its index."""
    after = min(max(after, 0), len(order) - 1)
    if after != before:
        row = order.pop(before)
        order.insert(after, row)
        for rank, one in enumerate(order, start=1):
            one.rank = rank
        note(session, by, "story.move", f"story {row.id}", now, up=after < before, place=after + 1)
    return after


def hold_story(story_id: int, *, held: bool, by: str, now: datetime) -> None:
    """Keep a story from every slot, or let it go again. Twice changes nothing."""
    with transaction() as session:
        row = open_story(session, story_id)
        row.state, row.updated_at = (StoryState.HELD if held else StoryState.QUEUED).value, now
        note(session, by, "story.hold" if held else "story.release", f"story {story_id}", now)


def drop_story(story_id: int, *, by: str, now: datetime) -> None:
    """Take a story out of the queue for good."""
    with transaction() as session:
        row = open_story(session, story_id)
        row.state, row.updated_at = StoryState.DROPPED.value, now
        note(session, by, "story.drop", f"story {story_id}", now)


def queue_of(session: Session, list_id: int) -> Sequence[StoryRow]:
    """Return the stories that no slot has taken, in their order."""
    return session.scalars(_queue(list_id)).all()


def _queue(list_id: int) -> Select[StoryRow]:
    return (
        select(StoryRow)
        .where(StoryRow.list_id == list_id, StoryRow.state.in_(_OPEN))
        .order_by(StoryRow.rank, StoryRow.id)
    )


def writer_of_story(row: StoryRow) -> str:
    """Return who saved what a story says now."""
    return row.saved_by or row.created_by


def end_with(broadcast: Broadcast, row: StoryRow) -> None:
    """Let what became of a story go to nobody after the story's own end."""
    if row.until is not None and broadcast.expires_at is not None:
        broadcast.expires_at = min(broadcast.expires_at, row.until)


def as_story(row: StoryRow) -> Story:
    """Return what the board needs of a row."""
    return Story(row.id, row.rank, row.title, StoryState(row.state), row.until)


def open_story(session: Session, story_id: int) -> StoryRow:
    """Return a story that is still in the queue, locked. Raises `NotFound`, `Refused`."""
    row = session.get(StoryRow, story_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no story {story_id}.")
    if row.state not in _OPEN:
        raise Refused(f"This story is {row.state}; it is no longer in the queue.")
    return row


def _check(title: str, text: str, until: datetime | None, now: datetime) -> None:
    check_words(title, text)
    if not text.strip():
        raise Refused("The text is empty.")
    if until is not None and until <= now:
        raise Refused("This story would be of no use already: its end is in the past.")
