"""How often a list went over its promise, and what its readers may know of why: the public page says both."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from app.domain.policy.decisions import LONGEST_DAY, breaks_promise, on_the_clock, went_at
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastList, BroadcastTarget, StoryRow

PERIOD: Final = timedelta(days=365)


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
    sent = _sent(list_id, now - PERIOD - LONGEST_DAY)
    excused = [one for one in sent if one.over_cap_reason is not None and one.corrects_id is None]
    moments = [_moment(one, row.zone) for one in sent if one not in excused]
    found = []
    for one in excused:
        at = _moment(one, row.zone)
        near = [other for other in moments if abs(other - at) <= LONGEST_DAY]
        if one.started_at >= now - PERIOD and breaks_promise(near, at, row.max_per_day):
            found.append(one)
        moments.append(at)
    days = [
        (one.started_at.astimezone(ZoneInfo(row.zone)).date(), one.breaking_reason)
        for one in reversed(found)
        if one.breaking_reason
    ]
    return OverPromise(len(found), tuple(days))


def _sent(list_id: int, since: datetime) -> list[Row[tuple[int, datetime, datetime, str, int, str]]]:
    """Return what went out to a list since then, in its order; of a breaking story with its reason."""
    columns = (
        Broadcast.id,
        Broadcast.next_at,
        Broadcast.started_at,
        Broadcast.over_cap_reason,
        Broadcast.corrects_id,
        StoryRow.breaking_reason,
    )
    query = (
        select(*columns)
        .join(BroadcastTarget, BroadcastTarget.broadcast_id == Broadcast.id)
        .outerjoin(StoryRow, StoryRow.broadcast_id == Broadcast.id)
        .where(BroadcastTarget.list_id == list_id, Broadcast.started_at > since)
        .order_by(Broadcast.started_at, Broadcast.id)
    )
    return list(db.session.execute(query))


def _moment(one: Row[tuple[int, datetime, datetime, str, int, str]], zone: str) -> datetime:
    return on_the_clock(went_at(one.next_at, one.started_at) or one.started_at, zone)
