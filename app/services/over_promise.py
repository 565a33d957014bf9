"""How often a list went over its promise, and what its readers may know of why: the public page says both."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, not_, select

from app.domain.policy.decisions import LONGEST_DAY, breaks_promise, on_the_clock, went_at
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget, StoryRow

PERIOD: Final = timedelta(days=365)
# When each went out, and the reason of a breaking story.
_Sent = list[tuple[datetime, str | None]]


@dataclass(frozen=True)
class OverPromise:
    """`times` counts every message over the promise; `breaking` has day and reason of the breaking stories among them.

    A reason that was given on the review of a broadcast was not written for the public, and stays at the desk.
    """

    times: int
    breaking: tuple[tuple[date, str], ...]


def over_promise(list_id: int, *, now: datetime) -> OverPromise | None:
    """Return how a list kept its promise in the last 12 months, newest first; None for a live event.

    It is counted from the broadcasts themselves, which are never erased, by the promise as it is today. A correction
    breaks none; a message for which a reason was given counts only when it was one more than promised.
    """
    row = db.session.get_one(BroadcastList, list_id)
    if row.ends_at is not None:
        return None
    excused, others = _sent(list_id, now - PERIOD - LONGEST_DAY)
    moments = [on_the_clock(at, row.zone) for at, _ in others]
    found = []
    for at, reason in excused:
        local = on_the_clock(at, row.zone)
        near = [other for other in moments if abs(other - local) <= LONGEST_DAY]
        if at >= now - PERIOD and breaks_promise(near, local, row.max_per_day):
            found.append((local.date(), reason))
        moments.append(local)
    breaking = tuple((day, reason) for day, reason in reversed(found) if reason)
    return OverPromise(len(found), breaking)


def _sent(list_id: int, since: datetime) -> tuple[_Sent, _Sent]:
    """Return what went out to a list since then with a reason to go over the promise, and all the rest, in order."""
    has_reason = and_(Broadcast.over_cap_reason.is_not(None), Broadcast.corrects_id.is_(None))
    excused = _among(list_id, since, has_reason)
    # On most lists, most years, there is no such thing: then there is nothing to compare with.
    return excused, _among(list_id, since, not_(has_reason)) if excused else []


def _among(list_id: int, since: datetime, chosen: ColumnElement[bool]) -> _Sent:
    query = (
        select(Broadcast.next_at, Broadcast.started_at, StoryRow.breaking_reason)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .outerjoin(StoryRow, StoryRow.broadcast_id == Broadcast.id)
        .where(BroadcastTarget.list_id == list_id, Broadcast.started_at > since, chosen)
        .order_by(Broadcast.started_at, Broadcast.id)
    )
    return [
        (at, reason)
        for planned, started, reason in db.session.execute(query)
        if (at := went_at(planned, started)) is not None
    ]
