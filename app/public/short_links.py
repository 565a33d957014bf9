"""`/l/<code>`: a short link in a message. It leads where the message's link led, and nowhere else."""

from typing import Final

import structlog
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.clock import utcnow
from app.domain.clicks import is_program
from app.domain.short_links import PATH
from app.public import security
from app.public.texts import in_every_page, language, load
from app.runtime import runtime
from app.services import record_clicks
from app.services.controller import NotFound
from app.services.record_clicks import Opened

short_links: Final = Blueprint("short_links", __name__)
short_links.after_request(security.add_headers)
short_links.context_processor(in_every_page)

_MOST_LETTERS: Final = 40
log = structlog.get_logger(__name__)


@short_links.get(f"{PATH}<path>")
def follow(path: str) -> ResponseReturnValue:
    """Lead on. Whom it leads is not asked: no cookie, no address, no name unless the person agreed to it.

    No limit of visits stands here: behind one address of a mobile network are thousands of readers.
    """
    try:
        opened = record_clicks.find(path[:_MOST_LETTERS], controller=runtime().controller)
    except NotFound:
        return _gone()
    _count(opened)
    # By hand, for `redirect` would write the target anew, and a page around it.
    return Response(status=302, headers={"Location": opened.url, "X-Robots-Tag": "noindex"})


def _count(opened: Opened) -> None:
    """A count that fails keeps nobody from reading."""
    try:
        record_clicks.count(
            opened,
            program=is_program(request.method, dict(request.headers)),
            controller=runtime().controller,
            now=utcnow(),
        )
    except SQLAlchemyError as error:
        log.warning("a click could not be counted", reason=type(error).__name__)


def _gone() -> ResponseReturnValue:
    spoken = language()
    return render_template("public/failed.html", language=spoken, t=load(spoken)["failed"]["link"]), 404
