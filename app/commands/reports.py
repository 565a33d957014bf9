"""`tidings reports`: what became of broadcasts and lists, one sheet at a time."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, say, table
from app.services.figures.sheets import LONGEST, SHEETS, Sheet, make, window
from app.services.manage_lists import find_list
from app.storage.database import db

reports = AppGroup("reports", help="What became of broadcasts and lists, as tables, CSV or JSON.")

_ABOUT = {
    "broadcasts": "Show each broadcast that began in this time, with what came of it and what it cost.",
    "days": "Show what became of the broadcasts that began on each day.",
    "lists": "Show what became of the broadcasts to each list; one to several lists counts in each.",
    "channels": "Show what went out of each sender.",
    "failures": "Show why people did not get a broadcast.",
    "growth": "Show who came to the lists and who left them, day by day.",
    "sources": "Show how people came and left, and where the link hung that they followed.",
    "hours": "Show what came of each hundred deliveries, by the hour at which the broadcast began.",
    "words": "Show what people texted, and how it was read.",
    "costs": "Show what the messages to the people of each list's word cost.",
}


def _command(name: str) -> Callable[..., None]:
    @click.option("--list", "list_name", help="Name or keyword of a list; all lists without it.")
    @click.option(
        "--days", type=click.IntRange(1, LONGEST), default=30, show_default=True, help="So many days."
    )
    @click.option("--csv", "as_csv", is_flag=True, help="Write CSV for spreadsheets.")
    @json_option
    @with_appcontext
    def show(list_name: str | None, days: int, as_csv: bool, as_json: bool) -> None:
        list_id = find_list(db.session(), list_name).id if list_name else None
        sheet = make(name, window(days, now=utcnow(), list_id=list_id))
        if as_csv:
            click.echo("".join(sheet.as_csv()), nl=False)
        else:
            say(sheet.as_dicts(), as_json, lambda: in_words(sheet))

    show.__doc__ = f"""{_ABOUT[name]}

    \b
    Example:
      tidings reports {name} --list NEWS --days 90
    """
    return show


for _name in SHEETS:
    reports.command(_name)(_command(_name))


def in_words(sheet: Sheet) -> str:
    """Return a sheet as a table to read; moments carry their zone, which is the list's or the house's."""
    rows = [[_cell(value) for value in row] for row in sheet.rows]
    headings = [name.replace("_", " ") for name in sheet.columns]
    return table(headings, rows, empty="Nothing in this time.")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "few" if value else ""
    if isinstance(value, datetime):
        name = f"{value:%Z}"
        return f"{value:%Y-%m-%d %H:%M} {'UTC' if name[:1] in '+-' else ''}{name}"
    return value.isoformat() if isinstance(value, date) else value
