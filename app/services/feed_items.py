"""What becomes of an item of a feed: a draft, a story of its list's queue, or nothing, for a reason."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.feeds.items import FeedItem
from app.domain.feeds.wording import TooLong, word
from app.services.audit import note
from app.services.controller import NotFound, Refused
from app.services.stories import add_story_in
from app.services.write_drafts import draft_in
from app.storage.database import transaction
from app.storage.models import FeedItemRow, FeedRow

SYSTEM: Final = "system:feed"
_LONGEST_TITLE: Final = 120


class GoesTo(StrEnum):
    """Where the items of a feed go."""

    DRAFT = "draft"
    QUEUE = "queue"


class Fate(StrEnum):
    """What became of an item.

    THERE: it was in the feed when that was first read. PASSED: too many came at once. REFUSED: it could not be used.
    """

    THERE = "there"
    PASSED = "passed"
    DRAFT = "draft"
    QUEUED = "queued"
    REFUSED = "refused"


def row_of(feed: FeedRow, item: FeedItem, now: datetime) -> FeedItemRow:
    """Return a row for an item that was seen and not used."""
    return FeedItemRow(
        feed_id=feed.id,
        key=item.key,
        title=item.title,
        summary=item.summary,
        link=item.link,
        published_at=item.published,
        seen_at=now,
        fate=Fate.THERE.value,
    )


def use(session: Session, feed: FeedRow, row: FeedItemRow, *, by: str, now: datetime) -> None:
    """Make of an item what its feed says; one that cannot be used keeps the reason."""
    item = FeedItem(row.key, row.title, row.summary, row.link)
    title = _title(item)
    try:
        text = word(feed.template, item, feed.most_parts)
        with session.begin_nested():
            if feed.goes_to == GoesTo.QUEUE:
                row.story_id = add_story_in(session, feed.list_id, title=title, text=text, by=by, now=now)
                row.fate = Fate.QUEUED.value
            else:
                row.broadcast_id = draft_in(
                    session, title=title, text=text, list_ids=[feed.list_id], by=by, now=now
                )
                row.fate = Fate.DRAFT.value
    except (Refused, TooLong) as error:
        row.fate, row.problem = Fate.REFUSED.value, str(error)
    else:
        row.problem = None


def take_newest(feed_id: int, *, by: str, now: datetime) -> FeedItemRow:
    """Use the newest item of a feed that was only seen so far; nothing is fetched. Returns it with its fate.

    Raises `NotFound`, and `Refused` when there is none, or when it was used before.
    """
    with transaction() as session:
        feed = session.get(FeedRow, feed_id, with_for_update=True)
        if feed is None:
            raise NotFound("There is no such feed.")
        row = session.scalars(newest(feed_id).limit(1)).first()
        if row is None:
            raise Refused("No item of this feed was seen yet.")
        if row.story_id is not None or row.broadcast_id is not None:
            raise Refused("The newest item was taken already.")
        use(session, feed, row, by=by, now=now)
        note(session, by, "feed.take", f"feed {feed_id}", now, item=row.id, fate=row.fate)
        return row


def newest(feed_id: int) -> Select[FeedItemRow]:
    """Return the items of a feed, newest first; rows are made in the order in which items are to go."""
    return select(FeedItemRow).where(FeedItemRow.feed_id == feed_id).order_by(FeedItemRow.id.desc())


def _title(item: FeedItem) -> str:
    """Return a title for the desk, which every story and draft has."""
    title = item.title or item.summary or item.link
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1].rstrip()}…"
