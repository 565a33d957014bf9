"""Texts that may have meant STOP: what was written, why it was held, how long is left, and two buttons."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.reading import house_zone
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import decide_reviews
from app.services.controller import Conflict, NotFound
from app.storage.models.accounts import Role

held = room("held", __name__)


@held.get("/held")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Everybody who is held, the most urgent first."""
    return render_template("held.html", rows=decide_reviews.held(), zone=house_zone(), now=utcnow())


@held.post("/held/<int:subscriber_id>")
@allow(Role.EDITOR)
def decide(subscriber_id: int) -> ResponseReturnValue:
    """Decide what somebody meant."""
    answer = request.form.get("meant")
    if answer not in ("stop", "no_stop"):
        abort(400)
    try:
        decided = decide_reviews.decide(
            subscriber_id,
            stop=answer == "stop",
            by=f"operator:{me().actor}",
            controller=runtime().controller,
            now=utcnow(),
        )
    except NotFound:
        abort(404)
    except Conflict:
        flash(_("This was decided already, by a colleague or by the person’s own words."), "error")
        return redirect(url_for("held.index"))
    if decided.sender_id is not None:
        enqueue_lane(decided.sender_id, REPLIES)
    flash(_("Stopped: no more messages.") if decided.stopped else _("Not a stop: messages go on."), "success")
    return redirect(url_for("held.index"))
