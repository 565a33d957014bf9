"""People, with the timeline of their consent; and the inbox of texts that no rule understood."""

from dataclasses import replace

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk import people_filter
from app.desk.access import allow, me, room
from app.desk.reading import house_zone
from app.desk.refusals import translated
from app.runtime import runtime
from app.services import find_people, person_timeline, read_inbox
from app.services.controller import NotFound, Refused
from app.services.filter_people import People, look_up
from app.services.set_place import set_place
from app.services.silent_people import silences
from app.storage.models.accounts import Role

people = room("people", __name__)


@people.get("/people")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Search by a full number or its last digits, and filter; a page at a time, the newest first."""
    wanted, before = people_filter.asked(), people_filter.before()
    page, error = People((), None), None
    if wanted:
        try:
            page = look_up(wanted, region=runtime().controller.region, before=before)
        except Refused as refusal:
            error = translated(refusal)
    return render_template(
        "people.html",
        asked=people_filter.as_query(wanted),
        filtered=bool(replace(wanted, query="")),
        choices=people_filter.choices(),
        rows=page.rows,
        before=page.before,
        paged=before is not None,
        error=error,
    )


@people.get("/people/<int:subscriber_id>")
@allow(Role.EDITOR)
def show(subscriber_id: int) -> ResponseReturnValue:
    """One person: lists, what forbids messages, and everything that happened."""
    try:
        person = find_people.person(subscriber_id)
        entries = person_timeline.timeline(subscriber_id, controller=runtime().controller)
    except NotFound:
        abort(404)
    return render_template(
        "person.html", person=person, entries=entries, silences=silences(subscriber_id), zone=house_zone()
    )


@people.route("/people/<int:subscriber_id>/place", methods=["GET", "POST"])
@allow(Role.EDITOR)
def place(subscriber_id: int) -> ResponseReturnValue:
    """Say in which town somebody is."""
    try:
        person = find_people.person(subscriber_id)
    except NotFound:
        abort(404)
    written, errors = request.form.get("place", person.place), {}
    if request.method == "POST":
        try:
            set_place(subscriber_id, written, by=me().actor, now=utcnow())
        except Refused as refusal:
            errors = {"place": translated(refusal)}
        else:
            return redirect(url_for("people.show", subscriber_id=subscriber_id))
    page = render_template("place.html", person=person, written=written, errors=errors)
    return page, 422 if errors else 200


@people.get("/inbox")
@allow(Role.EDITOR)
def inbox() -> ResponseReturnValue:
    """Texts that nobody has looked at yet."""
    return render_template("inbox.html", rows=read_inbox.unanswered(), zone=house_zone(), now=utcnow())


@people.post("/inbox/<int:inbound_id>/read")
@allow(Role.EDITOR)
def mark_read(inbound_id: int) -> ResponseReturnValue:
    """Put a text aside."""
    try:
        read_inbox.mark_read(inbound_id, now=utcnow())
    except NotFound:
        abort(404)
    return redirect(url_for("people.inbox"))
