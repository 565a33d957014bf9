"""Change a list and close it: what people agreed to is said first, and stays."""

from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, load, posted
from app.desk.freshness import lengths
from app.desk.languages import gettext as _
from app.desk.languages import zones
from app.desk.reading import list_or_404
from app.desk.refusals import translated
from app.runtime import runtime
from app.schemas import ChangedListSchema
from app.services.change_list import Changes, change_list, people_promised
from app.services.close_list import begin_closing
from app.services.controller import Refused
from app.services.list_standing import standing
from app.services.send_missed import may_miss
from app.storage.database import db
from app.storage.models import BroadcastList
from app.storage.models.accounts import Role

list_change = room("list_change", __name__)


@list_change.get("/lists/<int:list_id>/change")
@allow(Role.ADMIN)
def change(list_id: int) -> ResponseReturnValue:
    """The form, with what cannot be changed and why."""
    row = list_or_404(list_id)
    if row.archived_at is not None or row.ends_at is not None:
        return redirect(url_for("list_page.show", list_id=list_id))
    return _page(row, vars(Changes.none_of(row)), {})


@list_change.post("/lists/<int:list_id>/change")
@allow(Role.ADMIN)
def save(list_id: int) -> ResponseReturnValue:
    """Change the list; a wider promise than people agreed to is refused."""
    row, raw = list_or_404(list_id), posted()
    values, errors = load(ChangedListSchema(), raw)
    if not errors and values["zone"] not in zones():
        errors = {"zone": _("Choose a time zone.")}
    if errors:
        return _page(row, raw, errors), 422
    # A default list has no box to tick: it is the default until another one is.
    values["is_default"] = values["is_default"] or row.is_default
    values["fresh_minutes"] = values["fresh_minutes"] or row.fresh_minutes
    wanted = replace(Changes.none_of(row), **values)
    db.session.rollback()
    try:
        written = change_list(list_id, wanted, by=me().actor, controller=runtime().controller, now=utcnow())
    except Refused as error:
        return _page(list_or_404(list_id), raw, {"form": translated(error)}), 422
    if written:
        flash(_("“%(name)s” is changed. People who join are shown new words from now on.", name=wanted.name))
    else:
        flash(_("“%(name)s” is saved.", name=wanted.name))
    return redirect(url_for("list_page.show", list_id=list_id))


@list_change.get("/lists/<int:list_id>/close")
@allow(Role.ADMIN)
def ask_close(list_id: int) -> ResponseReturnValue:
    """What happens when the list is closed, before it is."""
    row = list_or_404(list_id)
    if row.archived_at is not None or row.ends_at is not None:
        return redirect(url_for("list_page.show", list_id=list_id))
    return render_template("list_close.html", row=row, standing=standing(row), error="")


@list_change.post("/lists/<int:list_id>/close")
@allow(Role.ADMIN)
def close(list_id: int) -> ResponseReturnValue:
    """Close it; the clock ends the consents that are many."""
    row = list_or_404(list_id)
    if row.ends_at is not None:
        return redirect(url_for("list_page.show", list_id=list_id))
    name = row.name
    db.session.rollback()
    try:
        begin_closing(list_id, by=me().actor, controller=runtime().controller, now=utcnow())
    except Refused as error:
        row = list_or_404(list_id)
        page = render_template("list_close.html", row=row, standing=standing(row), error=translated(error))
        return page, 422
    flash(_("“%(name)s” is closed. Nobody can join it any more.", name=name))
    return redirect(url_for("list_page.show", list_id=list_id))


def _page(row: BroadcastList, values: dict[str, Any], errors: Errors) -> str:
    return render_template(
        "list_change.html",
        row=row,
        values=values,
        errors=errors,
        zones=zones(),
        lengths=lengths(row.fresh_minutes),
        people=people_promised(db.session(), row.id),
        may_miss=may_miss(db.session(), row.id),
    )
