"""Pages for what went wrong, each with the number under which the log tells more."""

import logging
import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Final

from flask import Flask, Response, abort, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.desk.languages import gettext as _
from app.services.controller import NotFound

_KNOWN_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_log: Final = logging.getLogger(__name__)


def init_errors(app: Flask) -> None:
    """Give every request a number and every failure a page."""
    app.before_request(_number)
    app.after_request(_tell_number)
    app.register_error_handler(CSRFError, _form_too_old)
    for code in (400, 403, 404, 405, 413, 429, 500):
        app.register_error_handler(code, _page)


def not_found_as_404(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Let a view show the page for what is not there when a service does not find it."""

    @wraps(view)
    def guarded(**given: object) -> ResponseReturnValue:
        try:
            return view(**given)
        except NotFound:
            abort(404)

    return guarded


def request_id() -> str:
    """The number of this request: the proxy's, when it sent one, else our own."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _KNOWN_SHAPE.fullmatch(given) else secrets.token_hex(8)
    return str(g.request_id)


def _number() -> None:
    request_id()


def _tell_number(response: Response) -> Response:
    response.headers.setdefault("X-Request-Id", request_id())
    return response


def _form_too_old(error: CSRFError) -> ResponseReturnValue:
    _log.warning("form token refused: %s", error.description)
    return _render(400, _("This form is too old"), _("Go back, load the page again, and send it once more."))


def _page(error: Exception) -> ResponseReturnValue:
    failure = error if isinstance(error, HTTPException) else InternalServerError()
    if request.path.startswith("/hooks/"):
        return failure  # providers read codes, not pages
    titles = {
        403: (_("Not open to you"), _("Your role does not allow this. An admin can change that.")),
        404: (_("Not here"), _("There is no such page, or it is gone.")),
        413: (_("This file is too large"), _too_large()),
        429: (_("Too many tries"), _("Wait a few minutes, then try again.")),
        500: (
            _("Something broke"),
            _("Nothing you wrote has been sent. Try again; if it stays, tell an operator."),
        ),
    }
    code = failure.code or 500
    title, advice = titles.get(
        code, (_("This did not work"), _("Go back, load the page again, and try once more."))
    )
    page = _render(code, title, advice)
    if code == 429:
        page.headers.extend(failure.get_headers())
        page.headers["Content-Type"] = "text/html; charset=utf-8"
    return page


def _too_large() -> str:
    megabytes = (request.max_content_length or 0) // 1_000_000
    return _(
        "At most %(n)s MB can be sent at once. Divide the file, and send one part after the other.",
        n=megabytes,
    )


def _render(code: int, title: str, advice: str) -> Response:
    """Without the frame of the desk: what draws it may be the very thing that broke."""
    html = render_template("error.html", code=code, title=title, advice=advice, request_id=request_id())
    return Response(html, code)
