"""Segments of lists: save, change and remove them, and let a draft go to one or to a rule of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.segments import BadSegment, Had, OnList, Reacted, Segment, parse, written
from app.domain.statuses import BroadcastState
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.controller import Conflict, NotFound, Refused
from app.services.reactions import check_reaction
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, SavedSegment
from app.storage.segments import turned_round

MAX_NAME: Final = 80
_WAITS: Final = (
    BroadcastState.DRAFT.value,
    BroadcastState.SCHEDULED.value,
    BroadcastState.TEMPLATE.value,
)


def segments_of(list_ids: Sequence[int]) -> Sequence[SavedSegment]:
    """Return the saved segments of some lists, by name."""
    rows = select(SavedSegment).where(SavedSegment.list_id.in_(list_ids))
    return db.session.scalars(rows.order_by(SavedSegment.name, SavedSegment.id)).all()


def all_segments() -> Sequence[SavedSegment]:
    """Return the saved segments of all open lists, by list and name."""
    rows = (
        select(SavedSegment)
        .join(BroadcastList, BroadcastList.id == SavedSegment.list_id)
        .where(BroadcastList.archived_at.is_(None))
        .order_by(BroadcastList.name, SavedSegment.name)
    )
    return db.session.scalars(rows).all()


def segment(segment_id: int) -> SavedSegment:
    """Return a saved segment. Raises `NotFound`."""
    return _found(db.session.get(SavedSegment, segment_id))


def read(data: Any) -> Segment:
    """Read a rule as JSON; raises `Refused` with the place of what is wrong."""
    try:
        return parse(data)
    except BadSegment as error:
        raise Refused(str(error)) from error


def add(list_id: int, name: str, rule: Segment, *, by: str, now: datetime) -> int:
    """Save a rule under a name; returns its id. Raises `Refused` for a taken name or a rule about what is not there."""
    with transaction() as session:
        return _add(session, list_id, name, rule, by, now)


def change(segment_id: int, name: str, rule: Segment, *, revision: int, by: str, now: datetime) -> None:
    """Give a segment another rule or name; what waits for its time follows, what has begun does not.

    A second person's yes was to the people of the old rule: a draft loses it, and what is scheduled with one stands
    against the change. Raises `Conflict` when somebody else changed it since `revision` was shown; `NotFound`,
    `Refused`.
    """
    with transaction() as session:
        row = _for_change(session, segment_id)
        if row.revision != revision:
            raise Conflict(
                "Somebody else changed this segment in the meantime. Load it again, then make your change."
            )
        _check(session, row.list_id, segment_id, name, rule)
        if row.rule != written(rule):
            _void_approvals(session, segment_id)
        row.name, row.rule, row.revision = name.strip(), written(rule), row.revision + 1
        row.changed_by, row.changed_at = by, now
        note(session, by, "segment.change", f"segment {segment_id}", now, name=row.name, rule=row.rule)


def remove(segment_id: int, *, by: str, now: datetime) -> str:
    """Remove a segment; returns its name. Drafts, templates and what waits keep its rule as it was last."""
    with transaction() as session:
        row = _for_change(session, segment_id)
        mine = Broadcast.segment_id == segment_id
        for but, rule in ((False, row.rule), (True, turned_round(row.rule))):
            waits = (mine, Broadcast.segment_but.is_(but), Broadcast.state.in_(_WAITS))
            session.execute(update(Broadcast).where(*waits).values(segment_rule=rule))
        session.execute(update(Broadcast).where(mine).values(segment_id=None, segment_but=False))
        note(session, by, "segment.remove", f"segment {segment_id}", now, name=row.name, rule=row.rule)
        session.delete(row)
        return row.name


def choose_saved(broadcast_id: int, segment_id: int, *, by: str, now: datetime, but: bool = False) -> None:
    """Let a draft go to a saved segment of one of its lists, as that is when the broadcast begins.

    With `but` it goes to everybody on its lists but these.
    """
    with transaction() as session:
        row = _found(session.get(SavedSegment, segment_id))
        broadcast = _draft(session, broadcast_id)
        if row.list_id not in {one.id for one in targets_of(session, broadcast_id)}:
            raise Refused(f"“{row.name}” is part of a list that this broadcast does not go to.")
        _choose(session, broadcast, row.id, None, by, now, but=but)


def choose_rule(broadcast_id: int, rule: Segment, *, by: str, now: datetime) -> None:
    """Let a draft go to the people of a rule of its own."""
    with transaction() as session:
        broadcast = _draft(session, broadcast_id)
        _check_rule(session, rule)
        _choose(session, broadcast, None, written(rule), by, now)


def choose_all(broadcast_id: int, *, by: str, now: datetime) -> None:
    """Let a draft go to everybody on its lists again."""
    with transaction() as session:
        _choose(session, _draft(session, broadcast_id), None, None, by, now)


def _choose(
    session: Session,
    broadcast: Broadcast,
    segment_id: int | None,
    rule: Mapping[str, Any] | None,
    by: str,
    now: datetime,
    *,
    but: bool = False,
) -> None:
    broadcast.segment_but = but
    broadcast.segment_id, broadcast.segment_rule = segment_id, None if rule is None else dict(rule)
    broadcast.updated_at = now
    broadcast.void_approval()
    details = {"segment": segment_id, "rule": broadcast.segment_rule, **({"but": True} if but else {})}
    note(session, by, "broadcast.segment", f"broadcast {broadcast.id}", now, **details)


def _void_approvals(session: Session, segment_id: int) -> None:
    """Take the yes from drafts that follow a segment; raises `Refused` when one with a yes is scheduled already."""
    follows = select(Broadcast).where(Broadcast.segment_id == segment_id, Broadcast.state.in_(_WAITS))
    approved = follows.where(Broadcast.approved_by.is_not(None)).order_by(Broadcast.id)
    for broadcast in session.scalars(approved.with_for_update()):
        if broadcast.state == BroadcastState.SCHEDULED.value:
            raise Refused(
                f"“{broadcast.title}” is scheduled, and was approved for the people of this segment. "
                "Take it back to draft before you change the rule."
            )
        broadcast.void_approval()


def _draft(session: Session, broadcast_id: int) -> Broadcast:
    broadcast = broadcast_for_change(session, broadcast_id)
    if broadcast.state != BroadcastState.DRAFT.value:
        raise Refused(f"This broadcast is {broadcast.state}; take it back to draft before you change it.")
    if broadcast.corrects_id is not None:
        raise Refused("A correction goes to those who got the wrong message, and to nobody else.")
    return broadcast


def _add(session: Session, list_id: int, name: str, rule: Segment, by: str, now: datetime) -> int:
    chosen = session.get(BroadcastList, list_id)
    if chosen is None or chosen.archived_at is not None:
        raise NotFound(f"There is no open list {list_id}.")
    _check(session, list_id, 0, name, rule)
    row = SavedSegment(list_id=list_id, name=name.strip(), rule=written(rule), changed_by=by, changed_at=now)
    session.add(row)
    session.flush()
    note(session, by, "segment.add", f"segment {row.id}", now, name=row.name, rule=row.rule)
    return row.id


def _check(session: Session, list_id: int, segment_id: int, name: str, rule: Segment) -> None:
    if not 1 <= len(name.strip()) <= MAX_NAME:
        raise Refused(f"A segment needs a name of 1 to {MAX_NAME} characters.")
    same = (SavedSegment.list_id == list_id, SavedSegment.name == name.strip(), SavedSegment.id != segment_id)
    if session.scalar(select(SavedSegment.id).where(*same)) is not None:
        raise Refused(f"There is a segment “{name.strip()}” of this list already. Choose another name.")
    _check_rule(session, rule)


def _check_rule(session: Session, rule: Segment) -> None:
    """What a rule speaks of must be there."""
    for clause in rule.clauses:
        match clause.test:
            case Had(_, broadcast_id):
                if session.get(Broadcast, broadcast_id) is None:
                    raise NotFound(f"There is no broadcast {broadcast_id}.")
            case Reacted():
                check_reaction(session, clause.test)
            case OnList(list_id):
                if session.get(BroadcastList, list_id) is None:
                    raise NotFound(f"There is no list number {list_id}.")


def _for_change(session: Session, segment_id: int) -> SavedSegment:
    return _found(session.get(SavedSegment, segment_id, with_for_update=True))


def _found(row: SavedSegment | None) -> SavedSegment:
    if row is None:
        raise NotFound("There is no such segment.")
    return row
