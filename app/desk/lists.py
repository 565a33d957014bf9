"""Lists: what people subscribe to, with the promise that they were given."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.languages import zones
from app.desk.reading import further_senders, house_zone, ordinary_lists, senders
from app.desk.refusals import translated
from app.domain.sparklines import points
from app.runtime import runtime
from app.schemas import ListSchema
from app.services import manage_lists, reports
from app.services.controller import Refused
from app.services.figures.list_growth import lines
from app.storage.models.accounts import Role

lists = room("lists", __name__)


@lists.get("/lists")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Every list with its keyword, promise and number of people."""
    by_id = {sender.id: sender for sender in senders()}
    counts = reports.list_counts()
    rows = ordinary_lists()
    grown = lines({row.id: counts.get(row.id, 0) for row in rows}, now=utcnow())
    return render_template(
        "lists.html",
        rows=rows,
        counts=counts,
        lines={key: (points(line.people), line) for key, line in grown.items()},
        senders=by_id,
        further=further_senders(),
    )


@lists.get("/lists/new")
@allow(Role.ADMIN)
def new() -> ResponseReturnValue:
    """A form for a new list."""
    proposal = {"max_per_day": 3, "from_hour": 7, "until_hour": 21, "zone": house_zone()}
    return _page(proposal, {})


@lists.post("/lists/new")
@allow(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Open a new list; a keyword that is taken is refused with the name of the other list."""
    raw = posted()
    values, errors = load(ListSchema(), raw)
    if not errors and values["zone"] not in zones():
        errors = {"zone": _("Choose a time zone.")}
    if errors:
        return _page(raw, errors), 422
    try:
        manage_lists.create_list(**values, by=me().actor, controller=runtime().controller, now=utcnow())
    except Refused as error:
        return _page(raw, {"form": translated(error)}), 422
    flash(_("People can subscribe to “%(name)s” now.", name=values["name"]))
    return redirect(url_for("lists.index"))


def _page(values: dict[str, Any], errors: Errors) -> str:
    return render_template("list_new.html", values=values, errors=errors, senders=senders(), zones=zones())
