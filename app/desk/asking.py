"""Ask for consent at the desk: somebody told us on paper or on the telephone that they want to be on a list."""

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors
from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.languages import moment
from app.desk.reading import house_zone, open_lists
from app.desk.refusals import translated
from app.domain.addresses import BadAddress, canonical
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services.controller import Refused
from app.services.manage_subscribers import Way
from app.services.questions import CHANNEL
from app.services.request_consent import MAX_EVIDENCE, Asked, request_consent
from app.storage.models.accounts import Role

asking = room("asking", __name__)

WAYS: Final = {
    Way.IN_PERSON.value: _l("In person"),
    Way.LETTER.value: _l("On paper"),
    Way.CALL.value: _l("On the telephone"),
    Way.EMAIL.value: _l("By e-mail"),
    Way.OTHER.value: _l("In another way"),
}
_FIELDS: Final = ("number", "list_id", "received_by", "evidence")


@asking.get("/people/ask")
@allow(Role.EDITOR)
def show() -> ResponseReturnValue:
    """The form."""
    return _page({}, {})


@asking.post("/people/ask")
@allow(Role.EDITOR)
def send() -> ResponseReturnValue:
    """Record the sign-up and put the question, or say why this person may not be asked."""
    values = {name: request.form.get(name, "").strip() for name in _FIELDS}
    if errors := _check(values):
        return _page(values, errors), 422
    try:
        asked = _ask(values)
    except Refused as refusal:
        return _page(values, {"form": translated(refusal)}), 422
    enqueue_lane(asked.sender_id, REPLIES)
    flash(
        _(
            "The question about “%(name)s” goes out: %(when)s. Only a YES subscribes.",
            name=asked.list_name,
            when=moment(asked.goes_at, house_zone(), "short"),
        )
    )
    return redirect(url_for("people.index"))


def _check(values: dict[str, str]) -> Errors:
    errors: Errors = {}
    try:
        canonical(CHANNEL, values["number"], runtime().controller.region)
    except BadAddress:
        errors["number"] = _("Write a phone number with its country code, such as +1 202 555 0123.")
    if values["list_id"] not in {str(row.id) for row in open_lists()}:
        errors["list_id"] = _("Choose a list.")
    if values["received_by"] not in WAYS:
        errors["received_by"] = _("Choose how it reached you.")
    if not values["evidence"]:
        errors["evidence"] = _("Say who asked for it and how.")
    return errors


def _ask(values: dict[str, str]) -> Asked:
    name = next(row.name for row in open_lists() if str(row.id) == values["list_id"])
    return request_consent(
        values["number"],
        list_name=name,
        evidence=values["evidence"],
        received_by=Way(values["received_by"]),
        link=f"{runtime().settings.public_url}/confirm",
        by=me().actor,
        controller=runtime().controller,
        now=utcnow(),
    )


def _page(values: dict[str, str], errors: Errors) -> str:
    return render_template(
        "ask.html", values=values, errors=errors, lists=open_lists(), ways=WAYS, longest=MAX_EVIDENCE
    )
