"""The notice of a list: its versions for everybody, and the editor for admins, with what is missing and a preview."""

from typing import Any, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.forms import Errors, posted
from app.desk.languages import gettext as _
from app.desk.languages import inside_quotes
from app.desk.languages import lazy_gettext as _l
from app.desk.languages import ngettext as _n
from app.desk.reading import house_zone, sender_of
from app.desk.refusals import translated
from app.domain.parts import plain_quotes
from app.domain.policy.content import Finding
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import ask_again
from app.services import notices as service
from app.services.controller import Conflict, NotFound, Refused
from app.services.list_notices import NOTICE_LANGUAGES
from app.services.notices import Draft
from app.storage.database import db
from app.storage.models import BroadcastList
from app.storage.models.accounts import Role

notices = room("notices", __name__)

MOST_AT_A_CLICK: Final = 2000

_FINDINGS: Final = {
    "no_brand": _l("Missing: who is writing. Add: %(brand)s"),
    "no_programme": _l("Missing: the name of the list. Add: %(list_name)s"),
    "no_frequency": _l("Missing: how often, as the list promises it. Add: %(frequency)s"),
    "no_privacy": _l("Missing: the link to the privacy page. Add %(privacy_url)s"),
    "no_help": _l("Missing: how to get help. Add: Reply HELP for help."),
    "no_stop": _l("Missing: how to leave. Add: Reply STOP to end."),
    "no_rates": _l("Missing: the line on costs that carriers ask for. Add: Msg&data rates may apply."),
    "too_long": _l("Too long: %(n)s parts. It may have two, for it is the first text that people get."),
    "ucs2": _l("%(signs)s makes each part hold 70 characters instead of 160."),
    "short_link": _l("Carriers filter public link shorteners. Use the full link."),
    "numeric_opt_out": _l("“%(where)s”: a number is no way to leave. Write: Reply STOP to end."),
    "only_way": _l("“%(where)s”: people may leave in any way they like. Do not call STOP the only one."),
    "stop_glued": _l("“%(where)s”: carriers dislike this spelling. Write: Reply STOP to end."),
}


@notices.get("/lists/<int:list_id>/notice")
@allow(Role.EDITOR)
def show(list_id: int) -> ResponseReturnValue:
    """All versions in one language, and for admins the editor with the words of the newest."""
    row, language = _list(list_id), _language()
    newest = service.versions(list_id, language)[0]
    values = {"text": newest.text, "purpose": row.purpose, "after_version": newest.version}
    return _page(row, language, values, {})


@notices.post("/lists/<int:list_id>/notice")
@allow(Role.ADMIN)
def write(list_id: int) -> ResponseReturnValue:
    """Write a new version; what is missing is said, each thing in its sentence."""
    row, language, raw = _list(list_id), _language(), posted()
    if raw.get("act") == "plain":
        return _page(row, language, raw | {"text": plain_quotes(str(raw.get("text", "")))}, {})
    if raw.get("act") != "save":
        return _page(row, language, raw, {})
    if _draft(row, language, raw).errors:
        return _page(row, language, raw, {"text": _("These words cannot be shown yet; see below.")}), 422
    try:
        version = _write(row, language, raw)
    except Conflict as error:
        return _page(row, language, raw, {"form": translated(error)}), 409
    except Refused as error:
        return _page(row, language, raw, {"form": translated(error)}), 422
    flash(_("Version %(n)s is what people are shown from now on.", n=version))
    return redirect(url_for("notices.show", list_id=list_id, language=language))


@notices.post("/lists/<int:list_id>/notice/ask-again")
@allow(Role.ADMIN)
def ask_people_again(list_id: int) -> ResponseReturnValue:
    """Put the question to those who agreed to something else; of very many, to some at each click."""
    row, language = _list(list_id), _language()
    try:
        done = ask_again.ask_again(
            row.id,
            link=f"{runtime().settings.public_url}/confirm",
            by=me().actor,
            controller=runtime().controller,
            now=utcnow(),
            most=MOST_AT_A_CLICK,
        )
    except Refused as refusal:
        flash(translated(refusal))
    else:
        enqueue_lane(done.sender_id, REPLIES)
        flash(_n("%(n)s person is asked again.", "%(n)s people are asked again.", done.asked))
    return redirect(url_for("notices.show", list_id=list_id, language=language))


@notices.post("/lists/<int:list_id>/notice/measure")
@allow(Role.ADMIN)
def measure(list_id: int) -> ResponseReturnValue:
    """The counter, the findings and the preview for what is written just now."""
    row, language = _list(list_id), _language()
    draft = _draft(row, language, posted())
    return render_template("notice_live.html", live=True, **_looked_at(row, draft))


def finding_words(finding: Finding, draft: Draft) -> str:
    """What is wrong, in the reader's language."""
    text = _FINDINGS.get(finding.code)
    if text is None:
        return finding.advice
    facts = draft.facts
    return str(text) % {
        "brand": facts.brand,
        "list_name": facts.list_name,
        "frequency": facts.frequency,
        "privacy_url": facts.privacy_url,
        "n": draft.parts.count,
        "signs": finding.where,
        "where": inside_quotes(finding.where),
    }


def _write(row: BroadcastList, language: str, raw: dict[str, Any]) -> int:
    seen = str(raw.get("after_version", ""))
    return service.write(
        row.id,
        language,
        text=str(raw.get("text", "")),
        purpose=str(raw.get("purpose", "")),
        after_version=int(seen) if seen.isdecimal() and len(seen) < 10 else 0,
        confirmed=raw.get("confirmed") == "true",
        by=me().actor,
        controller=runtime().controller,
        now=utcnow(),
    )


def _list(list_id: int) -> BroadcastList:
    row = db.session.get(BroadcastList, list_id)
    if row is None:
        abort(404)
    return row


def _language() -> str:
    chosen = request.values.get("language", "en")
    return chosen if chosen in NOTICE_LANGUAGES else "en"


def _draft(row: BroadcastList, language: str, raw: dict[str, Any]) -> Draft:
    try:
        return service.look_at(
            row.id,
            language,
            str(raw.get("text", "")),
            str(raw.get("purpose", "")),
            controller=runtime().controller,
        )
    except NotFound:
        abort(404)


def _looked_at(row: BroadcastList, draft: Draft) -> dict[str, Any]:
    return {
        "draft": draft,
        "findings": [(one, finding_words(one, draft)) for one in draft.findings],
        "sender": sender_of([row.id]),
        "row": row,
    }


def _page(row: BroadcastList, language: str, values: dict[str, Any], errors: Errors) -> str:
    return render_template(
        "notice.html",
        values=values,
        errors=errors,
        spoken=language,
        languages=NOTICE_LANGUAGES,
        versions=service.versions(row.id, language),
        zone=house_zone(),
        to_ask=ask_again.to_ask(row.id, controller=runtime().controller),
        live=False,
        **_looked_at(row, _draft(row, language, values)),
    )
