"""Feeds of a list: each item once ever, nothing new makes nothing, and a fault is told and waited out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.gateways.feed_fetch import Answer, Ask, FetchFailed
from app.services import manage_feeds, stories
from app.services.controller import NotFound, Refused
from app.services.feed_items import take_newest
from app.services.manage_lists import archive
from app.services.read_feed import MOST_AT_ONCE, Reading, due_feeds, read_feed
from app.storage.database import db
from app.storage.models import AuditEntry, Broadcast, FeedRow
from tests.support.world import Newsroom

ADDRESS = "https://news.example.org/feed.xml"


class Site:
    """Answers as the host of a feed does."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.answer: Callable[[Ask], Answer] = lambda ask: Answer(None, ask.address)

    def __call__(self, ask: Ask) -> Answer:
        self.asks.append(ask)
        return self.answer(ask)

    def show(self, *titles: str, etag: str | None = None, dates: bool = False) -> None:
        """Have items with these titles, newest first."""
        items = "".join(
            f"<item><guid>{title[:6]}</guid><title>{title}</title><link>/{title[:1]}</link>"
            + (f"<pubDate>{9 - n} Mar 2026 07:30:00 +0000</pubDate>" if dates else "")
            + "</item>"
            for n, title in enumerate(titles)
        )
        body = f"<rss><channel><title>City</title>{items}</channel></rss>".encode()
        self.answer = lambda ask: Answer(body, ask.address, etag=etag)

    def fail(self, reason: str, retry_after: timedelta | None = None) -> None:
        def refuse(ask: Ask) -> Answer:
            raise FetchFailed(reason, retry_after)

        self.answer = refuse


@pytest.fixture
def site() -> Site:
    return Site()


def add(newsroom: Newsroom, **more: object) -> int:
    return manage_feeds.add_feed(newsroom.list_id, ADDRESS, by="ada", now=newsroom.now, **more)


def reading(newsroom: Newsroom, site: Site, feed_id: int) -> Reading | None:
    """Let an hour pass, and read."""
    newsroom.later(minutes=60)
    return read_feed(feed_id, site, now=newsroom.now)


def fates(feed_id: int) -> list[tuple[str, str]]:
    """Title and fate of the items, newest first."""
    return [(one.item.title, one.item.fate) for one in manage_feeds.items_of(feed_id)]


def test_what_is_there_at_first_becomes_nothing_and_each_later_item_one_story(
    newsroom: Newsroom, site: Site
) -> None:
    feed_id = add(newsroom, goes_to="queue")
    site.show("Two", "One", etag='"1"')

    first = reading(newsroom, site, feed_id)
    site.show("Four", "Three", "Two", "One")
    second = reading(newsroom, site, feed_id)
    site.show("Two", "Four, edited", "Three", "One")
    third = reading(newsroom, site, feed_id)

    assert [first, second, third] == [Reading(feed_id, 2, 0), Reading(feed_id, 2, 2), Reading(feed_id, 1, 1)]
    assert site.asks[1].etag == '"1"'
    queue = stories.queue_of(db.session(), newsroom.list_id)
    assert [(one.title, one.text) for one in queue][:2] == [
        ("Three", "Three\nhttps://news.example.org/T"),
        ("Four", "Four\nhttps://news.example.org/F"),
    ]
    assert queue[0].created_by == "system:feed"


def test_items_become_drafts_with_their_states(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom, template="{{first_name|You}}: {{title}}")
    site.show()
    reading(newsroom, site, feed_id)
    site.show("One")
    reading(newsroom, site, feed_id)

    (item,) = manage_feeds.items_of(feed_id)

    draft = db.session.get_one(Broadcast, item.broadcast_id)
    assert (draft.title, draft.text, draft.state) == ("One", "{{first_name|You}}: One", "draft")
    assert (item.broadcast_state, item.story_state) == ("draft", None)


