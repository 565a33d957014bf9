"""Segments: a rule that chooses part of a list, built row by row, saved, and used for a broadcast."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk import segment_reactions
from app.desk.access import allow, me, room
from app.desk.forms import Errors
from app.desk.languages import gettext as _
from app.desk.languages import language
from app.desk.reading import broadcast_or_404, house_zone, list_or_404, targets
from app.desk.refusals import translated
from app.desk.segment_form import LABELS, Form, choices, error_of, form_of, posted_form
from app.domain.segments import BadSegment, Segment, parse
from app.domain.statuses import BroadcastState
from app.services import manage_segments, read_segments
from app.services.controller import Conflict, NotFound, Refused
from app.storage.models import Broadcast, SavedSegment
from app.storage.models.accounts import Role

segments = room("segments", __name__)


@segments.get("/lists/<int:list_id>/segments")
@allow(Role.EDITOR)
def index(list_id: int) -> ResponseReturnValue:
    """The saved segments of a list, each as a sentence."""
    row = list_or_404(list_id)
    return render_template(
        "segments.html",
        row=row,
        rows=[(one, said(one)) for one in manage_segments.segments_of([list_id])],
        zone=house_zone(),
    )


@segments.route("/lists/<int:list_id>/segments/new", methods=["GET", "POST"])
@allow(Role.EDITOR)
def new(list_id: int) -> ResponseReturnValue:
    """Build a segment of a list and save it under a name."""
    row = list_or_404(list_id)
    if request.method == "GET":
        return _page(row.id, None, Form())

    def save(name: str, rule: Segment) -> None:
        manage_segments.add(row.id, name, rule, by=me().actor, now=utcnow())

    return _take(row.id, None, save)


@segments.route("/lists/<int:list_id>/segments/<int:segment_id>", methods=["GET", "POST"])
@allow(Role.EDITOR)
def edit(list_id: int, segment_id: int) -> ResponseReturnValue:
    """Change a segment; a broadcast that has begun keeps the rule that it began with."""
    row = _segment_or_404(list_id, segment_id)
    if request.method == "GET":
        return _page(list_id, row, form_of(read_segments.rule_of(row)))
    given = request.form.get("revision", "")
    revision = int(given) if given.isdecimal() and len(given) < 10 else 0

    def save(name: str, rule: Segment) -> None:
        manage_segments.change(segment_id, name, rule, revision=revision, by=me().actor, now=utcnow())

    return _take(list_id, row, save)


@segments.post("/lists/<int:list_id>/segments/<int:segment_id>/remove")
@allow(Role.EDITOR)
def remove(list_id: int, segment_id: int) -> ResponseReturnValue:
    """Remove a segment; what waits for its time keeps the rule."""
    _segment_or_404(list_id, segment_id)
    try:
        name = manage_segments.remove(segment_id, by=me().actor, now=utcnow())
    except NotFound:
        abort(404)
    flash(_("“%(name)s” is removed.", name=name))
    return redirect(url_for("segments.index", list_id=list_id))


@segments.route("/broadcasts/<int:broadcast_id>/segment", methods=["GET", "POST"])
@allow(Role.EDITOR)
def choose(broadcast_id: int) -> ResponseReturnValue:
    """Let a draft go to all of its lists' people, to a saved segment, or to a rule of its own."""
    broadcast = broadcast_or_404(broadcast_id)
    if broadcast.state != BroadcastState.DRAFT or broadcast.corrects_id is not None:
        return redirect(url_for("progress.show", broadcast_id=broadcast_id))
    if request.method == "GET":
        own = broadcast.segment_rule
        form = form_of(parse(own)) if own else Form(but=broadcast.segment_but)
        return _choice_page(broadcast, form, _chosen_now(broadcast))
    form, act = posted_form(), request.form.get("act", "use")
    who = request.form.get("who", "all")
    if act != "use":
        return _choice_page(broadcast, form.pressed(act), "own" if act != "show" else who)
    try:
        _use(broadcast, who, form)
    except BadSegment as error:
        return _choice_page(broadcast, form, who, error_of(error)), 422
    except Refused as error:
        return _choice_page(broadcast, form, who, {"form": translated(error)}), 422
    return redirect(url_for("compose.edit", broadcast_id=broadcast_id))


