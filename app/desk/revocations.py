"""Record at the desk that somebody asked us to stop by a call, a letter or an e-mail (FCC 64.1200(a)(11))."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.reading import house_zone
from app.desk.refusals import translated
from app.domain.addresses import BadAddress, canonical
from app.runtime import runtime
from app.services import find_people, manage_subscribers
from app.services.controller import NotFound, Refused
from app.services.find_people import PersonRow
from app.services.import_rows import read_moment
from app.services.manage_subscribers import MAX_REASON, Person, Way
from app.storage.models.accounts import Role

revocations = room("revocations", __name__)

WAYS: Final = {
    Way.CALL.value: _l("On the telephone"),
    Way.LETTER.value: _l("By letter"),
    Way.EMAIL.value: _l("By e-mail"),
    Way.IN_PERSON.value: _l("In person"),
    Way.OTHER.value: _l("In another way"),
}
CHANNEL: Final = "sms"
_FIELDS: Final = ("number", "received_by", "day", "hour", "reason")


@revocations.get("/people/stop")
@revocations.get("/people/<int:subscriber_id>/stop")
@allow(Role.EDITOR)
def show(subscriber_id: int | None = None) -> ResponseReturnValue:
    """The form, for one person or for a number that nobody may have met."""
    return _page(_person(subscriber_id), {}, {})


@revocations.post("/people/stop")
@revocations.post("/people/<int:subscriber_id>/stop")
@allow(Role.EDITOR)
def record(subscriber_id: int | None = None) -> ResponseReturnValue:
    """End every consent of this address now, and keep how and when the wish reached us."""
    person = _person(subscriber_id)
    values = {name: request.form.get(name, "").strip() for name in _FIELDS}
    received_at = _received_at(values)
    if errors := _check(values, person, received_at):
        return _page(person, values, errors), 422
    try:
        stopped = _opt_out(values, person, received_at)
    except Refused as refusal:
        return _page(person, values, {"form": translated(refusal)}), 422
    flash(_("Recorded. Nothing goes to this number any more, and no import brings it back."))
    return redirect(url_for("people.show", subscriber_id=stopped.subscriber_id))


def _person(subscriber_id: int | None) -> PersonRow | None:
    if subscriber_id is None:
        return None
    try:
        person = find_people.person(subscriber_id)
    except NotFound:
        abort(404)
    if "erased" in person.overlays:
        abort(404)
    return person


def _received_at(values: dict[str, str]) -> datetime | None:
    """When it reached us, on the clocks of the house; a day without an hour is its beginning."""
    return read_moment(f"{values['day']}T{values['hour'] or '00:00'}", ZoneInfo(house_zone()))


def _check(values: dict[str, str], person: PersonRow | None, received_at: datetime | None) -> Errors:
    errors: Errors = {}
    if person is None:
        try:
            canonical(CHANNEL, values["number"], runtime().controller.region)
        except BadAddress:
            errors["number"] = _("Write a phone number with its country code, such as +1 202 555 0123.")
    if values["received_by"] not in WAYS:
        errors["received_by"] = _("Choose how it reached you.")
    if received_at is None:
        errors["day"] = _("Choose the day on which it reached you, and the hour if you know it.")
    elif received_at > utcnow():
        errors["day"] = _("This is in the future. Choose when it reached you.")
    if not values["reason"]:
        errors["reason"] = _("Say what the person said, or who took the call.")
    return errors


def _opt_out(values: dict[str, str], person: PersonRow | None, received_at: datetime | None) -> Person:
    return manage_subscribers.opt_out(
        person.address if person else values["number"],
        reason=values["reason"],
        received_by=Way(values["received_by"]),
        received_at=received_at,
        channel=person.channel if person else CHANNEL,
        by=me().actor,
        controller=runtime().controller,
        now=utcnow(),
    )


def _page(person: PersonRow | None, values: dict[str, str], errors: Errors) -> str:
    today = utcnow().astimezone(ZoneInfo(house_zone())).date().isoformat()
    return render_template(
        "revocation.html",
        person=person,
        values={"day": today, **values},
        errors=errors,
        ways=WAYS,
        longest=MAX_REASON,
        zone=house_zone(),
    )
