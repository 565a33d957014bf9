"""`tidings subscribers set`: what is known of a person besides their address."""

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, operator, say
from app.runtime import runtime
from app.services.set_place import set_place_at


@click.command("set")
@click.argument("address")
@click.option("--place", required=True, help="The town where they are; an empty one takes it away.")
@click.option("--channel", default="sms", show_default=True, help="Where the address is.")
@json_option
@with_appcontext
def set_known(address: str, place: str, channel: str, as_json: bool) -> None:
    """Note the town of the person at ADDRESS, by which segments can choose.

    \b
    Example:
      tidings subscribers set "+1 202 555 0101" --place Riverside
    """
    person = set_place_at(
        address, place, channel=channel, by=operator(), controller=runtime().controller, now=utcnow()
    )
    said = (
        f"{person.address} is in {person.place}." if person.place else f"{person.address}: no town is known."
    )
    say(person, as_json, lambda: said)
