"""`tidings moves`: ask the people of a list to join it on another channel, and see who came along."""

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.gateways.registry import build
from app.runtime import runtime
from app.services import move_channel

moves = AppGroup("moves", help="Moves of a list's people from one channel to another.")


@moves.command("ask")
@click.option("--list", "list_name", required=True, help="Whose people are asked.")
@click.option("--from", "from_channel", required=True, help="The channel where they are, such as sms.")
@click.option("--to", "to_sender", required=True, help="The sender where they shall join.")
@click.option("--text", required=True, help="What they read, with {{move_link}} where each one's link goes.")
@click.option("--close-old", is_flag=True, help="Who joins leaves the list on the old channel.")
@json_option
def ask(list_name: str, from_channel: str, to_sender: str, text: str, close_old: bool, as_json: bool) -> None:
    """Send everybody on the old channel a personal link that joins the new one.

    \b
    Example:
      tidings moves ask --list NEWS --from sms --to news-bot --text "From May on Telegram: {{move_link}}"
    """
    asking = move_channel.ask(
        list_name=list_name,
        from_channel=from_channel,
        to_sender=to_sender,
        text=text,
        closes_old=close_old,
        by=operator(),
        controller=runtime().controller,
        registry=build,
        now=utcnow(),
    )
    say(
        asking,
        as_json,
        lambda: f"move {asking.move_id}: broadcast {asking.broadcast_id} goes to {asking.people} people",
    )


@moves.command("show")
@json_option
def show(as_json: bool) -> None:
    """Show every move: who was asked, who joined, who left.

    \b
    Example:
      tidings moves show
    """
    rows = move_channel.progress()
    cells = [
        (
            one.move_id,
            one.list_name,
            one.from_channel,
            one.to_sender,
            one.asked,
            one.joined,
            one.left,
            one.waiting,
        )
        for one in rows
    ]
    heads = ("move", "list", "from", "to", "asked", "joined", "left", "waiting")
    say(rows, as_json, lambda: table(heads, cells, empty="Nobody was asked to move."))
