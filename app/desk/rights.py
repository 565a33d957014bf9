"""People's rights at the desk, for admins: their data, erasure, open requests, and what is kept how long."""

import json

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.languages import gettext as _
from app.desk.languages import language
from app.desk.reading import house_zone
from app.desk.refusals import translated
from app.runtime import runtime
from app.services import find_people
from app.services.controller import NotFound, Refused
from app.services.rights import art30, erase_subscriber, export_person, retention, words
from app.services.rights import requests as asked
from app.storage.models.accounts import Role

rights = room("rights", __name__)

_FORMATS = {"html": "text/html", "json": "application/json"}
_STEPS = {"full": True, "restricted": False}


@rights.post("/people/<int:subscriber_id>/data")
@allow(Role.ADMIN)
def data(subscriber_id: int) -> ResponseReturnValue:
    """Everything that is held of one person, as a file to hand over. A POST, for it leaves a line in the audit log."""
    try:
        pack = export_person.export(
            subscriber_id,
            language=language(),
            periods=runtime().settings.retention,
            by=me().actor,
            controller=runtime().controller,
            now=utcnow(),
        )
    except NotFound:
        abort(404)
    kind = request.form.get("format", "html")
    body = export_person.page(pack) if kind == "html" else json.dumps(pack, ensure_ascii=False, indent=2)
    return _file(f"person-{subscriber_id}", kind, body)


@rights.get("/people/<int:subscriber_id>/erase")
@allow(Role.ADMIN)
def ask_erase(subscriber_id: int) -> ResponseReturnValue:
    """Say what would go and what stays, and why, before it is done."""
    return _erase_page(subscriber_id, None)


@rights.post("/people/<int:subscriber_id>/erase")
@allow(Role.ADMIN)
def erase(subscriber_id: int) -> ResponseReturnValue:
    """Erase one person for good."""
    step = request.form.get("step", "")
    if step not in _STEPS:
        return _erase_page(subscriber_id, _("Choose what becomes of the proof."))
    try:
        erase_subscriber.erase(
            subscriber_id,
            full=_STEPS[step],
            reason=request.form.get("reason", ""),
            by=me().actor,
            controller=runtime().controller,
            now=utcnow(),
        )
    except NotFound:
        abort(404)
    except Refused as error:
        flash(translated(error), "error")
        return redirect(url_for("people.show", subscriber_id=subscriber_id))
    flash(_("This person is erased. The entries and counts below lead to nobody."))
    return redirect(url_for("people.show", subscriber_id=subscriber_id))


@rights.get("/requests")
@allow(Role.ADMIN)
def requests() -> ResponseReturnValue:
    """Who asked to be erased, until when that must be done, and what was done lately."""
    ledger = runtime().controller.ledger
    return render_template(
        "requests.html",
        rows=asked.open_requests(ledger),
        done=asked.done_lately(ledger),
        zone=house_zone(),
        now=utcnow(),
    )


@rights.get("/retention")
@allow(Role.ADMIN)
def kept() -> ResponseReturnValue:
    """What is kept how long and why, what went lately, and the record of processing."""
    return render_template(
        "retention.html",
        rows=words.retention_table(language(), runtime().settings.retention),
        runs=retention.last_runs(),
        zone=house_zone(),
    )


@rights.get("/retention/art30.<kind>")
@allow(Role.ADMIN)
def record_of_processing(kind: str) -> ResponseReturnValue:
    """The record of processing activities in the reader's language, as a file."""
    pack = art30.record_of_processing(
        language=language(),
        periods=runtime().settings.retention,
        controller=runtime().controller,
        now=utcnow(),
    )
    return _file(
        "art30", kind, art30.page(pack) if kind == "html" else json.dumps(pack, ensure_ascii=False, indent=2)
    )


def requests_waiting() -> int:
    """How many people asked to be erased and were not yet."""
    return len(asked.open_requests(runtime().controller.ledger))


def _erase_page(subscriber_id: int, error: str | None) -> ResponseReturnValue:
    try:
        found = erase_subscriber.statement(subscriber_id)
        person = find_people.person(subscriber_id)
    except NotFound:
        abort(404)
    except Refused as refusal:
        flash(translated(refusal), "error")
        return redirect(url_for("people.show", subscriber_id=subscriber_id))
    proof_days = words.retention_table(language(), runtime().settings.retention)
    period = next(row["period"] for row in proof_days if row["kind"] == "proof")
    page = render_template("erase.html", person=person, found=found, error=error, period=period)
    return page, 422 if error else 200


def _file(name: str, kind: str, body: str) -> Response:
    if kind not in _FORMATS:
        abort(404)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{language()}.{kind}"'}
    return Response(body, mimetype=_FORMATS[kind], headers=headers)
