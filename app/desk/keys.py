"""The keys of the desk: what they do, the page that lists them, and the switch that turns them off."""

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.services import manage_users
from app.storage.models.accounts import Role

keys = room("keys", __name__)

PLACES: Final = {
    "b": ("broadcasts.index", _l("Broadcasts")),
    "t": ("board.index", _l("Today")),
    "l": ("lists.index", _l("Lists")),
    "p": ("people.index", _l("People")),
    "i": ("people.inbox", _l("Inbox")),
    "r": ("reports.index", _l("Reports")),
}
"""Letter after `g` -> the page that it leads to, and its name."""

KEYS: Final = (
    (("?",), _l("Show these keys")),
    (("/",), _l("Search for a person")),
    ((_l("Ctrl"), "S"), _l("Save what is being written")),
    ((_l("Ctrl"), "Enter"), _l("Go on to the time, then to the review; nothing is sent by it")),
    (("Alt", "↑"), _l("Today: move a story up; with ↓ down")),
    (("Esc",), _l("Close what is open")),
)
"""Keys that are pressed together, and what they do; those of `PLACES` come on top."""


@keys.get("/keys")
@allow(Role.EDITOR)
def show() -> ResponseReturnValue:
    """All keys on a page of their own, for whoever has no JavaScript, and the switch."""
    return render_template("keys.html")


@keys.post("/keys")
@allow(Role.EDITOR)
def switch() -> ResponseReturnValue:
    """Turn the keys on or off for this account."""
    on = request.form.get("on") == "1"
    manage_users.set_shortcuts(me().id, on=on)
    flash(_("The keys are on.") if on else _("The keys are off."))
    return redirect(url_for("keys.show"))
