"""Templates: keep a broadcast to write others from, look at what is kept, write from it, rename, remove."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors
from app.desk.language_form import scope_name
from app.desk.languages import gettext as _
from app.desk.reading import broadcast_or_404, house_zone, list_names, other_words
from app.desk.refusals import translated
from app.domain.gaps import gaps_in
from app.services import manage_templates
from app.services.controller import NotFound, Refused
from app.services.media.attach import attached_to
from app.services.rich_messages import stored
from app.storage.database import db
from app.storage.models import Broadcast
from app.storage.models.accounts import Role
from app.storage.variants import variants_of

templates = room("templates", __name__)


@templates.get("/templates")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """All templates, each with its main text."""
    rows = manage_templates.all_templates()
    return render_template(
        "templates.html", rows=rows, lists=list_names([row.id for row in rows]), zone=house_zone()
    )


@templates.get("/templates/<int:template_id>")
@allow(Role.EDITOR)
def show(template_id: int) -> ResponseReturnValue:
    """One template with every text, button and file, and the form for its name."""
    row = _template_or_404(template_id)
    return _page(row, row.title, {})


@templates.post("/templates/<int:template_id>")
@allow(Role.EDITOR)
def rename(template_id: int) -> ResponseReturnValue:
    """Give it another name."""
    row, name = _template_or_404(template_id), request.form.get("name", "")
    try:
        manage_templates.rename(row.id, name, by=me().actor, now=utcnow())
    except Refused as error:
        return _page(row, name, {"name": translated(error)}), 422
    flash(_("The template is called “%(name)s” now.", name=name.strip()))
    return redirect(url_for("templates.index"))


@templates.post("/templates/<int:template_id>/write")
@allow(Role.EDITOR)
def write(template_id: int) -> ResponseReturnValue:
    """Begin a draft from it."""
    row = _template_or_404(template_id)
    name = row.title
    try:
        draft_id = manage_templates.write_from(row.id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
        return redirect(url_for("templates.show", template_id=template_id))
    flash(_("This draft begins as the template “%(name)s”. Give it a title of its own.", name=name))
    return redirect(url_for("compose.edit", broadcast_id=draft_id))


@templates.get("/templates/<int:template_id>/remove")
@allow(Role.EDITOR)
def ask_remove(template_id: int) -> ResponseReturnValue:
    """Say what removing means before it is done."""
    return render_template("template_remove.html", row=_template_or_404(template_id))


@templates.post("/templates/<int:template_id>/remove")
@allow(Role.EDITOR)
def remove(template_id: int) -> ResponseReturnValue:
    """Remove it for good."""
    try:
        name = manage_templates.remove(template_id, by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    flash(_("“%(name)s” is removed.", name=name))
    return redirect(url_for("templates.index"))


@templates.get("/broadcasts/<int:broadcast_id>/template")
@allow(Role.EDITOR)
def ask_keep(broadcast_id: int) -> ResponseReturnValue:
    """Ask for the name under which a broadcast is kept."""
    broadcast = broadcast_or_404(broadcast_id)
    return _form(broadcast, broadcast.title, {})


@templates.post("/broadcasts/<int:broadcast_id>/template")
@allow(Role.EDITOR)
def keep(broadcast_id: int) -> ResponseReturnValue:
    """Keep what a broadcast says as a template."""
    broadcast, name = broadcast_or_404(broadcast_id), request.form.get("name", "")
    try:
        manage_templates.keep(broadcast.id, name, by=me().actor, now=utcnow())
    except Refused as error:
        return _form(broadcast, name, {"name": translated(error)}), 422
    flash(_("“%(name)s” is kept as a template.", name=name.strip()))
    return redirect(url_for("templates.index"))


def _template_or_404(template_id: int) -> Broadcast:
    try:
        return manage_templates.template(template_id)
    except NotFound:
        abort(404)


def _form(broadcast: Broadcast, name: str, errors: Errors) -> str:
    return render_template(
        "template_keep.html",
        broadcast=broadcast,
        values={"name": name},
        errors=errors,
        gaps=gaps_in(broadcast.text, *other_words(broadcast.id).values()),
    )


def _page(row: Broadcast, name: str, errors: Errors) -> str:
    session = db.session()
    variants = variants_of(session, row.id)
    return render_template(
        "template.html",
        row=row,
        values={"name": name},
        errors=errors,
        lists=list_names([row.id]).get(row.id, []),
        texts=[(scope_name(key), words) for key, words in variants.items()],
        rich=stored(session, row.id),
        files=attached_to(session, row.id),
        gaps=gaps_in(row.text, *variants.values()),
    )
