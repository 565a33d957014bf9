"""`tidings subscribers reviews` and `decide`: texts that may have meant STOP."""

import click

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.commands.subscribers_ask import subscribers
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import decide_reviews, manage_subscribers

__all__ = ["subscribers"]


@subscribers.command("reviews")
@json_option
def reviews(as_json: bool) -> None:
    """List the people who are held because a text of theirs may have meant STOP, the most urgent first.

    \b
    Example:
      tidings subscribers reviews
    """
    rows = decide_reviews.held()
    cells = [(row.address, " / ".join(row.texts), row.why, row.due_at) for row in rows]
    say(
        rows,
        as_json,
        lambda: table(("who", "wrote", "why", "counts as STOP from"), cells, empty="Nobody is held."),
    )


@subscribers.command("decide")
@click.argument("address")
@click.option("--stop/--not-a-stop", "stop", default=None, required=True, help="What the text meant.")
@click.option("--channel", default="sms", show_default=True, help="Where the address is.")
@json_option
def decide(address: str, stop: bool, channel: str, as_json: bool) -> None:
    """Decide whether a held text meant STOP.

    \b
    Example:
      tidings subscribers decide "+1 202 555 0101" --stop
    """
    controller = runtime().controller
    person = manage_subscribers.show(address, channel=channel, controller=controller)
    decided = decide_reviews.decide(
        person.subscriber_id, stop=stop, by=f"operator:{operator()}", controller=controller, now=utcnow()
    )
    if decided.sender_id is not None:
        enqueue_lane(decided.sender_id, REPLIES)
    say(decided, as_json, lambda: "Stopped." if decided.stopped else "Not a stop: messages go on.")
