"""`tidings audit`: the log of who did what at the desk and on the command line."""

from datetime import datetime, timedelta

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, say, table
from app.services import read_audit
from app.services.read_audit import Asked

audit = AppGroup("audit", help="Who did what at the desk and on the command line.")


@audit.command("list")
@click.option("--who", default="", help="A part of the name.")
@click.option(
    "--what", default="", help="A deed, such as broadcast.pause, or a kind of deed, such as broadcast."
)
@click.option("--subject", default="", help='A part of the thing that it was done to, such as "list 3".')
@click.option("--days", type=click.IntRange(1, 36525), help="Of the last so many days.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many lines.")
@click.option("--csv", "as_csv", is_flag=True, help="Write every line that was asked for as CSV.")
@json_option
def list_audit(
    who: str, what: str, subject: str, days: int | None, limit: int, as_csv: bool, as_json: bool
) -> None:
    """List the lines of the audit log, the newest first.

    \b
    Example:
      tidings audit list --what subscriber.erase --days 90
    """
    since: datetime | None = utcnow() - timedelta(days=days) if days else None
    asked = Asked(who, what, subject, since)
    if as_csv:
        for line in read_audit.as_csv(asked):
            click.echo(line, nl=False)
        return
    rows = read_audit.entries(asked, limit=limit)
    found = [
        {
            "id": row.id,
            "at": row.at,
            "who": row.actor,
            "what": row.action,
            "subject": row.subject,
            **_more(row.details),
        }
        for row in rows
    ]
    cells = [(row.at, row.actor, row.action, row.subject) for row in rows]
    say(found, as_json, lambda: table(("at", "who", "what", "subject"), cells, empty="Nothing was done."))


def _more(details: dict[str, object]) -> dict[str, object]:
    return {"details": details} if details else {}
