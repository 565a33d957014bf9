"""People who may use the desk; for admins."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.refusals import translated
from app.desk.words import ROLES
from app.schemas import UserSchema
from app.services import manage_users
from app.services.controller import NotFound, Refused
from app.storage.database import db
from app.storage.models import User
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


@users.get("/users/<int:user_id>/role")
@allow(Role.ADMIN)
def ask_role(user_id: int) -> ResponseReturnValue:
    """Which role somebody has, what each may do, and the button that changes it."""
    return _role_page(_user_or_404(user_id))


@users.post("/users/<int:user_id>/role")
@allow(Role.ADMIN)
def change_role(user_id: int) -> ResponseReturnValue:
    """Change it; the last admin stays one."""
    user = _user_or_404(user_id)
    name, wanted = user.name, request.form.get("role", "")
    if wanted not in list(Role):
        return _role_page(user, {"role": _("Choose a role.")}), 422
    role = Role(wanted)
    db.session.rollback()
    try:
        changed = manage_users.change_role(user_id, role, by=me().actor, now=utcnow())
    except Refused as error:
        return _role_page(_user_or_404(user_id), {"role": translated(error)}, wanted), 422
    if changed:
        flash(_("%(name)s has another role now: %(role)s.", name=name, role=ROLES[role]))
    still_admin = user_id != me().id or role is Role.ADMIN
    return redirect(url_for("users.index" if still_admin else "account.show"))


def _role_page(user: User, errors: Errors | None = None, chosen: str = "") -> str:
    return render_template("role.html", one=user, errors=errors or {}, chosen=chosen or user.role)


def _user_or_404(user_id: int) -> User:
    try:
        return manage_users.find_user(user_id)
    except NotFound:
        abort(404)


def _page(values: dict[str, str], errors: Errors) -> str:
    return render_template("users.html", people=manage_users.list_users(), values=values, errors=errors)
