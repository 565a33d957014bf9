"""Send a correction: a draft for exactly those who got a message that was wrong."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.languages import in_language, moment
from app.desk.reading import broadcast_or_404, other_words, targets
from app.desk.refusals import translated
from app.domain.in_place import InPlace
from app.domain.wording import scope
from app.schemas import TEXT_MAX, TITLE_MAX
from app.services import correct_broadcasts, reports, stop_broadcasts
from app.services.controller import Refused
from app.services.manage_users import LANGUAGES
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

corrections = room("corrections", __name__)


@corrections.get("/broadcasts/<int:broadcast_id>/correct")
@allow(Role.EDITOR)
def ask(broadcast_id: int) -> ResponseReturnValue:
    """Say whom a correction would reach, and offer to hold the wrong message first while it is still being sent."""
    broadcast = broadcast_or_404(broadcast_id)
    if not broadcast.started_at:
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    had_it = correct_broadcasts.had_it(broadcast_id)
    at_once = had_it <= correct_broadcasts.COUNTED_AT_ONCE or "count" in request.args
    return render_template(
        "correct.html",
        broadcast=broadcast,
        tally=reports.tally(broadcast_id),
        had_it=had_it,
        earlier=correct_broadcasts.corrections_of(broadcast_id),
        at_once=at_once,
        ways=correct_broadcasts.ways_in_place(broadcast_id, utcnow())
        if at_once
        else correct_broadcasts.most_in_place(broadcast_id),
    )


@corrections.get("/broadcasts/<int:broadcast_id>/correct/count")
@allow(Role.EDITOR)
def count(broadcast_id: int) -> ResponseReturnValue:
    """The exact numbers, which follow where a page cannot wait for them."""
    broadcast_or_404(broadcast_id)
    return render_template(
        "correct_counted.html", ways=correct_broadcasts.ways_in_place(broadcast_id, utcnow())
    )


@corrections.post("/broadcasts/<int:broadcast_id>/correct/pause")
@allow(Role.EDITOR)
def pause(broadcast_id: int) -> ResponseReturnValue:
    """Hold the wrong message, and go on with its correction."""
    broadcast_or_404(broadcast_id)
    reason = "A correction is being written."  # kept in English; shown through the refusals' words
    try:
        stop_broadcasts.pause(broadcast_id, by=me().actor, reason=reason, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    return redirect(url_for("corrections.ask", broadcast_id=broadcast_id))


@corrections.post("/broadcasts/<int:broadcast_id>/correct")
@allow(Role.EDITOR)
def begin(broadcast_id: int) -> ResponseReturnValue:
    """Make the draft, with the old words to put right or with words that take the message back.

    Where messages are taken off the phones, the words are for everybody else: they say so.
    """
    broadcast, act = broadcast_or_404(broadcast_id), _act()
    back = request.form.get("act") == "retract" or act is InPlace.DELETE
    head = _("Taken back") if back else _("Correction")
    try:
        draft_id = correct_broadcasts.draft_correction(
            broadcast_id,
            title=f"{head}: {broadcast.title}"[:TITLE_MAX],
            text=_words(broadcast, back)[:TEXT_MAX],
            variants=_other_words(broadcast, back),
            by=me().actor,
            now=utcnow(),
            act=act,
        )
    except Refused as error:
        flash(translated(error), "error")
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    return redirect(url_for("compose.edit", broadcast_id=draft_id))


def _act() -> InPlace | None:
    """What is to be done with the messages on the phones; none of the choices is: nothing."""
    given = request.form.get("in_place", "")
    return InPlace(given) if given in list(InPlace) else None


def _words(broadcast: Broadcast, back: bool) -> str:
    """The text to begin with, in the language of the first list and with its clock."""
    lists = targets(broadcast.id)
    return _words_in(lists[0].language if lists else "en", broadcast, broadcast.text, back)


def _other_words(broadcast: Broadcast, back: bool) -> dict[str, str]:
    """The same for each language that had words of its own, as far as we speak it."""
    return {
        key: _words_in(scope(key).language, broadcast, text, back)[:TEXT_MAX]
        for key, text in other_words(broadcast.id).items()
        if scope(key).language in LANGUAGES
    }


def _words_in(language: str, broadcast: Broadcast, text: str, back: bool) -> str:
    lists = targets(broadcast.id)
    with in_language(language):
        if not back:
            return f"{_('Correction')}: {text}"
        zone = lists[0].zone if lists else broadcast.zone
        when = moment(broadcast.started_at, zone, "short") if broadcast.started_at else ""
        return _(
            "Our message of %(when)s was wrong, and we take it back. Please disregard it. We are sorry.",
            when=when,
        )
