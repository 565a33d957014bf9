"""What every use case about a broadcast begins with: the row, locked; its lists; a move that is allowed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.domain.statuses import NOT_EDITORS, BroadcastState, MoveRefused, check_move
from app.services.controller import Conflict, NotFound, Refused
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget

_ON_THE_WAY = (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


def broadcast_for_change(session: Session, broadcast_id: int, *, or_test: bool = False) -> Broadcast:
    """Return a broadcast, locked until the transaction ends; raises `NotFound`, also for replies and templates.

    Tests are found only with `or_test`, which is for what the system itself does.
    """
    found = session.get(Broadcast, broadcast_id, with_for_update=True)
    hidden = found is not None and found.tests_id is not None and not or_test
    if found is None or found.state in NOT_EDITORS or hidden:
        raise NotFound(f"There is no broadcast {broadcast_id}.")
    return found


def draft_for_change(session: Session, broadcast_id: int, revision: int | None = None) -> Broadcast:
    """Return a draft, locked; `revision` is the one that was shown to whoever changes it.

    Raises `Conflict` when somebody else saved in between, `Refused` when it is no draft any more, `NotFound`.
    """
    broadcast = broadcast_for_change(session, broadcast_id)
    if broadcast.state != BroadcastState.DRAFT.value:
        raise Refused(f"This broadcast is {broadcast.state}; take it back to draft before you change it.")
    if revision is not None and broadcast.revision != revision:
        raise Conflict(
            "Somebody else saved this draft in the meantime. Load it again, then make your change."
        )
    return broadcast


def targets_of(session: Session, broadcast_id: int) -> Sequence[BroadcastList]:
    """Return the lists that a broadcast goes to."""
    return session.scalars(
        select(BroadcastList)
        .join(BroadcastTarget, BroadcastTarget.list_id == BroadcastList.id)
        .where(BroadcastTarget.broadcast_id == broadcast_id)
        .order_by(BroadcastList.id)
    ).all()


def is_corrected(session: Session, broadcast_id: int) -> bool:
    """Tell whether a correction of this broadcast is planned or out."""
    planned = (*_ON_THE_WAY, BroadcastState.SCHEDULED.value, BroadcastState.FINISHED.value)
    query = select(Broadcast.id).where(Broadcast.corrects_id == broadcast_id, Broadcast.state.in_(planned))
    return session.execute(query.limit(1)).first() is not None


def refuse_if_corrected(session: Session, broadcast_id: int) -> None:
    """Raise `Refused` for a broadcast that is corrected: nobody may get the wrong words after the right ones."""
    if is_corrected(session, broadcast_id):
        raise Refused(
            "This broadcast was corrected, so nothing more of it goes out. Write a new one for those who are left."
        )


def move(broadcast: Broadcast, to: BroadcastState, by: str, now: datetime, reason: str | None = None) -> None:
    try:
        check_move(BroadcastState(broadcast.state), to)
    except MoveRefused as error:
        raise Refused(str(error)) from error
    broadcast.state, broadcast.state_by, broadcast.state_at = to.value, by, now
    broadcast.state_reason, broadcast.updated_at = reason, now


def as_if_fresh(broadcast: Broadcast, minutes: int | None) -> None:
    """Look at a broadcast as if it were worth sending for so long; nothing of that is ever written."""
    if minutes is not None:
        set_committed_value(broadcast, "fresh_minutes", minutes)