def said(row: SavedSegment) -> str:
    """A saved segment as a sentence in the reader's language."""
    return read_segments.in_words(read_segments.rule_of(row), [row.list_id], language())


def segment_of(broadcast: Broadcast) -> dict[str, Any]:
    """What pages say of the part of its lists that a broadcast goes to: its sentence, its name if saved, and notes."""
    return {
        "segment_words": read_segments.said_of(broadcast, language()),
        "segment_name": read_segments.name_of(broadcast),
        "segment_notes": segment_reactions.notes(broadcast),
    }


def _chosen_now(broadcast: Broadcast) -> str:
    if broadcast.segment_id is not None:
        return f"saved:{broadcast.segment_id}"
    return "own"


def _use(broadcast: Broadcast, who: str, form: Form) -> None:
    """Do what was chosen; a rule of its own that was given a name is saved as well."""
    kind, _colon, number = who.partition(":")
    by, now = me().actor, utcnow()
    if kind == "saved" and number.isdecimal() and len(number) < 19:
        manage_segments.choose_saved(broadcast.id, int(number), by=by, now=now, but=form.but)
    elif kind == "own":
        rule, name = form.rule(), request.form.get("name", "").strip()
        lists = targets(broadcast.id)
        if name and lists:
            # The name is for the people of the conditions; the broadcast says whether it goes to them or to the others.
            segment_id = manage_segments.add(lists[0].id, name, replace(rule, but=False), by=by, now=now)
            manage_segments.choose_saved(broadcast.id, segment_id, by=by, now=now, but=rule.but)
        else:
            manage_segments.choose_rule(broadcast.id, rule, by=by, now=now)
    else:
        manage_segments.choose_all(broadcast.id, by=by, now=now)


def _take(
    list_id: int, row: SavedSegment | None, save: Callable[[str, Segment], None]
) -> ResponseReturnValue:
    """Do what a button of the form asked: add or remove a row, show the sentence, or save."""
    form, act, name = posted_form(), request.form.get("act", "save"), request.form.get("name", "").strip()
    if act != "save":
        return _page(list_id, row, form.pressed(act))
    try:
        save(name, form.rule())
    except BadSegment as error:
        return _page(list_id, row, form, error_of(error)), 422
    except Conflict as error:
        return _page(list_id, row, form, {"form": translated(error)}), 409
    except Refused as error:
        return _page(list_id, row, form, {"form": translated(error)}), 422
    flash(_("“%(name)s” is saved.", name=name))
    return redirect(url_for("segments.index", list_id=list_id))


def _segment_or_404(list_id: int, segment_id: int) -> SavedSegment:
    try:
        row = manage_segments.segment(segment_id)
    except NotFound:
        abort(404)
    if row.list_id != list_id:
        abort(404)
    return row


def _page(list_id: int, row: SavedSegment | None, form: Form, errors: Errors | None = None) -> str:
    return render_template(
        "segment.html",
        list=list_or_404(list_id),
        row=row,
        name=request.form.get("name", row.name if row else ""),
        errors=errors or {},
        **_built([list_id], form),
    )


def _choice_page(broadcast: Broadcast, form: Form, who: str, errors: Errors | None = None) -> str:
    list_ids = [one.id for one in targets(broadcast.id)]
    return render_template(
        "segment_choice.html",
        broadcast=broadcast,
        who=who,
        name=request.form.get("name", ""),
        saved=[(one, said(one)) for one in manage_segments.segments_of(list_ids)],
        lists=targets(broadcast.id),
        errors=errors or {},
        **_built(list_ids, form),
    )


def _built(list_ids: Sequence[int], form: Form) -> dict[str, Any]:
    """What the rows of the form need, and whom they choose, if they can be read so far."""
    try:
        rule = form.rule() if list_ids else None
    except BadSegment:
        rule = None
    return {
        "form": form,
        "labels": LABELS,
        "choices": choices(list_ids, form),
        "sentence": read_segments.in_words(rule, list_ids, language()) if rule else "",
        "counted": read_segments.count(rule, list_ids, utcnow()) if rule else None,
    }
