"""Add, pause and remove the feeds of a list, and show what became of their items. Nothing here fetches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.feeds.links import check_address
from app.domain.feeds.wording import MOST_PARTS, TEMPLATE, check_template
from app.services.audit import note
from app.services.controller import NotFound, Refused
from app.services.feed_items import GoesTo, newest
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, FeedItemRow, FeedRow, StoryRow

SHORTEST: Final = 5
LONGEST: Final = 24 * 60
"""Minutes between two readings."""
MOST_FEEDS: Final = 20
SHOWN_ITEMS: Final = 30


@dataclass(frozen=True)
class SeenItem:
    """An item with the states of what it became, where it became something."""

    item: FeedItemRow
    story_state: str | None
    broadcast_id: int | None
    broadcast_state: str | None


def add_feed(
    list_id: int,
    address: str,
    *,
    template: str = TEMPLATE,
    most_parts: int = 2,
    goes_to: str = GoesTo.DRAFT,
    every_minutes: int = 30,
    loopback: bool = False,
    by: str,
    now: datetime,
) -> int:
    """Let a list take its news from a feed, which is asked at once; returns its id.

    Items that are there at the first reading become nothing. Raises `NotFound`, and `Refused` for what cannot be.
    """
    address, template = _checked(address, template, most_parts, every_minutes, loopback)
    with transaction() as session:
        _check_room(session, list_id, address)
        feed = FeedRow(
            list_id=list_id,
            address=address,
            loopback=loopback,
            title="",
            template=template,
            most_parts=most_parts,
            goes_to=GoesTo(goes_to).value,
            every_minutes=every_minutes,
            next_at=now,
            failures=0,
            created_by=by,
            created_at=now,
        )
        session.add(feed)
        session.flush()
        note(session, by, "feed.add", f"feed {feed.id}", now, list=list_id, address=address, goes_to=goes_to)
        return feed.id


def change_feed(
    feed_id: int,
    *,
    list_id: int,
    name: str,
    address: str,
    template: str,
    most_parts: int,
    goes_to: str,
    every_minutes: int,
    by: str,
    now: datetime,
) -> None:
    """Change a feed, which is asked anew at once; the items that were seen stay seen, and become nothing again.

    At a new address nothing is made of what is there, unless some of it is known: then the site only moved. Raises
    `NotFound`, and `Refused` for what cannot be.
    """
    with transaction() as session:
        feed = _found(session, feed_id)
        address, template = _checked(address, template, most_parts, every_minutes, feed.loopback)
        _check_room(session, list_id, address, but=feed_id)
        if address != feed.address:
            feed.etag = feed.last_modified = feed.read_at = feed.problem = None
            feed.failures, feed.title = 0, ""
        feed.list_id, feed.name, feed.address = list_id, name.strip()[:200] or None, address
        feed.template, feed.most_parts, feed.goes_to = template, most_parts, GoesTo(goes_to).value
        feed.every_minutes, feed.next_at = every_minutes, now
        note(
            session, by, "feed.change", f"feed {feed_id}", now, list=list_id, address=address, goes_to=goes_to
        )


def pause_feed(feed_id: int, *, paused: bool, by: str, now: datetime) -> None:
    """Ask a feed no more, or again from now on. Twice changes nothing. Raises `NotFound`."""
    with transaction() as session:
        feed = _found(session, feed_id)
        if paused == (feed.paused_at is not None):
            return
        feed.paused_at = now if paused else None
        feed.next_at = now
        note(session, by, "feed.pause" if paused else "feed.resume", f"feed {feed_id}", now)


def ask_now(feed_id: int, *, by: str, now: datetime) -> None:
    """Have a feed asked as soon as a worker is free. Raises `NotFound`, and `Refused` for one that is paused."""
    with transaction() as session:
        feed = _found(session, feed_id)
        if feed.paused_at is not None:
            raise Refused("This feed is paused. Let it go on first.")
        feed.next_at = now
        note(session, by, "feed.ask", f"feed {feed_id}", now)


def remove_feed(feed_id: int, *, by: str, now: datetime) -> str:
    """Forget a feed and its items; what became of them stays. Returns its address. Raises `NotFound`."""
    with transaction() as session:
        feed = _found(session, feed_id)
        note(session, by, "feed.remove", f"feed {feed_id}", now, list=feed.list_id, address=feed.address)
        session.delete(feed)
        return feed.address


def feeds_of(list_id: int | None = None) -> Sequence[FeedRow]:
    """Return the feeds of a list, or of all, by id."""
    rows = select(FeedRow).order_by(FeedRow.id)
    return db.session.scalars(rows if list_id is None else rows.where(FeedRow.list_id == list_id)).all()


def find_feed(feed_id: int) -> FeedRow:
    """Return a feed. Raises `NotFound`."""
    row = db.session.get(FeedRow, feed_id)
    if row is None:
        raise NotFound("There is no such feed.")
    return row


def items_of(feed_id: int) -> list[SeenItem]:
    """Return the newest items of a feed, with what became of each."""
    rows = (
        newest(feed_id)
        .outerjoin(StoryRow, StoryRow.id == FeedItemRow.story_id)
        .add_columns(StoryRow.state, StoryRow.broadcast_id)
        .limit(SHOWN_ITEMS)
    )
    found = [(item, state, item.broadcast_id or sent) for item, state, sent in db.session.execute(rows)]
    ids = [broadcast_id for *_, broadcast_id in found if broadcast_id is not None]
    rows_of_states = db.session.execute(select(Broadcast.id, Broadcast.state).where(Broadcast.id.in_(ids)))
    states = {row.id: row.state for row in rows_of_states}
    return [SeenItem(item, state, number, states.get(number or 0)) for item, state, number in found]


def after(feed: FeedRow, now: datetime) -> datetime:
    """Return when a feed is asked next: twice as late after each failure in a row, at most a day."""
    minutes = min(feed.every_minutes * 2 ** min(feed.failures, 10), LONGEST)
    return now + timedelta(minutes=minutes)


def _found(session: Session, feed_id: int) -> FeedRow:
    feed = session.get(FeedRow, feed_id, with_for_update=True)
    if feed is None:
        raise NotFound("There is no such feed.")
    return feed


def _check_room(session: Session, list_id: int, address: str, but: int | None = None) -> None:
    """Raise unless a list can have one more feed at an address, besides the feed `but`."""
    row = session.get(BroadcastList, list_id, with_for_update=True)
    if row is None or row.archived_at is not None:
        raise NotFound(f"There is no open list {list_id}.")
    others = select(FeedRow.address).where(FeedRow.list_id == list_id, FeedRow.id != (but or 0))
    there = session.scalars(others).all()
    if address in there:
        raise Refused("This list has this feed already.")
    if len(there) >= MOST_FEEDS:
        raise Refused(f"A list has at most {MOST_FEEDS} feeds. Remove one first.")


def _checked(
    address: str, template: str, most_parts: int, every_minutes: int, loopback: bool
) -> tuple[str, str]:
    template = template.replace("\r\n", "\n").strip()
    try:
        address = check_address(address, loopback=loopback)
        check_template(template)
    except ValueError as error:
        raise Refused(str(error)) from error
    if not 1 <= most_parts <= MOST_PARTS:
        raise Refused(f"A message of a feed has 1 to {MOST_PARTS} parts, not {most_parts}.")
    if not SHORTEST <= every_minutes <= LONGEST:
        raise Refused(f"A feed is asked every {SHORTEST} to {LONGEST} minutes, not every {every_minutes}.")
    return address, template
