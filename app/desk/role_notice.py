"""Tells somebody who is signed in that their role has changed, once, on the next page that they open."""

from typing import Final

from flask import flash, session

from app.desk.languages import gettext as _
from app.storage.models.accounts import Role

_SEEN: Final = "role"


def tell(role: Role) -> None:
    """Flash what the person may do now where the session knows another role of theirs."""
    seen = session.get(_SEEN)
    if seen == role.value:
        return
    session[_SEEN] = role.value
    if seen is None:
        return
    if role is Role.ADMIN:
        flash(
            _(
                "Your role has changed: you are an admin now, and may change lists and accounts and see full numbers."
            )
        )
    else:
        flash(_("Your role has changed: you are an editor now. You write and send; numbers are masked."))
