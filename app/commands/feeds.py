"""`tidings feeds`: where the news of a list may come from by itself."""

from typing import Any

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.domain.feeds.wording import TEMPLATE
from app.services import manage_feeds, manage_lists
from app.services.controller import Refused
from app.services.feed_items import GoesTo
from app.storage.database import db
from app.storage.models import FeedRow

feeds = AppGroup("feeds", help="Web sites that the news of a list comes from.")
_feed = click.argument("feed_id", metavar="FEED", type=int)


@feeds.command("add")
@click.argument("name", metavar="LIST")
@click.argument("address")
@click.option(
    "--to", "goes_to", type=click.Choice([one.value for one in GoesTo]), default="draft", show_default=True
)
@click.option("--template", default=TEMPLATE, help="Text with {{title}}, {{summary}} and {{link}}.")
@click.option("--parts", default=2, show_default=True, help="SMS parts, at most.")
@click.option("--every", default=30, show_default=True, help="Minutes between two readings.")
@click.option("--loopback", is_flag=True, help="The feed is on this machine: for tests and demonstrations.")
@json_option
def add(
    name: str,
    address: str,
    goes_to: str,
    template: str,
    parts: int,
    every: int,
    loopback: bool,
    as_json: bool,
) -> None:
    """Let LIST take its news from the feed at ADDRESS. What is in it at the first reading is not sent.

    Items become drafts, or stories of the queue, each once. In --template, \\n is the end of a line.

    \b
    Example:
      tidings feeds add NEWS https://news.example.org/feed.xml --to queue --every 15
    """
    row = manage_lists.find_list(db.session(), name)
    feed_id = manage_feeds.add_feed(
        row.id,
        address,
        template=template.replace("\\n", "\n"),
        most_parts=parts,
        goes_to=goes_to,
        every_minutes=every,
        loopback=loopback,
        by=operator(),
        now=utcnow(),
    )
    say({"id": feed_id}, as_json, lambda: f"Feed {feed_id} is added. It is read in a moment.")


@feeds.command("list")
@click.option("--list", "name", help="Of this list alone.")
@json_option
def list_feeds(name: str | None, as_json: bool) -> None:
    """List feeds with when they were read last, and what is wrong with them.

    \b
    Example:
      tidings feeds list --list NEWS
    """
    list_id = manage_lists.find_list(db.session(), name).id if name else None
    rows = [_as_data(feed) for feed in manage_feeds.feeds_of(list_id)]
    cells = [[row[one] for one in ("id", "list", "address", "to", "every", "read", "state")] for row in rows]
    headings = ("id", "list", "address", "to", "every", "read", "state")
    say(rows, as_json, lambda: table(headings, cells, empty="No feeds. Add one with: tidings feeds add"))


@feeds.command("fetch")
@_feed
@json_option
def fetch(feed_id: int, as_json: bool) -> None:
    """Read FEED now, in this process, and tell what came of it.

    \b
    Example:
      tidings feeds fetch 3
    """
    from workers.jobs import ask_feed

    manage_feeds.ask_now(feed_id, by=operator(), now=utcnow())
    done = ask_feed(feed_id)
    if done is None:
        raise Refused(f"Feed {feed_id} is being read by a worker already. See: tidings feeds list")
    if done.problem is not None:
        raise Refused(f"Feed {feed_id} cannot be read. {done.problem}")
    said = f"Feed {feed_id}: {done.new} new items, {done.used} of them used."
    say(done, as_json, lambda: said)


@feeds.command("change")
@_feed
@click.option("--list", "list_name", help="The list that it is for from now on.")
@click.option("--name", help="A name for the desk; an empty one brings back the feed's own.")
@click.option("--address")
@click.option("--to", "goes_to", type=click.Choice([one.value for one in GoesTo]))
@click.option("--template", help="Text with {{title}}, {{summary}} and {{link}}.")
@click.option("--parts", "most_parts", type=int, help="SMS parts, at most.")
@click.option("--every", "every_minutes", type=int, help="Minutes between two readings.")
@json_option
def change(
    feed_id: int, list_name: str | None, template: str | None, as_json: bool, **given: str | int | None
) -> None:
    """Change what is named of FEED. Items that were seen stay seen.

    \b
    Example:
      tidings feeds change 3 --address https://news.example.org/new.xml --to queue
    """
    feed = manage_feeds.find_feed(feed_id)
    kept: dict[str, Any] = {name: getattr(feed, name) for name in given}
    chosen = {name: value for name, value in given.items() if value is not None}
    list_id = manage_lists.find_list(db.session(), list_name).id if list_name else feed.list_id
    words = feed.template if template is None else template.replace("\\n", "\n")
    kept["name"] = feed.name or ""
    db.session.rollback()
    manage_feeds.change_feed(
        feed_id, list_id=list_id, template=words, by=operator(), now=utcnow(), **{**kept, **chosen}
    )
    say({"id": feed_id}, as_json, lambda: f"Feed {feed_id} is changed. It is read in a moment.")


@feeds.command("pause")
@_feed
@json_option
def pause(feed_id: int, as_json: bool) -> None:
    """Read FEED no more for the time being.

    \b
    Example:
      tidings feeds pause 3
    """
    manage_feeds.pause_feed(feed_id, paused=True, by=operator(), now=utcnow())
    say({"id": feed_id, "paused": True}, as_json, lambda: f"Feed {feed_id} is paused.")


@feeds.command("resume")
@_feed
@json_option
def resume(feed_id: int, as_json: bool) -> None:
    """Read FEED again. What came meanwhile counts as new, five items of it at most.

    \b
    Example:
      tidings feeds resume 3
    """
    manage_feeds.pause_feed(feed_id, paused=False, by=operator(), now=utcnow())
    say({"id": feed_id, "paused": False}, as_json, lambda: f"Feed {feed_id} is read again.")


@feeds.command("remove")
@_feed
@json_option
def remove(feed_id: int, as_json: bool) -> None:
    """Forget FEED and its items. Drafts and stories made of it stay.

    \b
    Example:
      tidings feeds remove 3
    """
    address = manage_feeds.remove_feed(feed_id, by=operator(), now=utcnow())
    say({"removed": address}, as_json, lambda: f"{address} is not read any more.")


def _as_data(feed: FeedRow) -> dict[str, object]:
    state = "paused" if feed.paused_at else feed.problem or ("ok" if feed.read_at else "not read yet")
    return {
        "id": feed.id,
        "list": feed.list_id,
        "address": feed.address,
        "title": feed.shown_name,
        "to": feed.goes_to,
        "every": feed.every_minutes,
        "read": feed.read_at,
        "next": feed.next_at,
        "failures": feed.failures,
        "state": state,
    }