def test_the_newest_is_taken_by_hand_once(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom, goes_to="queue")
    with pytest.raises(Refused, match="No item of this feed"):
        take_newest(feed_id, by="ada", now=newsroom.now)
    site.show("Newest", "Older", dates=True)
    reading(newsroom, site, feed_id)

    taken = take_newest(feed_id, by="ada", now=newsroom.now)

    assert (taken.title, taken.fate) == ("Newest", "queued")
    with pytest.raises(Refused, match="taken already"):
        take_newest(feed_id, by="ada", now=newsroom.now)
    with pytest.raises(NotFound):
        take_newest(99, by="ada", now=newsroom.now)
    assert fates(feed_id) == [("Newest", "queued"), ("Older", "there")]


def test_a_site_that_gives_new_ids_to_all_does_not_flood_the_list(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom)
    site.show()
    reading(newsroom, site, feed_id)
    site.show(*(str(number) for number in range(MOST_AT_ONCE + 2)))

    done = reading(newsroom, site, feed_id)

    assert done == Reading(feed_id, MOST_AT_ONCE + 2, MOST_AT_ONCE)
    assert fates(feed_id)[-3:] == [("4", "draft"), ("5", "passed"), ("6", "passed")]


def test_a_fault_is_told_and_waited_out_ever_longer(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom)
    site.fail("The host answered 503 instead of a feed.")
    waits = []
    for _ in range(8):
        read_feed(feed_id, site, now=newsroom.now)
        feed = manage_feeds.find_feed(feed_id)
        waits.append((feed.next_at - newsroom.now) // timedelta(minutes=1))
        newsroom.now = feed.next_at
        db.session.rollback()

    assert waits == [60, 120, 240, 480, 960, 1440, 1440, 1440]
    site.answer = lambda ask: Answer(b"<html>", ask.address)
    assert "web page" in str(read_feed(feed_id, site, now=newsroom.now))
    newsroom.later(minutes=1440)
    site.show("One")
    read_feed(feed_id, site, now=newsroom.now)
    feed = manage_feeds.find_feed(feed_id)
    assert (feed.problem, feed.failures, feed.title) == (None, 0, "City")
    assert feed.next_at == newsroom.now + timedelta(minutes=30)


def test_a_host_is_left_alone_as_long_as_it_wants(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom)
    site.fail("Busy.", timedelta(hours=5))

    read_feed(feed_id, site, now=newsroom.now)

    assert manage_feeds.find_feed(feed_id).next_at == newsroom.now + timedelta(hours=5)


def test_a_feed_is_due_in_its_time_and_read_by_one_worker(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom)
    seen: list[object] = []

    def meanwhile(ask: Ask) -> Answer:
        seen.extend((due_feeds(newsroom.now), read_feed(feed_id, site, now=newsroom.now)))
        return Answer(None, ask.address)

    site.answer = meanwhile
    assert due_feeds(newsroom.now) == [feed_id]
    assert read_feed(feed_id, site, now=newsroom.now) == Reading(feed_id)
    assert (seen, len(site.asks)) == ([[], None], 1)

    manage_feeds.pause_feed(feed_id, paused=True, by="ada", now=newsroom.now)
    with pytest.raises(Refused, match="paused"):
        manage_feeds.ask_now(feed_id, by="ada", now=newsroom.now)
    assert reading(newsroom, site, feed_id) is None
    manage_feeds.pause_feed(feed_id, paused=False, by="ada", now=newsroom.now)
    assert due_feeds(newsroom.now) == [feed_id]
    archive("CITY", by="ada", now=newsroom.now)
    assert due_feeds(newsroom.now) == []


def test_an_item_that_cannot_be_used_keeps_the_reason(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom, most_parts=1, template="{{link}}")
    site.show()
    reading(newsroom, site, feed_id)
    body = (
        f"<rss><channel><item><guid>1</guid><title>A</title><link>/{'a' * 300}</link></item></channel></rss>"
    )
    site.answer = lambda ask: Answer(body.encode(), ask.address)

    reading(newsroom, site, feed_id)

    (item,) = manage_feeds.items_of(feed_id)
    assert item.item.fate == "refused"
    assert "need 3 parts; there may be 1" in str(item.item.problem)


def test_a_feed_that_is_removed_leaves_what_it_made(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom, goes_to="queue")
    site.show("One")
    reading(newsroom, site, feed_id)
    take_newest(feed_id, by="ada", now=newsroom.now)

    assert manage_feeds.remove_feed(feed_id, by="ada", now=newsroom.now) == ADDRESS

    assert len(stories.queue_of(db.session(), newsroom.list_id)) == 1
    assert db.session.scalars(select(FeedRow)).all() == []
    with pytest.raises(NotFound):
        manage_feeds.find_feed(feed_id)
    actions = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == f"feed {feed_id}")
    ).all()
    assert actions == ["feed.add", "feed.take", "feed.remove"]


