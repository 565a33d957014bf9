"""`tidings broadcasts templates`, and what `create --template` does: list what is kept, and write from it."""

from typing import Any

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.domain.gaps import gaps_in
from app.services import manage_templates
from app.services.broadcast_rows import targets_of
from app.storage.database import db
from app.storage.variants import variants_of


@click.command("templates")
@json_option
@with_appcontext
def list_templates(as_json: bool) -> None:
    """List the templates that drafts can be written from, with the gaps to fill.

    \b
    Example:
      tidings broadcasts templates
    """
    session = db.session()
    data: list[dict[str, Any]] = [
        {
            "id": row.id,
            "name": row.title,
            "text": row.text,
            "lists": [one.name for one in targets_of(session, row.id)],
            "gaps": gaps_in(row.text, *variants_of(session, row.id).values()),
        }
        for row in manage_templates.all_templates()
    ]
    session.rollback()
    cells = [(one["id"], one["name"], ", ".join(one["lists"]), ", ".join(one["gaps"])) for one in data]
    empty = "No template is kept yet. At the desk, open a broadcast and choose “Keep as template”."
    say(data, as_json, lambda: table(("id", "name", "lists", "gaps"), cells, empty=empty))


def draft_from(name: str, title: str | None, fills: tuple[str, ...]) -> int:
    """Begin a draft from the template of that name; `fills` are `GAP=WORDS`. Raises `NotFound`, `Refused`."""
    words = dict(map(_pair, fills))
    row = manage_templates.named(name)
    template_id, gaps = row.id, gaps_in(row.text, *variants_of(db.session(), row.id).values())
    db.session.rollback()
    for gap in words:
        if gap not in gaps:
            there = ", ".join(gaps) or "none"
            raise click.UsageError(f"--fill {gap}=...: “{name}” has no such gap. Its gaps: {there}.")
    return manage_templates.write_from(
        template_id, title=title or "", fills=words, by=operator(), now=utcnow()
    )


def _pair(written: str) -> tuple[str, str]:
    gap, equals, words = written.partition("=")
    if not equals or not gap.strip() or not words.strip():
        raise click.UsageError(f"--fill {written} is not GAP=WORDS, such as place=Riverside.")
    return gap.strip(), words.strip()
