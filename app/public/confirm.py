"""`/confirm/<code>`: the link in a question. Opening it changes nothing, for phones open links to preview them."""

from typing import Any, Final

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.public import security
from app.public.texts import in_every_page, language, load
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import confirm_by_link
from app.services.controller import NotFound

confirm: Final = Blueprint("confirm", __name__)
confirm.after_request(security.add_headers)
confirm.context_processor(in_every_page)

_MOST_LETTERS: Final = 20


@confirm.get("/confirm/<code>")
@security.limiter.limit(security.PER_LOOK)
def show(code: str) -> ResponseReturnValue:
    """The notice, word for word, and the button."""
    return _page(code, too_old=False)


@confirm.post("/confirm/<code>")
@security.limiter.limit(security.PER_VISITOR)
def press(code: str) -> ResponseReturnValue:
    """Subscribe, once."""
    if not security.token_is_good():
        return _page(code, too_old=True)
    try:
        sender_id = confirm_by_link.confirm(
            code[:_MOST_LETTERS],
            evidence={
                **security.evidence(),
                "page_url": f"{runtime().settings.public_url}/confirm",
            },
            controller=runtime().controller,
            now=utcnow(),
        )
    except NotFound:
        return _gone()
    enqueue_lane(sender_id, REPLIES)
    return redirect(url_for("confirm.done", lang=language()), 303)


@confirm.get("/confirmed")
def done() -> ResponseReturnValue:
    """The welcome is on its way."""
    spoken = language()
    return render_template("public/confirmed.html", language=spoken, t=load(spoken)["confirmed"])


@confirm.errorhandler(429)
def failed(error: Any) -> ResponseReturnValue:
    """Say that it was too often."""
    spoken = language()
    answer = render_template("public/failed.html", language=spoken, t=load(spoken)["failed"]["429"])
    return answer, 429, error.get_headers()


def _page(code: str, *, too_old: bool) -> ResponseReturnValue:
    try:
        found = confirm_by_link.look(code[:_MOST_LETTERS], controller=runtime().controller, now=utcnow())
    except NotFound:
        return _gone()
    spoken = language(otherwise=found.notice_language)
    page = render_template(
        "public/confirm.html",
        code=code,
        question=found,
        language=spoken,
        too_old=too_old,
        t=load(spoken)["confirm"],
    )
    return page, 400 if too_old else 200


def _gone() -> ResponseReturnValue:
    """One answer for a code that was used, is too old, or never was."""
    spoken = language()
    return render_template("public/failed.html", language=spoken, t=load(spoken)["failed"]["gone"]), 404
