"""Rehearse a broadcast: ask for it, and read what earlier rehearsals found."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.reading import broadcast_or_404, targets
from app.desk.refusals import translated
from app.domain.rehearsal import BadFaults, Faults
from app.domain.statuses import BroadcastState
from app.queue import enqueue_rehearsal
from app.services import rehearsals
from app.services.controller import Refused
from app.storage.models.accounts import Role

FAULTS: Final = {
    "throttle": _l("Told to slow down (429), per cent"),
    "errors": _l("Provider out of order (503), per cent"),
    "cut": _l("Connection cut before it took the message, per cent"),
    "lost": _l("Answer lost after it took the message, per cent"),
    "slow": _l("Milliseconds before each answer"),
}
_GOING_ON: Final = ("asked", "running")

rehearsing = room("rehearsing", __name__)


@rehearsing.get("/broadcasts/<int:broadcast_id>/rehearsal")
@allow(Role.EDITOR)
def show(broadcast_id: int) -> ResponseReturnValue:
    """The button, and the reports."""
    return _page(broadcast_id, {one.name: one.default for one in fields(Faults)}, "")


@rehearsing.get("/broadcasts/<int:broadcast_id>/rehearsal/live")
@allow(Role.EDITOR)
def live(broadcast_id: int) -> ResponseReturnValue:
    """The reports, which renew themselves while a rehearsal is going on."""
    return render_template("rehearsal_live.html", **_reports(broadcast_id))


@rehearsing.post("/broadcasts/<int:broadcast_id>/rehearsal")
@allow(Role.EDITOR)
def begin(broadcast_id: int) -> ResponseReturnValue:
    """Ask for a rehearsal."""
    broadcast_or_404(broadcast_id)
    given = {name: request.form.get(name, "").strip() for name in FAULTS}
    try:
        faults = Faults.parse(", ".join(f"{name}={value}" for name, value in given.items() if value))
        rehearsal_id = rehearsals.ask(broadcast_id, faults, by=me().actor, now=utcnow())
    except BadFaults:
        words = _("Write numbers: at most 50 per cent together, and an answer at most 2000 ms late.")
        return _page(broadcast_id, given, words), 422
    except Refused as error:
        return _page(broadcast_id, given, translated(error)), 422
    enqueue_rehearsal(rehearsal_id)
    flash(_("The rehearsal begins. Nothing of it leaves this machine."))
    return redirect(url_for("rehearsing.show", broadcast_id=broadcast_id, **_moment()))


def _moment() -> dict[str, Any]:
    """The moment that was chosen before somebody came here from the review; a draft does not know it."""
    return {name: request.args[name] for name in ("choice", "day", "hour", "zone") if name in request.args}


def _page(broadcast_id: int, values: Mapping[str, object], error: str) -> str:
    return render_template(
        "rehearsal.html",
        values=values,
        errors={"form": error} if error else {},
        faults=FAULTS,
        moment_chosen=_moment(),
        **_reports(broadcast_id),
    )


def _reports(broadcast_id: int) -> dict[str, object]:
    broadcast = broadcast_or_404(broadcast_id)
    rows, lists = rehearsals.of_broadcast(broadcast_id), targets(broadcast_id)
    fresh = [
        one for one in rows if one.state in _GOING_ON and one.asked_at > utcnow() - rehearsals.GIVEN_UP_AFTER
    ]
    return {
        "broadcast": broadcast,
        "rows": rows,
        "poll": 2 if fresh else None,
        "may_begin": broadcast.state in (BroadcastState.DRAFT, BroadcastState.SCHEDULED) and not fresh,
        "zone": lists[0].zone if lists else broadcast.zone,
        "now": utcnow(),
    }
