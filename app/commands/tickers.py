"""`tidings tickers`: open a live event, write to its people, put the last message right, end it."""

import secrets
from datetime import datetime

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.lists import sender_id_of
from app.commands.output import json_option, operator, say, table
from app.domain.retention import Kept
from app.queue import enqueue_lane
from app.runtime import runtime
from app.services import post_ticker
from app.services import tickers as events
from app.services.broadcast_times import local_instant
from app.services.post_ticker import Posted
from app.services.tickers import FRESH_MINUTES, Plan, Said, TickerRow
from app.storage.database import db

tickers = AppGroup("tickers", help="Live events that end by themselves.")

_WALL = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"])


@tickers.command("create")
@click.argument("name")
@click.option("--keyword", required=True, help="The word that joins it, such as VOTE.")
@click.option("--purpose", required=True, help="What people get, in the words shown before they agree.")
@click.option("--begin", type=_WALL, help="When it begins, on the clock of --zone; left out: now.")
@click.option("--end", type=_WALL, required=True, help="When it ends, such as “2026-11-29 23:00”.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of the event.")
@click.option("--most", type=int, default=30, show_default=True, help="Promise: messages in all, at most.")
@click.option("--from-hour", type=int, default=0, show_default=True, help="Promise: not before this hour.")
@click.option("--until-hour", type=int, default=24, show_default=True, help="Promise: not after this hour.")
@click.option(
    "--fresh",
    type=int,
    default=FRESH_MINUTES,
    show_default=True,
    help="Minutes for which a message is of use.",
)
@click.option(
    "--erase-after",
    type=int,
    help="Promise: days after the end until who is on no other list is erased; left out: TIDINGS_RETENTION's.",
)
@click.option("--farewell", default="", help="Last words, sent by themselves five minutes before the end.")
@click.option("--sender", help="The sender it goes out of; may be left out when there is only one.")
@click.option("--language", default="en", show_default=True, help="Language of the event, such as de.")
@json_option
def create(
    name: str,
    keyword: str,
    purpose: str,
    begin: datetime | None,
    end: datetime,
    zone: str,
    most: int,
    from_hour: int,
    until_hour: int,
    fresh: int,
    erase_after: int | None,
    farewell: str,
    sender: str | None,
    language: str,
    as_json: bool,
) -> None:
    """Open the live event NAME. People may join it from now on until it ends.

    \b
    Example:
      tidings tickers create "Election night" --keyword VOTE --end "2026-11-29 23:00" \\
        --zone Europe/Berlin --purpose "Results as they come" --farewell "That was it. Good night."
    """
    now = utcnow()
    plan = Plan(
        name=name,
        keyword=keyword,
        purpose=purpose,
        language=language,
        begins_at=local_instant(begin, zone) if begin else now,
        ends_at=local_instant(end, zone),
        zone=zone,
        sender_id=sender_id_of(sender),
        most=most,
        from_hour=from_hour,
        until_hour=until_hour,
        fresh_minutes=fresh,
        erase_after_days=runtime().settings.retention[Kept.EVENTS] if erase_after is None else erase_after,
        farewell=farewell,
    )
    list_id = events.create(plan, by=operator(), controller=runtime().controller, now=now)
    row = events.ticker(list_id, now=now)
    say(row, as_json, lambda: _table([row]))


@tickers.command("list")
@click.option("--all", "ended", is_flag=True, help="Those that are over, too.")
@json_option
def list_tickers(ended: bool, as_json: bool) -> None:
    """List the live events with their end, messages and people.

    \b
    Example:
      tidings tickers list --all
    """
    rows = events.list_tickers(now=utcnow(), ended=ended)
    say(rows, as_json, lambda: _table(rows))


@tickers.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the last messages of the event NAME (or of that keyword) with what became of them.

    \b
    Example:
      tidings tickers show VOTE
    """
    rows = events.messages(events.named(name))
    say(rows, as_json, lambda: _said(rows))


@tickers.command("post")
@click.argument("name")
@click.argument("text")
@click.option("--correct", is_flag=True, help="Put the last message right with this one instead.")
@click.option("--token", default="", help="A name for this message: the same one twice sends it once.")
@json_option
def post(name: str, text: str, correct: bool, token: str, as_json: bool) -> None:
    """Send TEXT to the people of the event NAME at once.

    \b
    Example:
      tidings tickers post VOTE "First count: a tie." --token count-1
    """
    list_id = _found(name)
    act = post_ticker.correct_last if correct else post_ticker.post
    posted = act(
        list_id,
        text,
        token=token or secrets.token_urlsafe(16),
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    _wake(posted)
    words = "was sent before" if posted.again else "is on its way"
    say(posted, as_json, lambda: f"Message {posted.broadcast_id} {words}.")


@tickers.command("end")
@click.argument("name")
@click.option("--last", default="", help="Last words to send first.")
@json_option
def end(name: str, last: str, as_json: bool) -> None:
    """End the event NAME now: the clock ends every consent to it.

    \b
    Example:
      tidings tickers end VOTE --last "That was it. Good night."
    """
    list_id = _found(name)
    posted = post_ticker.close(list_id, last, by=operator(), controller=runtime().controller, now=utcnow())
    _wake(posted)
    row = events.ticker(list_id, now=utcnow())
    say(row, as_json, lambda: _table([row]))


def _found(name: str) -> int:
    list_id = events.named(name)
    db.session.rollback()  # what is read after the change shall be the change
    return list_id


def _wake(posted: Posted | None) -> None:
    for sender_id in posted.sender_ids if posted else ():
        enqueue_lane(sender_id)


def _table(rows: list[TickerRow]) -> str:
    return table(
        ("name", "keyword", "people", "messages", "begins", "ends", "fresh", "sender", "state"),
        [
            (
                row.name,
                row.keyword.upper(),
                row.people,
                f"{row.sent} of {row.most}",
                row.begins_at,
                row.closes_at,
                f"{row.fresh_minutes} min",
                row.sender,
                row.stage,
            )
            for row in rows
        ],
        empty="There is no live event. Make one with: tidings tickers create --help",
    )


def _said(rows: list[Said]) -> str:
    return table(
        ("id", "at", "state", "people", "delivered", "sent", "failed", "unknown", "skipped", "text"),
        [
            (
                row.broadcast_id,
                row.at,
                row.state,
                row.tally.audience,
                row.tally.delivered,
                row.tally.sent,
                row.tally.failed,
                row.tally.unknown,
                row.tally.skipped,
                row.text,
            )
            for row in rows
        ],
        empty="Nothing was said yet.",
    )
