"""The day's board of a list: its slots, what each took or would take, the queue, and breaking stories."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk import story_form
from app.desk.access import allow, me, room
from app.desk.compose import changed
from app.desk.errors import not_found_as_404
from app.desk.forms import Errors, load, posted
from app.desk.languages import gettext as _
from app.desk.reading import list_or_404, ordinary_lists
from app.desk.refusals import translated
from app.desk.typed_number import is_asked, wrong_number
from app.domain.board import BadSlot
from app.queue import begin
from app.schemas import StorySchema
from app.services import board as boards
from app.services import find_people, stories
from app.services.board import Board
from app.services.controller import Conflict, Refused
from app.storage.models.accounts import Role

board = room("board", __name__)


@board.get("/board")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """The board of the default list, or the first one."""
    rows = sorted(ordinary_lists(), key=lambda row: not row.is_default)
    if not rows:
        return render_template("board_none.html")
    return redirect(url_for("board.show", list_id=rows[0].id))


@board.get("/board/<int:list_id>")
@allow(Role.EDITOR)
@not_found_as_404
def show(list_id: int) -> ResponseReturnValue:
    """The slots of today and the queue; with `?edit=7` the form holds that story."""
    found = boards.board_of(list_id, now=utcnow())
    edited = request.args.get("edit", type=int)
    row = next((one for one in found.queue if one.id == edited), None)
    return _page(found, story_form.values_of(row, found.zone) if row else {})


@board.post("/board/<int:list_id>/measure")
@allow(Role.EDITOR)
def measure(list_id: int) -> ResponseReturnValue:
    """The counter line, the warnings and the phone, for the story that is written just now."""
    list_or_404(list_id)
    text = str(posted().get("text", ""))
    return render_template("story_live.html", live=True, **story_form.looked_at(list_id, text))


@board.post("/board/<int:list_id>/stories")
@allow(Role.EDITOR)
@not_found_as_404
def save(list_id: int) -> ResponseReturnValue:
    """Add a story to the end of the queue, save one that is in it, or change its text as a button asked."""
    found = boards.board_of(list_id, now=utcnow())
    raw = posted()
    if (act := request.form.get("act", "save")) != "save":
        return _page(found, {**raw, "text": changed(act, {**raw, "list_ids": [list_id]})})
    values, errors = load(StorySchema(), raw)
    if errors:
        return _page(found, raw, errors), 422
    content = {"title": values["title"], "text": values["text"], "by": me().actor, "now": utcnow()}
    try:
        content["until"] = story_form.until_of(values, found.list.zone)
        if values["story"]:
            stories.change_story(values["story"], revision=values["revision"], **content)
        else:
            stories.add_story(list_id, **content)
    except Conflict:
        said = _("Somebody else saved this story in the meantime. Load it again, then make your change.")
        return _page(found, raw, {"form": said}), 409
    except Refused as error:
        return _page(found, raw, {"form": translated(error)}), 422
    flash(_("The story is in the queue."), "success")
    return redirect(url_for("board.show", list_id=list_id))


@board.post("/board/<int:list_id>/stories/<int:story_id>/<any(up, down, hold, release, drop):act>")
@allow(Role.EDITOR)
@not_found_as_404
def change(list_id: int, story_id: int, act: str) -> ResponseReturnValue:
    """Move a story, hold it, let it go again, or take it out."""
    by, now = me().actor, utcnow()
    acts: dict[str, Callable[[], object]] = {
        "up": lambda: stories.move_story(story_id, up=True, by=by, now=now),
        "down": lambda: stories.move_story(story_id, up=False, by=by, now=now),
        "hold": lambda: stories.hold_story(story_id, held=True, by=by, now=now),
        "release": lambda: stories.hold_story(story_id, held=False, by=by, now=now),
        "drop": lambda: stories.drop_story(story_id, by=by, now=now),
    }
    return _done(list_id, story_id, acts[act])


@board.post("/board/<int:list_id>/stories/<int:story_id>/place")
@allow(Role.EDITOR)
@not_found_as_404
def place(list_id: int, story_id: int) -> ResponseReturnValue:
    """Put a story at a place of the queue, as drag and keys do."""
    at = request.form.get("place", 1, type=int)
    return _done(list_id, story_id, lambda: stories.place_story(story_id, at, by=me().actor, now=utcnow()))


@board.post("/board/<int:list_id>/stories/<int:story_id>/breaking")
@allow(Role.EDITOR)
@not_found_as_404
def ask(list_id: int, story_id: int) -> ResponseReturnValue:
    """Ask a second person to let a story go at once."""
    reason = request.form.get("reason", "")
    return _done(
        list_id, story_id, lambda: boards.ask_to_break(story_id, reason, by=me().actor, now=utcnow())
    )


@board.post("/board/<int:list_id>/stories/<int:story_id>/yes")
@allow(Role.EDITOR)
@not_found_as_404
def let(list_id: int, story_id: int) -> ResponseReturnValue:
    """Say yes to a breaking story of somebody else: it goes out now."""
    revision = request.form.get("revision", 0, type=int)
    if errors := wrong_number(find_people.reachable([list_id]), request.form):
        flash(errors["typed"], "error")
        return redirect(url_for("board.show", list_id=list_id, _anchor=f"story-{story_id}"))
    try:
        broadcast_id = boards.let_break(story_id, revision=revision, by=me().actor, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
        return redirect(url_for("board.show", list_id=list_id))
    begin(broadcast_id, utcnow())
    return redirect(url_for("progress.show", broadcast_id=broadcast_id))


@board.post("/board/<int:list_id>/slots")
@allow(Role.ADMIN)
@not_found_as_404
def slots(list_id: int) -> ResponseReturnValue:
    """Give the list its times."""
    typed = request.form.get("times", "")
    try:
        boards.set_slots(list_id, typed.replace(",", " ").split(), by=me().actor, now=utcnow())
    except Refused as error:
        return _wrong_slots(list_id, typed, translated(error))
    except BadSlot as error:
        said = _("“%(time)s” is no time of day. Write the times as 07:30, 12:30, 18:00.", time=error.written)
        return _wrong_slots(list_id, typed, said)
    flash(_("The slots are saved."), "success")
    return redirect(url_for("board.show", list_id=list_id))


def _wrong_slots(list_id: int, typed: str, said: str) -> ResponseReturnValue:
    """The board with the times as they were typed, and what is wrong with them."""
    found = boards.board_of(list_id, now=utcnow())
    return _page(found, {}, slot_errors={"times": said}, typed=typed), 422


def _done(list_id: int, story_id: int, act: Callable[[], object]) -> ResponseReturnValue:
    try:
        act()
    except Refused as error:
        flash(translated(error), "error")
    return redirect(url_for("board.show", list_id=list_id, _anchor=f"story-{story_id}"))


def _page(
    found: Board,
    values: dict[str, Any],
    errors: Errors | None = None,
    *,
    slot_errors: Errors | None = None,
    typed: str = "",
) -> str:
    breaking = any(story.breaking_reason for story in found.queue)
    people = find_people.reachable([found.list.id]) if breaking else 0
    return render_template(
        "board.html",
        board=found,
        values=values,
        errors=errors or {},
        slot_errors=slot_errors or {},
        typed=typed,
        lists=ordinary_lists(),
        parts={row.id: story_form.checked(found.list.id, row.text) for row in found.queue},
        my_name=me().actor,
        number_to_type=people if is_asked(people) else None,
        now=utcnow(),
        live=False,
        **story_form.looked_at(found.list.id, str(values.get("text", ""))),
    )
