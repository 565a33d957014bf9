"""People, with the timeline of their consent; and the inbox of texts that no rule understood."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.reading import house_zone
from app.desk.refusals import translated
from app.runtime import runtime
from app.services import find_people, person_timeline, read_inbox
from app.services.controller import NotFound, Refused
from app.services.set_place import set_place
from app.storage.models.accounts import Role

people = room("people", __name__)


@people.get("/people")
@allow(Role.EDITOR)
def index() -> ResponseReturnValue:
    """Search by a full number or its last digits."""
    query = request.args.get("q", "").strip()
    rows, error = [], None
    if query:
        try:
            rows = find_people.search(query, region=runtime().controller.region)
        except Refused as refusal:
            error = translated(refusal)
    return render_template("people.html", query=query, rows=rows, error=error)


@people.get("/people/<int:subscriber_id>")
@allow(Role.EDITOR)
def show(subscriber_id: int) -> ResponseReturnValue:
    """One person: lists, what forbids messages, and everything that happened."""
    try:
        person = find_people.person(subscriber_id)
        entries = person_timeline.timeline(subscriber_id, controller=runtime().controller)
    except NotFound:
        abort(404)
    return render_template("person.html", person=person, entries=entries, zone=house_zone())


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
