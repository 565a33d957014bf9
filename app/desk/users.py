"""People who may use the desk; for admins."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.refusals import translated
from app.schemas import UserSchema
from app.services import manage_users
from app.services.controller import NotFound, Refused
from app.storage.models.accounts import Role

users = room("users", __name__)


@users.get("/users")
@allow(Role.ADMIN)
def index() -> ResponseReturnValue:
    """Everybody with an account, and a form for one more."""
    return _page({}, {})


@users.post("/users")
@allow(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Add a person."""
    raw = posted()
    values, errors = load(UserSchema(), raw)
    if errors:
        return _page(raw, errors), 422
    try:
        manage_users.create_user(**{**values, "role": Role(values["role"])}, by=me().actor, now=utcnow())
    except Refused as error:
        return _page(raw, {"form": translated(error)}), 422
    flash(_("%(name)s can sign in now.", name=values["name"]))
    return redirect(url_for("users.index"))


@users.post("/users/<int:user_id>/<any(disable, enable):act>")
@allow(Role.ADMIN)
def switch(user_id: int, act: str) -> ResponseReturnValue:
    """Close an account, or open it again."""
    change = manage_users.disable_user if act == "disable" else manage_users.enable_user
    try:
        change(user_id, by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    except Refused as error:
        flash(translated(error), "error")
    return redirect(url_for("users.index"))


@users.post("/users/<int:user_id>/password")
@allow(Role.ADMIN)
def set_password(user_id: int) -> ResponseReturnValue:
    """Give a person who forgot it a new password."""
    try:
        manage_users.set_password(user_id, new=request.form.get("password", ""), by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    except Refused as error:
        flash(translated(error), "error")
    else:
        flash(_("The password is changed and the person signed out everywhere."))
    return redirect(url_for("users.index"))


def _page(values: dict[str, str], errors: Errors) -> str:
    return render_template("users.html", people=manage_users.list_users(), values=values, errors=errors)
