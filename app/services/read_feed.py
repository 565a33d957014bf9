"""Reads a feed that is due: fetched without a transaction open, each item used once ever, nothing new makes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.feeds.document import read_feed as read_document
from app.domain.feeds.items import BrokenFeed, FeedDocument, FeedItem
from app.gateways.feed_fetch import Answer, Ask, FetchFailed
from app.services.feed_items import SYSTEM, Fate, row_of, use
from app.services.manage_feeds import after
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, FeedItemRow, FeedRow

MOST_AT_ONCE: Final = 5
"""New items of one reading that are used. A site that gives all its items new ids must not flood a list."""


@dataclass(frozen=True)
class Reading:
    """What one reading came to. `new` counts items never seen before, `used` those that became something."""

    feed_id: int
    new: int = 0
    used: int = 0
    problem: str | None = None


def due_feeds(now: datetime) -> Sequence[int]:
    """Return the ids of the feeds whose time has come."""
    found = db.session.scalars(
        select(FeedRow.id)
        .join(BroadcastList, BroadcastList.id == FeedRow.list_id)
        .where(FeedRow.next_at <= now, FeedRow.paused_at.is_(None), BroadcastList.archived_at.is_(None))
        .order_by(FeedRow.next_at)
        .limit(100)
    ).all()
    db.session.rollback()
    return found


def read_feed(feed_id: int, fetch: Callable[[Ask], Answer], *, now: datetime) -> Reading | None:
    """Read a feed whose time has come; None when it is gone, paused, or somebody else reads it."""
    ask = _claim(feed_id, now)
    if ask is None:
        return None
    try:
        answer = fetch(ask)
        found = answer.body is not None and read_document(answer.body, answer.content_type, answer.address)
    except FetchFailed as error:
        wanted = now + error.retry_after if error.retry_after else now
        return _fail(feed_id, ask, str(error), wanted, now)
    except BrokenFeed as error:
        return _fail(feed_id, ask, str(error), now, now)
    return _keep(feed_id, ask, answer, found or None, now)


def _claim(feed_id: int, now: datetime) -> Ask | None:
    """Put the next time off before the host is asked: a worker that dies over it is not followed by a second one."""
    with transaction() as session:
        feed = session.get(FeedRow, feed_id, with_for_update=True)
        if feed is None or feed.paused_at is not None or feed.next_at > now:
            return None
        feed.asked_at, feed.next_at = now, after(feed, now)
        return Ask(feed.address, feed.etag, feed.last_modified, feed.loopback)


def _asked(session: Session, feed_id: int, ask: Ask) -> FeedRow | None:
    """The feed that was asked; None when it is gone, or has another address by now."""
    feed = session.get(FeedRow, feed_id, with_for_update=True)
    return feed if feed is not None and feed.address == ask.address else None


def _fail(feed_id: int, ask: Ask, problem: str, wanted: datetime, now: datetime) -> Reading | None:
    with transaction() as session:
        feed = _asked(session, feed_id, ask)
        if feed is None:
            return None
        feed.failures, feed.problem = feed.failures + 1, problem
        feed.next_at = max(after(feed, now), wanted)
        return Reading(feed_id, problem=problem)


def _keep(
    feed_id: int, ask: Ask, answer: Answer, document: FeedDocument | None, now: datetime
) -> Reading | None:
    """Store what is new and use it, unless this is the first reading."""
    with transaction() as session:
        feed = _asked(session, feed_id, ask)
        if feed is None:
            return None
        never_read = feed.read_at is None
        feed.failures, feed.problem, feed.read_at = 0, None, now
        feed.next_at = after(feed, now)
        if document is None:
            return Reading(feed_id)
        feed.title, feed.etag, feed.last_modified = document.title[:200], answer.etag, answer.last_modified
        rows = [row_of(feed, item, now) for item in _unseen(session, feed_id, document.items)]
        session.add_all(rows)
        session.flush()
        # At a new address of the same site some of it was seen before.
        if not never_read or len(rows) < len(document.items):
            _use_the_newest(session, feed, rows, now)
        used = sum(row.story_id is not None or row.broadcast_id is not None for row in rows)
        return Reading(feed_id, len(rows), used)


def _unseen(session: Session, feed_id: int, items: Sequence[FeedItem]) -> list[FeedItem]:
    """Return the items that were never in this feed before, oldest first; without dates the top one is the newest."""
    keys = [one.key for one in items]
    known = set(
        session.scalars(
            select(FeedItemRow.key).where(FeedItemRow.feed_id == feed_id, FeedItemRow.key.in_(keys))
        )
    )
    fresh = [one for one in reversed(items) if one.key not in known]
    moments = [one.published for one in fresh if one.published is not None]
    if len(moments) == len(fresh):
        fresh = [one for _, one in sorted(zip(moments, fresh, strict=True), key=lambda pair: pair[0])]
    return fresh


def _use_the_newest(session: Session, feed: FeedRow, rows: Sequence[FeedItemRow], now: datetime) -> None:
    for row in rows[:-MOST_AT_ONCE]:
        row.fate = Fate.PASSED.value
    for row in rows[-MOST_AT_ONCE:]:
        use(session, feed, row, by=SYSTEM, now=now)
