"""`/join/<keyword>`: sign up for a list by a form, or see which word to text."""

from typing import Any, Final, NamedTuple
from urllib.parse import quote

from babel.dates import format_date
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.clock import utcnow
from app.domain.addresses import Address, BadAddress, canonical
from app.domain.channels import IN_BROWSERS, channel_named
from app.gateways.registry import build
from app.public import security
from app.public.texts import country, in_every_page, language, load
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services.controller import NotFound
from app.services.join_list import Form, JoinPage, join_page, sign_up
from app.services.links_of_lists import links_of_list
from app.services.over_promise import over_promise
from app.services.qr_codes import inline
from app.services.questions import CHANNEL

join: Final = Blueprint("join", __name__)
join.after_request(security.add_headers)
join.context_processor(in_every_page)

_LONGEST_NUMBER: Final = 40


@join.get("/join/<keyword>")
def show(keyword: str) -> ResponseReturnValue:
    """What the list is, how often it comes, and both ways to get it."""
    spoken = language()
    return _page(_find(keyword, spoken), spoken, {}, "")


@join.post("/join/<keyword>")
@security.limiter.limit(security.PER_VISITOR)
@security.limiter.limit(security.PER_NUMBER, key_func=security.number_key)
def send(keyword: str) -> ResponseReturnValue:
    """Take a filled-in form. The answer is the same whatever we know of the number."""
    spoken = language()
    page = _find(keyword, spoken)
    if not page.by_form:
        abort(404)
    if not security.is_a_bot():
        errors, address = _check(page, spoken)
        if address is None or errors:
            return _page(page, spoken, errors, request.form.get("number", "")[:_LONGEST_NUMBER]), 422
        _ask(page, spoken, address)
    return redirect(url_for("join.sent", keyword=keyword, lang=spoken), 303)


@join.get("/join/<keyword>/sent")
def sent(keyword: str) -> ResponseReturnValue:
    """What happens next, in the same words for everybody."""
    spoken = language()
    return render_template(
        "public/sent.html", page=_find(keyword, spoken), language=spoken, t=load(spoken)["sent"]
    )


@join.errorhandler(404)
@join.errorhandler(429)
def failed(error: Any) -> ResponseReturnValue:
    """Say in the reader's language that there is no such page, or that it was asked for too often."""
    spoken = language()
    answer = render_template("public/failed.html", language=spoken, t=load(spoken)["failed"][str(error.code)])
    return answer, error.code, error.get_headers() if error.code == 429 else []


def _find(keyword: str, spoken: str) -> JoinPage:
    try:
        return join_page(keyword, spoken, controller=runtime().controller)
    except NotFound:
        abort(404)


def _page(page: JoinPage, spoken: str, errors: dict[str, str], number: str) -> str:
    settings = runtime().settings
    texting = f"sms:{page.number}?&body={quote(page.keyword)}" if page.channel == CHANNEL else None
    return render_template(
        "public/join.html",
        page=page,
        language=spoken,
        t=load(spoken)["join"],
        shown=statements(page, spoken),
        shown_sha256=security.digest(_as_text(page, spoken)),
        errors=errors,
        number=number,
        country=country(settings.region, spoken),
        honeypot=security.HONEYPOT,
        texting=texting,
        code=_picture(texting, load(spoken)["join"]["scan"]) if texting else None,
        in_browsers=IN_BROWSERS,
        exceeded=_exceeded(page, spoken),
        messengers=_messengers(page, load(spoken)["join"]["scan_in"]),
    )


class Exceeded(NamedTuple):
    """How the promise was kept, in a sentence; and day and reason of each breaking story that went over it."""

    said: str
    breaking: list[tuple[str, str]]


def _exceeded(page: JoinPage, spoken: str) -> Exceeded | None:
    found = over_promise(page.list_id, now=utcnow())
    if found is None:
        return None
    words = load(spoken)["join"]["exceeded"]
    said = words["many"] if found.times > 1 else words["once"] if found.times else words["never"]
    days = [(format_date(day, "long", locale=spoken), reason) for day, reason in found.breaking]
    return Exceeded(said.format(times=found.times), days)


class Messenger(NamedTuple):
    """A link that opens the list on one messenger, and the code for it."""

    name: str
    link: str
    code: Markup


def _messengers(page: JoinPage, title: str) -> list[Messenger]:
    """The list's other channels. The tag says that the person came from this page."""
    found = links_of_list(page.keyword, "web", controller=runtime().controller, registry=build)
    return [
        Messenger(name, one.link, _picture(one.link, title.format(channel=name)))
        for one in found
        if one.channel != CHANNEL
        for name in [channel_named(one.channel).name]
    ]


def statements(page: JoinPage, spoken: str) -> dict[str, str]:
    """Return every sentence that counts for the consent; what the page shows is made of these and of the notice."""
    facts, words = page.facts, load(spoken)["join"]
    values = {"brand": facts.brand, "list_name": facts.list_name}
    found = {
        "purpose": facts.purpose,
        "frequency": facts.frequency,
        "rates": words["rates"] if facts.rates_apply else "",
        "help_and_stop": words["help_and_stop"],
        "agree": words["agree"].format(**values),
        "no_condition": words["no_condition"],
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def _as_text(page: JoinPage, spoken: str) -> str:
    settings = runtime().settings
    links = (settings.terms_url, settings.privacy_url)
    notice = f"[{page.notice_id}.{page.notice_version}] {page.notice_text}"
    return "\n".join([*statements(page, spoken).values(), notice, *links])


def _check(page: JoinPage, spoken: str) -> tuple[dict[str, str], Address | None]:
    """Return what is wrong with the form, and the number that it gives."""
    words, errors, address = load(spoken)["join"]["errors"], {}, None
    try:
        address = canonical(
            CHANNEL, request.form.get("number", "")[:_LONGEST_NUMBER], runtime().controller.region
        )
    except BadAddress:
        errors["number"] = words["number"]
    if request.form.get("agree") != "yes":
        errors["agree"] = words["agree"]
    if not security.token_is_good():
        errors["form"] = words["too_old"]
    elif request.form.get("shown") != security.digest(_as_text(page, spoken)):
        errors["form"] = words["changed"]
    return errors, address


def _ask(page: JoinPage, spoken: str, address: Address) -> None:
    settings = runtime().settings
    shown = _as_text(page, spoken)
    evidence = {
        **security.evidence(),
        "form_id": f"join:{page.keyword}:{spoken}",
        "page_url": f"{settings.public_url}{request.full_path.rstrip('?')}",
        "page_sha256": security.digest(shown),
        "page_text": shown,
        "checkbox_state": "ticked by the person; the page shows it empty",
    }
    form = Form(page.list_id, page.notice_id, address, spoken, f"web:/join/{page.keyword}", evidence)
    link = f"{settings.public_url}/confirm"
    sender_id = sign_up(form, link=link, controller=runtime().controller, now=utcnow())
    if sender_id is not None:
        enqueue_lane(sender_id, REPLIES)


def _picture(target: str, title: str) -> Markup:
    """Return a QR code as SVG without any style of its own, which the page's policy would refuse."""
    return Markup(inline(target, title))  # noqa: S704  # made by us from our own number and keyword
