"""`tidings segments`: rules that choose part of a list, how many people they choose, and whom."""

import json
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.domain.addresses import mask
from app.services import manage_lists, manage_segments, read_segments
from app.services.controller import Refused
from app.storage.database import db
from app.storage.models import BroadcastList, SavedSegment

segments = AppGroup("segments", help="Rules that choose part of a list: how many people, and whom.")
_segment = click.argument("segment_id", metavar="SEGMENT", type=int)
PAGE = 1000


@segments.command("add")
@click.argument("list_name", metavar="LIST")
@click.argument("name")
@click.argument("rule")
@json_option
def add(list_name: str, name: str, rule: str, as_json: bool) -> None:
    """Save the RULE, which chooses part of LIST, under NAME. RULE is JSON, or @FILE.

    \b
    Example:
      tidings segments add NEWS Newcomers '{"conditions": [{"test": "joined_within", "of": 30}]}'
      tidings segments add NEWS Yes '{"conditions": [{"test": "answered", "of": {"broadcast": 7, "label": "Yes"}}]}'
    """
    found = manage_lists.find_list(db.session(), list_name)
    db.session.rollback()
    segment_id = manage_segments.add(
        found.id, name, manage_segments.read(_json(rule)), by=operator(), now=utcnow()
    )
    data = _data(manage_segments.segment(segment_id))
    say(data, as_json, lambda: f"Segment {segment_id} is saved. {data['sentence']}")


@segments.command("list")
@click.option("--list", "list_name", help="Only those of one list.")
@json_option
def list_segments(list_name: str | None, as_json: bool) -> None:
    """List the saved segments, each as a sentence.

    \b
    Example:
      tidings segments list --list NEWS
    """
    if list_name is None:
        rows = manage_segments.all_segments()
    else:
        rows = manage_segments.segments_of([manage_lists.find_list(db.session(), list_name).id])
    data = [_data(row) for row in rows]
    cells = [(one["id"], one["list"], one["name"], one["sentence"]) for one in data]
    headings = ("id", "list", "name", "whom")
    say(data, as_json, lambda: table(headings, cells, empty="No segment is saved."))


@segments.command("show")
@_segment
@json_option
def show(segment_id: int, as_json: bool) -> None:
    """Show a segment: its sentence, its rule as JSON, and who changed it last.

    \b
    Example:
      tidings segments show 3
    """
    row = manage_segments.segment(segment_id)
    data = _data(row) | {"rule": row.rule, "changed_by": row.changed_by, "changed_at": row.changed_at}
    lines = [
        f"Segment {row.id} “{row.name}” of {data['list']}",
        str(data["sentence"]),
        f"Last changed by {row.changed_by}, {row.changed_at:%Y-%m-%d %H:%M} UTC.",
        json.dumps(row.rule, ensure_ascii=False),
    ]
    say(data, as_json, lambda: "\n".join(lines))


@segments.command("count")
@_segment
@json_option
def count(segment_id: int, as_json: bool) -> None:
    """Count the people of a segment now, and how many of them can be written to.

    \b
    Example:
      tidings segments count 3
    """
    row = manage_segments.segment(segment_id)
    counted = read_segments.count(read_segments.rule_of(row), [row.list_id], utcnow())
    data = {"id": row.id, "people": counted.people, "reachable": counted.reachable}
    say(data, as_json, lambda: f"{counted.people} people, {counted.reachable} of them can be reached.")


@segments.command("people")
@_segment
@click.option("--masked", is_flag=True, help="Only the last digits of numbers, for a screen that others see.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@json_option
def people(segment_id: int, masked: bool, limit: int | None, as_json: bool) -> None:
    """Show who is in a segment now, in the order in which they came.

    \b
    Example:
      tidings segments people 3 --masked --limit 20
    """
    data = [
        {
            "id": one.id,
            "channel": one.channel,
            "address": mask(one.address) if masked else one.address,
            "language": one.language,
        }
        for one in _people(manage_segments.segment(segment_id), limit)
    ]
    headings = ("id", "channel", "address", "language")
    cells = [[one[name] for name in headings] for one in data]
    say(data, as_json, lambda: table(headings, cells, empty="Nobody is in this segment now."))


def _people(row: SavedSegment, limit: int | None) -> list[Any]:
    rule, now = read_segments.rule_of(row), utcnow()
    found: list[Any] = []
    while limit is None or len(found) < limit:
        wanted = PAGE if limit is None else min(PAGE, limit - len(found))
        after = found[-1].id if found else 0
        page = read_segments.people(rule, [row.list_id], now, limit=wanted, after=after)
        found += page
        if len(page) < wanted:
            break
    return found


def _data(row: SavedSegment) -> dict[str, Any]:
    return {
        "id": row.id,
        "list": db.session.get_one(BroadcastList, row.list_id).name,
        "name": row.name,
        "sentence": read_segments.in_words(read_segments.rule_of(row), [row.list_id], "en"),
    }


def _json(written: str) -> Any:
    try:
        text = Path(written[1:]).read_text("utf-8") if written.startswith("@") else written
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{written[1:]} cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise Refused(
            f"The rule is no JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
