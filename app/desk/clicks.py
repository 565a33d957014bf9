"""Whether a list counts how often its links are opened: off, by link, or also by who agreed to it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.reading import list_or_404
from app.desk.refusals import translated
from app.domain.clicks import SAYS
from app.domain.short_links import Clicks
from app.runtime import runtime
from app.services.controller import Refused
from app.services.short_links import set_clicks
from app.storage.models.accounts import Role

clicks = room("clicks", __name__)


@clicks.get("/lists/<int:list_id>/clicks")
@allow(Role.EDITOR)
def show(list_id: int) -> ResponseReturnValue:
    """What is counted, and what that means."""
    row = list_or_404(list_id)
    return _page(list_id, row.clicks, {})


@clicks.post("/lists/<int:list_id>/clicks")
@allow(Role.ADMIN)
def change(list_id: int) -> ResponseReturnValue:
    """Count another way from the next broadcast on."""
    row, chosen = list_or_404(list_id), request.form.get("clicks", "")
    if chosen not in list(Clicks):
        return _page(list_id, row.clicks, {"form": _("Choose what is counted.")}), 422
    try:
        set_clicks(
            row.name,
            Clicks(chosen),
            public_url=runtime().settings.public_url,
            by=me().actor,
            now=utcnow(),
        )
    except Refused as error:
        return _page(list_id, chosen, {"form": translated(error)}), 422
    flash(_("This holds from the next broadcast on that is scheduled."))
    return redirect(url_for("clicks.show", list_id=list_id))


def _page(list_id: int, chosen: str, errors: dict[str, str]) -> str:
    return render_template("clicks.html", row=list_or_404(list_id), chosen=chosen, errors=errors, says=SAYS)
