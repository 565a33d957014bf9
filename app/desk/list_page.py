"""The page of one list: who is on it, how it grew, its words, texts and links; and its poster for print."""

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.clock import utcnow
from app.desk.access import allow, room
from app.desk.languages import gettext as _
from app.desk.languages import in_language
from app.desk.reading import house_zone, list_or_404
from app.desk.refusals import translated
from app.desk.report_words import drawing_of
from app.domain.addresses import spaced
from app.domain.channels import channel_named
from app.gateways.registry import build
from app.runtime import runtime
from app.services import qr_codes
from app.services.controller import Refused
from app.services.figures.list_growth import SPANS, growth
from app.services.links_of_lists import ListLink, links_of_list
from app.services.list_standing import standing
from app.services.list_texts import texts_of
from app.services.lists_of_sender import promise_of
from app.storage.models import BroadcastList
from app.storage.models.accounts import Role

list_page = room("list_page", __name__)


@list_page.get("/lists/<int:list_id>")
@allow(Role.EDITOR)
def show(list_id: int) -> ResponseReturnValue:
    """Everything about one list, with the places where each thing is changed."""
    row, days = list_or_404(list_id), request.args.get("days", SPANS[0], int)
    sheet = growth(list_id, days if days in SPANS else SPANS[0], now=utcnow())
    links, source, error = _links(row)
    return render_template(
        "list.html",
        row=row,
        standing=standing(row),
        sheet=sheet,
        rows=list(enumerate(sheet.rows))[::-1],
        drawing=drawing_of(sheet, row.zone),
        days=days,
        spans=SPANS,
        texts=texts_of(row, controller=runtime().controller),
        links=[(one, _code(one)) for one in links],
        source=source,
        errors={"source": error} if error else {},
        zone=house_zone(),
    )


@list_page.get("/lists/<int:list_id>/code/<channel>.svg")
@allow(Role.EDITOR)
def code(list_id: int, channel: str) -> ResponseReturnValue:
    """The QR code of one link, as a file for print."""
    row = list_or_404(list_id)
    links, source, error = _links(row)
    found = next((one for one in links if one.channel == channel), None)
    if found is None or error:
        abort(404)
    name = "-".join(filter(None, (f"list-{row.id}", channel, source)))
    headers = {"Content-Disposition": f'attachment; filename="{name}.svg"'}
    return Response(
        qr_codes.file_of(found.link, qr_codes.Kind.SVG), mimetype="image/svg+xml", headers=headers
    )


@list_page.get("/lists/<int:list_id>/poster")
@allow(Role.EDITOR)
def poster(list_id: int) -> ResponseReturnValue:
    """One sheet of A4: the list, its word and code, and what people agree to, in both languages."""
    row = list_or_404(list_id)
    if row.archived_at is not None:
        abort(404)
    links, source, _error = _links(row)
    channel = request.args.get("channel", "")
    chosen = next((one for one in links if one.channel == channel), None) or next(
        (one for one in links if one.channel == "sms"), links[0] if links else None
    )
    texts = texts_of(row, controller=runtime().controller)
    return render_template(
        "poster.html",
        row=row,
        links=links,
        chosen=chosen,
        code=_code(chosen) if chosen else "",
        source=source,
        sides=[_side(row, chosen, one.language, one.welcome) for one in texts],
    )


def _side(row: BroadcastList, chosen: ListLink | None, spoken: str, notice: str) -> dict[str, str]:
    """What the poster says in one language. The words of the notice are what people agree to."""
    with in_language(spoken):
        if chosen is not None and chosen.channel == "sms":
            how = _(
                "Text %(word)s to %(number)s", word=row.keyword.upper(), number=spaced(standing(row).number)
            )
        else:
            name = channel_named(chosen.channel).name if chosen else ""
            how = _("Scan the code with your phone: %(channel)s opens", channel=name) if chosen else ""
        return {
            "language": spoken,
            "how": how,
            "promise": promise_of(row, spoken),
            "leave": _("Reply STOP to leave at any time."),
            "notice": notice,
        }


def _links(row: BroadcastList) -> tuple[list[ListLink], str, str]:
    """The links of a list with the tag that was asked for, the tag, and what is wrong with it."""
    if row.archived_at is not None:
        return [], "", ""
    source, controller = request.args.get("source", "").strip(), runtime().controller
    try:
        return links_of_list(row.name, source, controller=controller, registry=build), source, ""
    except Refused as error:
        found = links_of_list(row.name, controller=controller, registry=build)
        return found, source, translated(error)


def _code(one: ListLink) -> Markup:
    title = _("QR code: %(channel)s", channel=channel_named(one.channel).name)
    return Markup(qr_codes.inline(one.link, title))  # noqa: S704  # made by us from our own link
