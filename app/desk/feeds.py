"""Feeds of a list: where its news may come from by itself, and what became of each item."""

from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.errors import not_found_as_404
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.reading import list_or_404, open_lists
from app.desk.refusals import translated
from app.domain.feeds.wording import MOST_PARTS, TEMPLATE
from app.queue import enqueue_feed
from app.schemas import ChangedFeedSchema, FeedSchema
from app.services import manage_feeds
from app.services.controller import NotFound, Refused
from app.services.feed_items import Fate, take_newest
from app.services.manage_feeds import MOST_FEEDS
from app.storage.models import FeedRow
from app.storage.models.accounts import Role

feeds = room("feeds", __name__)

INTERVALS = (5, 15, 30, 60, 180, 720, 1440)
"""Minutes that the form offers."""


@feeds.get("/lists/<int:list_id>/feeds")
@allow(Role.EDITOR)
def index(list_id: int) -> ResponseReturnValue:
    """The feeds of a list; admins add one."""
    proposal = {"template": TEMPLATE, "goes_to": "draft", "most_parts": 2, "every_minutes": 30}
    return _page(list_id, proposal, {})


@feeds.post("/lists/<int:list_id>/feeds")
@allow(Role.ADMIN)
@not_found_as_404
def add(list_id: int) -> ResponseReturnValue:
    """Add a feed, and have it read."""
    raw = posted()
    values, errors = load(FeedSchema(), raw)
    if errors:
        return _page(list_id, raw, errors), 422
    try:
        feed_id = manage_feeds.add_feed(list_id, **values, by=me().actor, now=utcnow())
    except Refused as error:
        return _page(list_id, raw, {"form": translated(error)}), 422
    enqueue_feed(feed_id)
    flash(_("The feed is added and will be read in a moment. What is in it now is not sent."))
    return redirect(url_for("feeds.show", list_id=list_id, feed_id=feed_id))


@feeds.get("/lists/<int:list_id>/feeds/<int:feed_id>")
@allow(Role.EDITOR)
@not_found_as_404
def show(list_id: int, feed_id: int) -> ResponseReturnValue:
    """One feed: when it was read last, what is wrong with it, and its last items."""
    feed = _feed_of(list_id, feed_id)
    names = ("name", "list_id", "address", "template", "most_parts", "goes_to", "every_minutes")
    return _feed_page(feed, {name: getattr(feed, name) for name in names}, {})


@feeds.post("/lists/<int:list_id>/feeds/<int:feed_id>")
@allow(Role.ADMIN)
@not_found_as_404
def change(list_id: int, feed_id: int) -> ResponseReturnValue:
    """Change a feed, which keeps the items that it has seen; it is read anew."""
    feed, raw = _feed_of(list_id, feed_id), posted()
    values, errors = load(ChangedFeedSchema(), raw)
    if errors:
        return _feed_page(feed, raw, errors), 422
    try:
        manage_feeds.change_feed(feed_id, **values, by=me().actor, now=utcnow())
    except NotFound:
        raise
    except Refused as error:
        return _feed_page(feed, raw, {"form": translated(error)}), 422
    enqueue_feed(feed_id)
    flash(_("The feed is changed and will be read in a moment."), "success")
    return _back(values["list_id"], feed_id)


@feeds.post("/lists/<int:list_id>/feeds/<int:feed_id>/<any(pause, resume):act>")
@allow(Role.EDITOR)
@not_found_as_404
def switch(list_id: int, feed_id: int, act: str) -> ResponseReturnValue:
    """Pause a feed, or let it go on."""
    _feed_of(list_id, feed_id)
    manage_feeds.pause_feed(feed_id, paused=act == "pause", by=me().actor, now=utcnow())
    return _back(list_id, feed_id)


@feeds.post("/lists/<int:list_id>/feeds/<int:feed_id>/read")
@allow(Role.EDITOR)
@not_found_as_404
def ask(list_id: int, feed_id: int) -> ResponseReturnValue:
    """Have a feed read by the next worker that is free."""
    _feed_of(list_id, feed_id)
    try:
        manage_feeds.ask_now(feed_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    else:
        enqueue_feed(feed_id)
        flash(_("The feed will be read in a moment. Load this page again to see what came."))
    return _back(list_id, feed_id)


@feeds.post("/lists/<int:list_id>/feeds/<int:feed_id>/take")
@allow(Role.EDITOR)
@not_found_as_404
def take(list_id: int, feed_id: int) -> ResponseReturnValue:
    """Use the newest item, which was only seen so far."""
    _feed_of(list_id, feed_id)
    try:
        row = take_newest(feed_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
        return _back(list_id, feed_id)
    if row.broadcast_id is not None:
        return redirect(url_for("compose.edit", broadcast_id=row.broadcast_id))
    if row.story_id is not None:
        flash(_("The story is in the queue."), "success")
        return redirect(url_for("board.show", list_id=list_id, _anchor=f"story-{row.story_id}"))
    return _back(list_id, feed_id)


@feeds.post("/lists/<int:list_id>/feeds/<int:feed_id>/remove")
@allow(Role.ADMIN)
@not_found_as_404
def remove(list_id: int, feed_id: int) -> ResponseReturnValue:
    """Forget a feed; drafts and stories made of it stay."""
    _feed_of(list_id, feed_id)
    address = manage_feeds.remove_feed(feed_id, by=me().actor, now=utcnow())
    flash(_("%(address)s is not read any more. Drafts and stories made of it stay.", address=address))
    return redirect(url_for("feeds.index", list_id=list_id))


def _feed_of(list_id: int, feed_id: int) -> FeedRow:
    feed = manage_feeds.find_feed(feed_id)
    if feed.list_id != list_id:
        abort(404)
    return feed


def _back(list_id: int, feed_id: int) -> ResponseReturnValue:
    return redirect(url_for("feeds.show", list_id=list_id, feed_id=feed_id))


def _feed_page(feed: FeedRow, values: dict[str, Any], errors: Errors) -> str:
    return render_template(
        "feed.html",
        row=list_or_404(feed.list_id),
        feed=feed,
        items=manage_feeds.items_of(feed.id),
        fates={fate.value: fate for fate in Fate},
        lists=open_lists(),
        values=values,
        errors=errors,
        intervals=INTERVALS,
        parts=range(1, MOST_PARTS + 1),
        now=utcnow(),
    )


def _page(list_id: int, values: dict[str, Any], errors: Errors) -> str:
    return render_template(
        "feeds.html",
        row=list_or_404(list_id),
        feeds=manage_feeds.feeds_of(list_id),
        values=values,
        errors=errors,
        intervals=INTERVALS,
        parts=range(1, MOST_PARTS + 1),
        most=MOST_FEEDS,
        now=utcnow(),
    )
