"""Saved texts: what drafts begin from, kept under a name."""

from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.reading import house_zone, ordinary_lists
from app.desk.refusals import translated
from app.schemas import SnippetSchema
from app.services import manage_snippets
from app.services.controller import Conflict, NotFound, Refused
from app.storage.database import db
from app.storage.models import Snippet
from app.storage.models.accounts import Role

saved_texts = room("saved_texts", __name__)


@saved_texts.get("/texts")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """All saved texts, and the form for a new one."""
    return _page(None, {}, {})


@saved_texts.post("/texts")
@allow(Role.EDITOR)
def add() -> ResponseReturnValue:
    """Keep a new text."""
    return _take(None)


@saved_texts.get("/texts/<int:snippet_id>")
@allow(Role.EDITOR)
def edit(snippet_id: int) -> ResponseReturnValue:
    """The form with a text that is kept."""
    row = _snippet_or_404(snippet_id)
    return _page(row, {"name": row.name, "text": row.text, "list_id": str(row.list_id or "")}, {})


@saved_texts.post("/texts/<int:snippet_id>")
@allow(Role.EDITOR)
def change(snippet_id: int) -> ResponseReturnValue:
    """Give it other words."""
    return _take(_snippet_or_404(snippet_id))


@saved_texts.post("/texts/<int:snippet_id>/remove")
@allow(Role.EDITOR)
def remove(snippet_id: int) -> ResponseReturnValue:
    """Remove it; drafts that began from it stay as they are."""
    try:
        name = manage_snippets.remove(snippet_id, by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    flash(_("“%(name)s” is removed.", name=name))
    return redirect(url_for("saved_texts.index"))


def _take(row: Snippet | None) -> ResponseReturnValue:
    raw = posted()
    values, errors = load(SnippetSchema(), raw)
    if errors:
        return _page(row, raw, errors), 422
    try:
        _store(row, values)
    except Conflict as error:
        return _page(row, raw, {"form": translated(error)}), 409
    except Refused as error:
        return _page(row, raw, {"form": translated(error)}), 422
    flash(_("“%(name)s” is saved.", name=values["name"]))
    return redirect(url_for("saved_texts.index"))


def _store(row: Snippet | None, values: dict[str, Any]) -> None:
    words = (values["name"], values["text"], values["list_id"])
    if row is None:
        manage_snippets.add(*words, by=me().actor, now=utcnow())
    else:
        manage_snippets.change(row.id, *words, revision=values["revision"], by=me().actor, now=utcnow())


def _snippet_or_404(snippet_id: int) -> Snippet:
    row = db.session.get(Snippet, snippet_id)
    if row is None:
        abort(404)
    return row


def _page(row: Snippet | None, values: dict[str, Any], errors: Errors) -> str:
    return render_template(
        "saved_texts.html",
        row=row,
        rows=manage_snippets.all_snippets() if row is None else [],
        values=values,
        errors=errors,
        lists=ordinary_lists(),
        zone=house_zone(),
    )