def test_what_cannot_be_a_feed_is_refused(newsroom: Newsroom) -> None:
    add(newsroom)
    given = {"by": "ada", "now": newsroom.now}

    for wrong, reason in (
        ({"address": "http://news.example.org/"}, "address of a feed in full"),
        ({"address": ADDRESS}, "has this feed already"),
        ({"template": "{{titel}}"}, "needs one of"),
        ({"most_parts": 7}, "1 to 6 parts"),
        ({"every_minutes": 1}, "every 5 to 1440 minutes"),
    ):
        with pytest.raises(Refused, match=reason):
            manage_feeds.add_feed(newsroom.list_id, **{"address": "https://e.org/x", **wrong}, **given)
    with pytest.raises(NotFound):
        manage_feeds.add_feed(99, ADDRESS, **given)


def change(newsroom: Newsroom, feed_id: int, **more: object) -> None:
    kept = {"name": "", "address": ADDRESS, "template": "{{title}}", "most_parts": 2, "goes_to": "draft"}
    given = {"list_id": newsroom.list_id, "every_minutes": 30, **kept, **more}
    manage_feeds.change_feed(feed_id, **given, by="ada", now=newsroom.now)


def test_a_feed_is_changed_and_what_was_seen_stays_seen(newsroom: Newsroom, site: Site) -> None:
    sport = newsroom.new_list("Sport", "SPORT")
    feed_id = add(newsroom)
    site.show("Two", "One", etag='"1"')
    reading(newsroom, site, feed_id)

    change(newsroom, feed_id, address=f"{ADDRESS}?new", list_id=sport, name=" Town hall ", goes_to="queue")
    site.show("Three", "Two", "One")
    done = reading(newsroom, site, feed_id)

    assert site.asks[-1] == Ask(f"{ADDRESS}?new", None, None, False)
    assert done == Reading(feed_id, new=1, used=1)
    assert fates(feed_id) == [("Three", "queued"), ("Two", "there"), ("One", "there")]
    feed = manage_feeds.find_feed(feed_id)
    assert (feed.list_id, feed.shown_name, feed.goes_to) == (sport, "Town hall", "queue")


def test_at_an_address_where_nothing_is_known_what_is_there_becomes_nothing(
    newsroom: Newsroom, site: Site
) -> None:
    feed_id = add(newsroom)
    site.show("One")
    reading(newsroom, site, feed_id)

    change(newsroom, feed_id, address=f"{ADDRESS}?other")
    site.show("B", "A")
    other = reading(newsroom, site, feed_id)
    site.show("C", "B", "A")
    later = reading(newsroom, site, feed_id)

    assert (other, later) == (Reading(feed_id, new=2, used=0), Reading(feed_id, new=1, used=1))


def test_an_answer_of_the_old_address_is_dropped(newsroom: Newsroom, site: Site) -> None:
    feed_id = add(newsroom)
    site.show("One", etag='"old"')
    answer = site.answer

    def moved_meanwhile(ask: Ask) -> Answer:
        change(newsroom, feed_id, address=f"{ADDRESS}?new")
        return answer(ask)

    site.answer = moved_meanwhile

    assert reading(newsroom, site, feed_id) is None
    assert (manage_feeds.find_feed(feed_id).etag, fates(feed_id)) == (None, [])


def test_a_list_has_no_feed_twice_after_a_change_either(newsroom: Newsroom) -> None:
    add(newsroom)
    other = manage_feeds.add_feed(newsroom.list_id, f"{ADDRESS}?2", by="ada", now=newsroom.now)

    with pytest.raises(Refused, match="has this feed already"):
        change(newsroom, other)
    with pytest.raises(NotFound, match="no open list 99"):
        change(newsroom, other, list_id=99)
