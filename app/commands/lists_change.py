"""`tidings lists change` and `archive`: another name or a stricter promise for a list, and its end."""

from dataclasses import replace

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, operator, say
from app.runtime import runtime
from app.services.broadcast_times import MOST_FRESH_MINUTES
from app.services.change_list import Changes, change_list
from app.services.close_list import close_list
from app.services.manage_lists import find_list
from app.storage.database import db


@click.command("change")
@click.argument("name")
@click.option("--name", "new_name", help="What the list is called from now on.")
@click.option("--language", help="Language of the list, such as de.")
@click.option("--max-per-day", type=int, help="Promise: messages a day at most.")
@click.option("--from-hour", type=int, help="Promise: not before this hour.")
@click.option("--until-hour", type=int, help="Promise: not after this hour.")
@click.option("--zone", help="Time zone of these hours, such as Europe/Berlin.")
@click.option(
    "--fresh-for",
    "fresh_minutes",
    type=click.IntRange(1, MOST_FRESH_MINUTES),
    help="New broadcasts are worth sending for so many minutes.",
)
@click.option(
    "--send-missed/--no-send-missed",
    "sends_missed",
    default=None,
    help="Whoever writes gets the newest broadcast that their channel was closed to, as Messenger is after a day.",
)
@click.option("--default", "is_default", is_flag=True, default=None, help="A bare START joins this list.")
@json_option
@with_appcontext
def change(
    name: str,
    new_name: str | None,
    language: str | None,
    max_per_day: int | None,
    from_hour: int | None,
    until_hour: int | None,
    zone: str | None,
    fresh_minutes: int | None,
    sends_missed: bool | None,
    is_default: bool | None,
    as_json: bool,
) -> None:
    """Change the list NAME (or of that keyword). What is not given stays.

    While people are on it, the promise may only become stricter, for they agreed to it. Its word never changes; what
    it is for is changed with its notice: tidings lists notice.

    \b
    Example:
      tidings lists change NEWS --name "Daily news" --max-per-day 2
    """
    found = find_list(db.session(), name)
    given = {
        "name": new_name,
        "language": language,
        "max_per_day": max_per_day,
        "from_hour": from_hour,
        "until_hour": until_hour,
        "zone": zone,
        "fresh_minutes": fresh_minutes,
        "sends_missed": sends_missed,
        "is_default": is_default,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("Say what to change, for example --max-per-day 2.")
    wanted = replace(Changes.none_of(found), **changes)  # type: ignore[arg-type]
    list_id = found.id
    db.session.rollback()
    written = change_list(list_id, wanted, by=operator(), controller=runtime().controller, now=utcnow())
    said = f"“{wanted.name}” is changed; {written} new notices are shown from now on."
    say({"id": list_id, "name": wanted.name, "notices": written}, as_json, lambda: said)


@click.command("archive")
@click.argument("name")
@json_option
@with_appcontext
def archive(name: str, as_json: bool) -> None:
    """Close the list NAME (or of that keyword): nobody can join it, every consent to it ends, its history stays.

    Refused while a broadcast to it is not out yet, which is named.

    \b
    Example:
      tidings lists archive "Morning news"
    """
    ended = close_list(name, by=operator(), controller=runtime().controller, now=utcnow())
    said = {"closed": name, "ended": ended}
    say(said, as_json, lambda: f"“{name}” is closed. The consent of {ended} people to it has ended.")
