"""Signing in and out, the language, the password."""

from dataclasses import replace
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from app.clock import utcnow
from app.desk.access import Person, allow, me, person_of, public, room
from app.desk.languages import gettext as _
from app.desk.refusals import translated
from app.desk.security import PER_ACCOUNT, PER_ADDRESS, account_key, limiter, refused
from app.services import manage_users
from app.services.controller import Refused
from app.storage.models.accounts import Role

account = room("account", __name__)


@account.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Ask for e-mail address and password."""
    if current_user.is_authenticated:
        return redirect(url_for("broadcasts.index"))
    return render_template("sign_in.html", email="", error=None)


@account.post("/sign-in")
@limiter.limit(PER_ADDRESS, deduct_when=refused)
@limiter.limit(PER_ACCOUNT, key_func=account_key, deduct_when=refused)
@public
def check_sign_in() -> ResponseReturnValue:
    """Let somebody in; the answer never tells whether the account exists."""
    email = request.form.get("email", "")
    user = manage_users.authenticate(email, request.form.get("password", ""))
    if user is None:
        error = _("This e-mail address and password do not belong together.")
        return render_template("sign_in.html", email=email, error=error), 422
    _enter(_speaking_as_chosen(person_of(user)))
    return redirect(safe_target(request.args.get("next")) or url_for("broadcasts.index"))


@account.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End the session."""
    logout_user()
    session.clear()
    return redirect(url_for("account.sign_in"))


@account.post("/language")
@public
def language() -> ResponseReturnValue:
    """Speak another language from here on; an account remembers it."""
    chosen = request.form.get("language", "")
    if chosen in manage_users.LANGUAGES:
        session["language"] = chosen
        if current_user.is_authenticated:
            manage_users.set_language(me().id, chosen)
    return redirect(safe_target(request.form.get("next")) or url_for("account.sign_in"))


@account.get("/account")
@allow(Role.EDITOR)
def show() -> ResponseReturnValue:
    """The account of the person signed in."""
    return render_template("account.html", errors={})


@account.post("/account")
@limiter.limit("10 per hour", key_func=lambda: f"password:{me().id}", deduct_when=refused)
@allow(Role.EDITOR)
def change_password() -> ResponseReturnValue:
    """Set a new password; other browsers are signed out, this one stays."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        epoch = manage_users.change_password(me().id, old=old, new=new, by=me().actor, now=utcnow())
    except Refused as error:
        return render_template("account.html", errors={"new": translated(error)}), 422
    _enter(replace(me(), epoch=epoch))
    flash(_("The password is changed. Other browsers are signed out."))
    return redirect(url_for("account.show"))


def safe_target(target: str | None) -> str | None:
    """A path on this site, or None: a link must not send people elsewhere after they signed in."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def _speaking_as_chosen(person: Person) -> Person:
    """The language chosen on the sign-in page is the last word of this person: the account remembers it."""
    chosen = session.get("language")
    if chosen not in manage_users.LANGUAGES or chosen == person.language:
        return person
    manage_users.set_language(person.id, chosen)
    return replace(person, language=chosen)


def _enter(person: Person) -> None:
    """Start a fresh session, so that nothing set before the sign-in lives on in it."""
    session.clear()
    login_user(person)
