"""`/inbox.js`: a small inbox on a site's own pages, and what its script asks us for.

Pages of other origins call us, so each answer is for the origins that the sender names, and no cookie plays a part: the
reader is a random address, in a token that we signed and the browser keeps for the site.
"""

import secrets
from contextlib import suppress
from typing import Any, Final

from flask import Blueprint, Response, abort, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from app.clock import utcnow
from app.domain import button_codes
from app.domain.addresses import Address
from app.domain.links import payload_of
from app.domain.messages import InboundMessage
from app.gateways.inapp import InAppGateway
from app.public import security
from app.public.pressed import digest, gateway_of_page, press_of, statements
from app.public.texts import language, load
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services.controller import NotFound
from app.services.inbox_store import SHOWN, mark_read, messages_for
from app.services.join_by_browser import IN_APP, join, stands_in_app
from app.services.join_list import JoinPage, join_page
from app.services.receive_message import Received, receive_message

inbox: Final = Blueprint("inbox", __name__)

ROOM: Final = "in-app"
_NO_ROW: Final = 2**63
_ADDRESS_BYTES: Final = 16


@inbox.get("/inbox.js")
def script() -> ResponseReturnValue:
    """What a site puts on its pages."""
    return security.for_other_sites(render_template("public/inbox.js"))


@inbox.route(
    "/in-app/<keyword>/<any(join, messages, read, stop):act>",
    methods=["OPTIONS"],
    provide_automatic_options=False,
)
def preflight(keyword: str, act: str) -> ResponseReturnValue:
    """Tell a browser whether the page may ask at all."""
    _find(keyword, language())
    answer = make_response("", 204)
    answer.headers["Access-Control-Allow-Methods"] = "POST"
    answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
    answer.headers["Access-Control-Max-Age"] = "600"
    return answer


@inbox.get("/in-app/<keyword>")
@security.limiter.limit(security.PER_NETWORK)
def words(keyword: str) -> ResponseReturnValue:
    """Everything that the script shows before anybody agrees to anything."""
    spoken = language()
    page, settings = _find(keyword, spoken), runtime().settings
    values = {"brand": page.facts.brand, "list_name": page.facts.list_name, "version": page.notice_version}
    own = load(spoken)[ROOM]
    return {
        "language": spoken,
        "shown": digest(page, spoken, ROOM),
        "statements": statements(page, spoken, ROOM),
        "notice": page.notice_text,
        "words": {name: text.format(**values) for name, text in own.items() if isinstance(text, str)},
        "said": own["said"],
        "links": {"terms": settings.terms_url, "privacy": settings.privacy_url},
    }


@inbox.post("/in-app/<keyword>/join", provide_automatic_options=False)
@security.limiter.limit(security.PER_VISITOR)
def press(keyword: str) -> ResponseReturnValue:
    """Take a press of the button; a browser without a token gets one, with a random address in it."""
    spoken, body = language(), security.posted_object()
    page = _find(keyword, spoken)
    if body.get("shown") != digest(page, spoken, ROOM):
        return {"error": "changed"}, 409
    known = body.get("to") and _is_reader(page, body)
    to = str(body["to"]) if known else secrets.token_urlsafe(_ADDRESS_BYTES)
    site = str(body.get("page"))[:300]
    pressed = press_of(
        page, spoken, ROOM, security.number_of(body), site=request.headers["Origin"], site_page=site
    )
    _wake(page, join(pressed, Address(IN_APP, to), controller=runtime().controller, now=utcnow()))
    return {"to": to, "proof": gateway_of_page(page).proof(to), **_standing(page, to)}


@inbox.post("/in-app/<keyword>/messages", provide_automatic_options=False)
@security.limiter.limit(security.PER_NETWORK)
@security.limiter.limit(security.PER_READER, key_func=security.reader_key)
def messages(keyword: str) -> ResponseReturnValue:
    """What has come for a reader, and whether they are on the list."""
    page = _find(keyword, language())
    return _standing(page, _reader(page))


@inbox.post("/in-app/<keyword>/read", provide_automatic_options=False)
@security.limiter.limit(security.PER_NETWORK)
@security.limiter.limit(security.PER_READER, key_func=security.reader_key)
def read(keyword: str) -> ResponseReturnValue:
    """Note what a reader has read."""
    page = _find(keyword, language())
    to, ids = _reader(page), security.posted_object().get("ids")
    given = ids if isinstance(ids, list) else []
    numbers = [one for one in given if isinstance(one, int) and 0 < one < _NO_ROW][:SHOWN]
    mark_read(IN_APP, to, numbers, sender_id=page.sender_id, controller=runtime().controller, now=utcnow())
    return _standing(page, to)


