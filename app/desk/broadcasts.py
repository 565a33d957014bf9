"""The first page: every broadcast by where it stands, and the buttons that move it on."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.languages import ngettext as n_
from app.desk.reading import (
    broadcast_or_404,
    broadcasts_in,
    list_names,
    tab_counts,
    targets,
)
from app.desk.refusals import translated
from app.desk.words import TABS
from app.domain.in_place import InPlace
from app.domain.statuses import BroadcastState
from app.queue import begin, wake_broadcast
from app.runtime import runtime
from app.services import (
    approval,
    reports,
    schedule_broadcasts,
    stop_broadcasts,
    try_again,
    undo_window,
    watch_broadcasts,
    write_drafts,
)
from app.services.controller import Refused
from app.services.figures.taken import taken_of
from app.services.read_rules import rules_among
from app.services.reports import Tally
from app.storage.database import db
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

PAGE_SIZE = 20

broadcasts = room("broadcasts", __name__)


@broadcasts.get("/")
@allow(Role.EDITOR)
def home() -> ResponseReturnValue:
    """The desk begins with the broadcasts."""
    return redirect(url_for("broadcasts.index"))


@broadcasts.get("/broadcasts")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """One tab of broadcasts; without a choice, the first that has something urgent in it."""
    counts = tab_counts()
    tab = request.args.get("tab", "")
    if tab not in TABS:
        tab = next((name for name in ("sending", "waiting", "drafts", "sent") if counts[name]), "drafts")
    page = min(max(1, request.args.get("page", 1, int)), 100_000)
    rows = broadcasts_in(tab, page=page, size=PAGE_SIZE)
    return render_template(
        "broadcasts.html",
        tab=tab,
        counts=counts,
        asked=approval.waiting_for(me().actor),
        page=page,
        more=len(rows) > PAGE_SIZE,
        **_shown(rows[:PAGE_SIZE]),
    )


@broadcasts.get("/broadcasts/<int:broadcast_id>/row")
@allow(Role.EDITOR)
def row(broadcast_id: int) -> ResponseReturnValue:
    """One row of the page, which renews itself while it is being sent and says when it is done."""
    broadcast = broadcast_or_404(broadcast_id)
    return render_template("broadcast_row.html", row=broadcast, **_shown([broadcast]))


@broadcasts.get("/broadcasts/<int:broadcast_id>/to-review")
@allow(Role.EDITOR)
def to_review(broadcast_id: int) -> ResponseReturnValue:
    """Go to the review of a draft that is complete, as if it went out now; else to what it lacks."""
    broadcast = broadcast_or_404(broadcast_id)
    lists = targets(broadcast_id)
    if not lists:
        return _lacks(broadcast_id, _("Choose at least one list."))
    if not broadcast.text.strip() and broadcast.in_place != InPlace.DELETE:
        return _lacks(broadcast_id, _("The text is empty."))
    return redirect(url_for("schedule.review", broadcast_id=broadcast_id, choice="now", zone=lists[0].zone))


@broadcasts.post("/broadcasts/<int:broadcast_id>/copy")
@allow(Role.EDITOR)
def copy(broadcast_id: int) -> ResponseReturnValue:
    """Begin a new draft with the text and lists of another broadcast."""
    broadcast_or_404(broadcast_id)
    new_id = write_drafts.copy_broadcast(broadcast_id, by=me().actor, now=utcnow())
    flash(_("This is a copy. Nothing is sent until you schedule it."))
    return redirect(url_for("compose.edit", broadcast_id=new_id))


@broadcasts.post("/broadcasts/<int:broadcast_id>/back-to-draft")
@allow(Role.EDITOR)
def back_to_draft(broadcast_id: int) -> ResponseReturnValue:
    """Take a waiting broadcast back to write on."""
    broadcast_or_404(broadcast_id)
    try:
        schedule_broadcasts.back_to_draft(broadcast_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
        return _progress(broadcast_id)
    flash(_("This is a draft again. It will not go out until you schedule it."))
    return redirect(url_for("compose.edit", broadcast_id=broadcast_id))


@broadcasts.post("/broadcasts/<int:broadcast_id>/start")
@allow(Role.EDITOR)
def start(broadcast_id: int) -> ResponseReturnValue:
    """Begin one that was sent "now" before the seconds are over in which it could be taken back."""
    broadcast_or_404(broadcast_id)
    now = utcnow()
    try:
        undo_window.skip(broadcast_id, window=runtime().settings.undo, by=me().actor, now=now)
    except Refused as error:
        flash(translated(error), "error")
    else:
        begin(broadcast_id, now)
    return _progress(broadcast_id)


@broadcasts.post("/broadcasts/<int:broadcast_id>/pause")
@allow(Role.EDITOR)
def pause(broadcast_id: int) -> ResponseReturnValue:
    """Hold a sending broadcast; it can go on later."""
    broadcast_or_404(broadcast_id)
    try:
        stop_broadcasts.pause(broadcast_id, by=me().actor, reason="", now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    return _progress(broadcast_id)


@broadcasts.post("/broadcasts/<int:broadcast_id>/resume")
@allow(Role.EDITOR)
def resume(broadcast_id: int) -> ResponseReturnValue:
    """Let a paused broadcast go on."""
    broadcast_or_404(broadcast_id)
    try:
        stop_broadcasts.resume(broadcast_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    else:
        wake_broadcast(broadcast_id)
    return _progress(broadcast_id)


@broadcasts.post("/broadcasts/<int:broadcast_id>/retry")
@allow(Role.EDITOR)
def retry(broadcast_id: int) -> ResponseReturnValue:
    """Send again to those with whom it failed and who may have it another time."""
    broadcast_or_404(broadcast_id)
    try:
        moved = try_again.try_again(
            broadcast_id, by=me().actor, controller=runtime().controller, now=utcnow()
        )
    except Refused as error:
        flash(translated(error), "error")
    else:
        flash(n_("%(n)s person is tried again.", "%(n)s people are tried again.", moved))
    return _progress(broadcast_id)


@broadcasts.post("/broadcasts/<int:broadcast_id>/release")
@allow(Role.EDITOR)
def release(broadcast_id: int) -> ResponseReturnValue:
    """Let the rest follow the first wave at once."""
    broadcast_or_404(broadcast_id)
    try:
        watch_broadcasts.release(broadcast_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    else:
        wake_broadcast(broadcast_id)
    return _progress(broadcast_id)


@broadcasts.get("/broadcasts/<int:broadcast_id>/stop")
@allow(Role.EDITOR)
def ask_stop(broadcast_id: int) -> ResponseReturnValue:
    """Say what stopping means before it is done, for it cannot be undone."""
    broadcast = broadcast_or_404(broadcast_id)
    tally = reports.tally(broadcast_id) if broadcast.started_at else None
    return render_template("stop.html", broadcast=broadcast, tally=tally)


@broadcasts.post("/broadcasts/<int:broadcast_id>/stop")
@allow(Role.EDITOR)
def stop(broadcast_id: int) -> ResponseReturnValue:
    """Stop a broadcast for good."""
    broadcast_or_404(broadcast_id)
    try:
        stop_broadcasts.cancel(broadcast_id, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    return _progress(broadcast_id)


def _shown(rows: Sequence[Broadcast]) -> dict[str, Any]:
    """What the rows of these broadcasts need to know; `polls` has the seconds after which one asks again."""
    ids, now = [one.id for one in rows], utcnow()
    tallies: dict[int, Tally] = {}
    polls: dict[int, int | None] = {}
    for one in rows:
        began = perf_counter()
        if one.started_at:
            tallies[one.id] = reports.tally(one.id)
        if one.state == BroadcastState.SENDING:
            polls[one.id] = row_seconds(perf_counter() - began)
    return {
        "rows": rows,
        "lists": list_names(ids),
        "tallies": tallies,
        "silent": taken_of(db.session(), list(tallies)),
        "polls": polls,
        "repeating": rules_among(ids),
        "now": now,
    }


def row_seconds(cost: float) -> int:
    """Seconds until a row may ask again: 2, and up to 15 when the answer took `cost` seconds to find."""
    return min(15, max(2, round(20 * cost)))


def _lacks(broadcast_id: int, what: str) -> ResponseReturnValue:
    flash(what, "error")
    return redirect(url_for("compose.edit", broadcast_id=broadcast_id))


def _progress(broadcast_id: int) -> ResponseReturnValue:
    return redirect(url_for("progress.show", broadcast_id=broadcast_id))
