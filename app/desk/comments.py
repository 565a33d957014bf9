"""What authors say to each other about a draft, below its form."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.compose import draft_page
from app.desk.errors import not_found_as_404
from app.desk.reading import broadcast_or_404
from app.desk.refusals import translated
from app.domain.statuses import BroadcastState
from app.services import comments as remarks
from app.services.controller import Refused
from app.storage.models.accounts import Role

comments = room("comments", __name__)


@comments.post("/broadcasts/<int:broadcast_id>/comments")
@allow(Role.EDITOR)
def add(broadcast_id: int) -> ResponseReturnValue:
    """Say something about a draft."""
    broadcast, text = broadcast_or_404(broadcast_id), str(request.form.get("comment", ""))
    if broadcast.state != BroadcastState.DRAFT:
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    try:
        remarks.add(broadcast_id, text, by=me().actor, now=utcnow())
    except Refused as error:
        return draft_page(broadcast, {"comment": translated(error)}, text), 422
    return _back(broadcast_id)


@comments.post("/broadcasts/<int:broadcast_id>/comments/<int:comment_id>/<any(resolve, reopen):act>")
@allow(Role.EDITOR)
@not_found_as_404
def resolve(broadcast_id: int, comment_id: int, act: str) -> ResponseReturnValue:
    """Call a comment resolved, or open again."""
    remarks.resolve(broadcast_id, comment_id, resolved=act == "resolve", by=me().actor, now=utcnow())
    return _back(broadcast_id)


def _back(broadcast_id: int) -> Response:
    return redirect(url_for("compose.edit", broadcast_id=broadcast_id, _anchor="comments"))