@inbox.post("/in-app/<keyword>/stop", provide_automatic_options=False)
@security.limiter.limit(security.PER_NETWORK)
@security.limiter.limit(security.PER_READER, key_func=security.reader_key)
def stop(keyword: str) -> ResponseReturnValue:
    """Take a reader off the list, at once."""
    page = _find(keyword, language())
    to, payload = _reader(page), f"stop-{payload_of(page.keyword, page.list_id)}"
    said = InboundMessage(
        f"{to}:{security.number_of(security.posted_object())}",
        Address(IN_APP, to),
        f"STOP {page.keyword}",
        payload=payload,
    )
    _wake(
        page, receive_message(said, sender_id=page.sender_id, controller=runtime().controller, now=utcnow())
    )
    return _standing(page, to)


@inbox.post("/in-app/<keyword>/button", provide_automatic_options=False)
@security.limiter.limit(security.PER_NETWORK)
@security.limiter.limit(security.PER_READER, key_func=security.reader_key)
def button(keyword: str) -> ResponseReturnValue:
    """Take a press of a button below a message; its id is signed by us, or it means nothing."""
    page = _find(keyword, language())
    to, body = _reader(page), security.posted_object()
    pressed = str(body.get("button"))
    if not button_codes.looks_like(
        pressed
    ):  # to join, there is a button of the page, with all that it must say
        abort(400, "This is no button of a message.")
    said = InboundMessage(
        f"{to}:{security.number_of(body)}", Address(IN_APP, to), "", payload=pressed.strip()
    )
    _wake(
        page, receive_message(said, sender_id=page.sender_id, controller=runtime().controller, now=utcnow())
    )
    return _standing(page, to)


@inbox.after_request
def for_the_site(response: Response) -> Response:
    """Let the page of a site that the sender names read the answer, and no other."""
    if "origin" in g:
        response.headers["Access-Control-Allow-Origin"] = g.origin
        response.vary.add("Origin")
    return security.add_headers(response)


@inbox.errorhandler(400)
@inbox.errorhandler(403)
@inbox.errorhandler(404)
@inbox.errorhandler(429)
def failed(error: Any) -> ResponseReturnValue:
    """Name what is wrong, for a script."""
    if error.code == 429:
        with suppress(HTTPException):  # the limit is asked before the view, and the page shall hear of it
            _find(str((request.view_args or {}).get("keyword")), language())
    names = {400: "failed", 403: "not_yours", 404: "unknown", 429: "too_often"}
    answer = jsonify(error=names[error.code], detail=str(error.description))
    answer.headers.update(error.get_headers() if error.code == 429 else {})
    answer.headers["Content-Type"] = "application/json"
    return answer, error.code


def _find(keyword: str, spoken: str) -> JoinPage:
    """Return the list, for a page of an origin that its sender names. Answers 404 and 403 otherwise."""
    try:
        page = join_page(keyword, spoken, channel=IN_APP, controller=runtime().controller)
    except NotFound as error:
        abort(404, str(error))
    gateway, origin = gateway_of_page(page), request.headers.get("Origin", "")
    if not isinstance(gateway, InAppGateway) or origin not in gateway.origins:
        abort(403, f"The sender {page.sender_name} does not name the origin {origin or 'of this page'}.")
    g.origin = origin
    return page


def _reader(page: JoinPage) -> str:
    body = security.posted_object()
    if not _is_reader(page, body):
        abort(403, "The token is not one that we signed.")
    return str(body["to"])


def _is_reader(page: JoinPage, body: dict[str, Any]) -> bool:
    return gateway_of_page(page).proves(str(body.get("proof")), str(body.get("to")))


def _wake(page: JoinPage, received: Received) -> None:
    if received.reply_waits:
        enqueue_lane(page.sender_id, REPLIES)


def _standing(page: JoinPage, to: str) -> dict[str, Any]:
    found = [
        {
            "id": one.id,
            "text": one.text,
            "at": one.at.isoformat(),
            "read": one.read,
            "edited": one.edited,
            "media": one.media,
            "buttons": list(one.buttons),
        }
        for one in messages_for(IN_APP, to)
    ]
    return {"on": stands_in_app(to, page.list_id), "messages": found}
