"""A second person's yes: asked for and given on the review, and on the board; admins say which lists need it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.choices import moment_fields
from app.desk.errors import not_found_as_404
from app.desk.forms import posted
from app.desk.languages import gettext as _
from app.desk.reading import broadcast_or_404, list_or_404
from app.desk.refusals import translated
from app.services import approval
from app.services.broadcast_rows import targets_of
from app.services.controller import Conflict, Refused
from app.storage.database import db
from app.storage.models import Broadcast
from app.storage.models.accounts import Role
from app.storage.versions import writer_of

approvals = room("approvals", __name__)


def approval_of(broadcast: Broadcast) -> dict[str, Any] | None:
    """Return what the review says of the yes; None where no list asks for one."""
    session = db.session()
    if not approval.asked_by_lists(targets_of(session, broadcast.id)):
        return None
    own = me().actor in (writer_of(session, broadcast), broadcast.approval_asked_by)
    mark = approval.mark_of(session, broadcast)
    return {"given": broadcast.approved_by, "asked": broadcast.approval_asked_by, "own": own, "mark": mark}


@approvals.post("/broadcasts/<int:broadcast_id>/approval/ask")
@allow(Role.EDITOR)
def ask(broadcast_id: int) -> ResponseReturnValue:
    """Put a draft before the others."""
    broadcast_or_404(broadcast_id)
    try:
        approval.ask(broadcast_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    else:
        flash(_("It stands among the drafts as waiting for a second person."))
    return _back(broadcast_id)


@approvals.post("/broadcasts/<int:broadcast_id>/approval/give")
@allow(Role.EDITOR)
def give(broadcast_id: int) -> ResponseReturnValue:
    """Say yes to what was shown."""
    broadcast_or_404(broadcast_id)
    try:
        approval.approve(broadcast_id, mark=request.form.get("mark", ""), by=me().actor, now=utcnow())
    except Conflict:
        flash(_("It was changed since you read it. Read it again."), "error")
    except Refused as error:
        flash(translated(error), "error")
    else:
        flash(_("Approved. Any change takes the yes away again."))
    return _back(broadcast_id)


@approvals.post("/board/<int:list_id>/stories/<int:story_id>/approve")
@allow(Role.EDITOR)
@not_found_as_404
def give_story(list_id: int, story_id: int) -> ResponseReturnValue:
    """Say yes to a story, so that a slot may take it."""
    revision = request.form.get("revision", 0, type=int)
    try:
        approval.approve_story(story_id, revision=revision, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    return redirect(url_for("board.show", list_id=list_id))


@approvals.get("/lists/<int:list_id>/approval")
@allow(Role.EDITOR)
def show(list_id: int) -> str:
    """Whether a list asks for a second person."""
    return render_template("approval.html", row=list_or_404(list_id))


@approvals.post("/lists/<int:list_id>/approval")
@allow(Role.ADMIN)
def change(list_id: int) -> ResponseReturnValue:
    """Ask for a second person from now on, or do not."""
    row = list_or_404(list_id)
    try:
        approval.set_approval(row.name, request.form.get("approval") == "yes", by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    else:
        flash(_("Saved. It holds for everything that has not been scheduled yet."))
    return redirect(url_for("approvals.show", list_id=list_id))


def _back(broadcast_id: int) -> Response:
    """Back to the sheet that was read: with its time or its rule, or without any."""
    fields = moment_fields(posted())
    page = "schedule.review" if "choice" in fields else "schedule.read"
    return redirect(url_for(page, broadcast_id=broadcast_id, **fields))
