"""A second person for what goes to a list that asks for one: whoever wrote it last cannot say yes to it.

A yes is to the words, files, buttons and people of one moment. Any change afterwards takes it away; the time is chosen
by whoever schedules.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.controller import Conflict, Refused
from app.services.manage_lists import find_list
from app.services.stories import writer_of_story
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, StoryRow
from app.storage.segments import rule_data
from app.storage.versions import writer_of


def set_approval(name: str, wanted: bool, *, by: str, now: datetime) -> str:
    """Say whether a list asks for a second person; returns its name. Raises `NotFound`, `Refused` for a live event."""
    with transaction() as session:
        row = find_list(session, name)
        if wanted and row.ends_at is not None:
            raise Refused("A live event cannot wait for a second person.")
        row.approval = wanted
        note(session, by, "list.approval", f"list {row.id}", now, wanted=wanted)
        return row.name


def asked_by_lists(lists: Sequence[BroadcastList]) -> bool:
    """Tell whether one of these lists asks for a second person."""
    return any(one.approval for one in lists)


def missing(broadcast: Broadcast, lists: Sequence[BroadcastList]) -> str:
    """Say that a second person is missing, and for which lists; "" when none is."""
    asking = [one.name for one in lists if one.approval]
    if not asking or broadcast.approved_by is not None:
        return ""
    must = f"A second person must approve what goes to {', '.join(asking)}."
    if broadcast.approval_asked_by is None:
        return f"{must} Ask for it on the review."
    return f"{must} They were asked; it waits for their yes."


def ask(broadcast_id: int, *, by: str, now: datetime) -> None:
    """Put a draft before the others, to be approved. Raises `Refused` where nobody needs to."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        _check_draft(session, broadcast)
        broadcast.approval_asked_by, broadcast.approval_asked_at = by, now
        note(session, by, "broadcast.ask_approval", f"broadcast {broadcast_id}", now)


def waiting_for(who: str) -> list[int]:
    """Return the ids of the drafts that `who` may say yes to and that were asked for, the oldest question first."""
    asked = (
        select(Broadcast)
        .where(Broadcast.state == BroadcastState.DRAFT.value, Broadcast.tests_id.is_(None))
        .where(Broadcast.approval_asked_by != who, Broadcast.approved_by.is_(None))
        .order_by(Broadcast.approval_asked_at, Broadcast.id)
    )
    session = db.session()
    return [
        row.id
        for row in session.scalars(asked)
        if writer_of(session, row) != who and asked_by_lists(targets_of(session, row.id))
    ]


def mark_of(session: Session, broadcast: Broadcast) -> str:
    """Return a mark of what a reader of a draft has before them: its words, its lists, the rule that chooses people."""
    people = [[one.id for one in targets_of(session, broadcast.id)], rule_data(session, broadcast)]
    digest = sha256(json.dumps(people, sort_keys=True).encode()).hexdigest()
    return f"{broadcast.revision}-{digest[:16]}"


def approve(broadcast_id: int, *, mark: str, by: str, now: datetime) -> None:
    """Say yes to what was read, which had this `mark`.

    Raises `Conflict` for what was changed since, `Refused` for whoever wrote or asked, and where none is needed.
    """
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        _check_draft(session, broadcast)
        if by in (writer_of(session, broadcast), broadcast.approval_asked_by):
            raise Refused("You wrote this, or asked for the yes yourself: a second person must give it.")
        if mark != mark_of(session, broadcast):
            raise Conflict("This draft was changed since you read it. Read it again.")
        broadcast.approved_by, broadcast.approved_at = by, now
        note(session, by, "broadcast.approve", f"broadcast {broadcast_id}", now, revision=broadcast.revision)


def approve_story(story_id: int, *, revision: int, by: str, now: datetime) -> None:
    """Say yes to a story of the queue, so that a slot may take it. Raises `Refused` as `approve` does."""
    with transaction() as session:
        row = session.get(StoryRow, story_id, with_for_update=True)
        if row is None or row.revision != revision:
            raise Refused("This story was changed since you read it. Read it again.")
        if by == writer_of_story(row):
            raise Refused("You wrote this, or asked for the yes yourself: a second person must give it.")
        row.approved_by = by
        note(session, by, "story.approve", f"story {story_id}", now, revision=revision)


def _check_draft(session: Session, broadcast: Broadcast) -> None:
    if broadcast.state != BroadcastState.DRAFT.value:
        raise Refused(f"This broadcast is {broadcast.state}; only a draft is approved.")
    if not asked_by_lists(targets_of(session, broadcast.id)):
        raise Refused("None of these lists asks for a second person.")
