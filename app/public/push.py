"""`/push/<keyword>`: get a list as notifications of this browser, and end it; with the scripts that this needs.

The page works only with JavaScript, for browsers have no other way to push, and says so where there is none.
"""

from typing import Any, Final

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.domain.channels import IN_BROWSERS
from app.domain.links import payload_of
from app.domain.push import BadSubscription, read_subscription
from app.public import security
from app.public.pressed import digest, gateway_of_page, press_of, statements
from app.public.texts import in_every_page, language, load, static
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import push_routes
from app.services.controller import NotFound
from app.services.join_by_browser import WEB_PUSH, join_by_push, stands_by_push
from app.services.join_list import JoinPage, join_page

push: Final = Blueprint("push", __name__)
push.after_request(security.add_headers)
push.context_processor(in_every_page)

ROOM: Final = "push"


@push.get("/push/<keyword>")
def show(keyword: str) -> ResponseReturnValue:
    """What the list is, the words that are agreed to, and the button."""
    spoken = language()
    page = _find(keyword, spoken)
    answer = Response(
        render_template(
            "public/push.html",
            page=page,
            in_browsers=IN_BROWSERS,
            language=spoken,
            t=load(spoken)["push"],
            shown=statements(page, spoken, ROOM),
            shown_sha256=digest(page, spoken, ROOM),
            stop=f"stop-{payload_of(page.keyword, page.list_id)}",
            script=static("push-page.js"),
        )
    )
    answer.headers["Content-Security-Policy"] = security.SCRIPTED
    return answer


@push.post("/push/<keyword>")
@security.limiter.limit(security.PER_VISITOR)
def join(keyword: str) -> ResponseReturnValue:
    """Take a press of the button, with the subscription that the browser made after it."""
    spoken = language()
    page, body = _find(keyword, spoken), security.posted_object()
    if not security.token_is_good():
        return _refused("too_old", 400)
    if body.get("shown") != digest(page, spoken, ROOM):
        return _refused("changed", 409)
    try:
        route = read_subscription(_mapping(body.get("subscription")), page.number)
        number = security.number_of(body)
        press = press_of(page, spoken, ROOM, number)
        address, received = join_by_push(press, route, controller=runtime().controller, now=utcnow())
    except (BadSubscription, NotFound) as error:
        return {"error": "subscription", "detail": str(error)}, 422
    if received.reply_waits:
        enqueue_lane(page.sender_id, REPLIES)
    return {"on": True, **_standing(page, address)}


@push.post("/push/<keyword>/state")
@security.limiter.limit(security.PER_LOOK)
def state(keyword: str) -> ResponseReturnValue:
    """Tell a browser that shows its endpoint and secret whether it is on the list, and how it may end that."""
    page, body = _find(keyword, language()), security.posted_object()
    try:
        address, on = stands_by_push(str(body.get("endpoint")), str(body.get("auth")), page.list_id)
    except NotFound:
        return {"on": False}
    return {"on": on, **_standing(page, address)}


@push.post("/push-change")
@security.limiter.limit(security.PER_VISITOR)
def change() -> ResponseReturnValue:
    """The browser moved to another endpoint by itself: it shows the old pair, and brings the new subscription."""
    body = security.posted_object()
    try:
        route = read_subscription(_mapping(body.get("subscription")), "")
        push_routes.move(
            str(body.get("endpoint")),
            str(body.get("auth")),
            route,
            controller=runtime().controller,
            now=utcnow(),
        )
    except BadSubscription as error:
        return {"error": "subscription", "detail": str(error)}, 422
    except NotFound as error:
        return {"error": "unknown", "detail": str(error)}, 404
    return "", 204


@push.get("/push-sw.js")
def worker() -> ResponseReturnValue:
    """The script that stays in the browser: it shows what comes, and tells us STOP."""
    words = load(language())["push"]
    answer = Response(
        render_template("public/push-sw.js", lost=words["stop_lost"], press_lost=words["press_lost"]),
        content_type="text/javascript; charset=utf-8",
    )
    answer.headers["Content-Security-Policy"] = security.SCRIPTED
    return answer


@push.get("/push.js")
def tag() -> ResponseReturnValue:
    """What a site puts on its own pages: a link to the page of a list, for notifications belong to one origin."""
    return security.for_other_sites(
        render_template("public/push.js", words={one: load(one)["push"]["tag"] for one in ("en", "de")})
    )


@push.errorhandler(404)
@push.errorhandler(429)
def failed(error: Any) -> ResponseReturnValue:
    """Say in the reader's language that there is no such page, or that it was asked for too often."""
    spoken = language()
    answer = render_template("public/failed.html", language=spoken, t=load(spoken)["failed"][str(error.code)])
    return answer, error.code, error.get_headers() if error.code == 429 else []


def _find(keyword: str, spoken: str) -> JoinPage:
    try:
        return join_page(keyword, spoken, channel=WEB_PUSH, controller=runtime().controller)
    except NotFound:
        abort(404)


def _standing(page: JoinPage, address: str) -> dict[str, str]:
    """What the browser needs to speak for itself later."""
    proof = gateway_of_page(page).proof(address)
    return {"to": address, "proof": proof, "hook": f"/hooks/{page.sender_name}"}


def _refused(why: str, status: int) -> ResponseReturnValue:
    return {"error": why}, status


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
