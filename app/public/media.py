"""`/m/<id>.<code>.<ending>`: a file that goes with a broadcast, for whoever has a link that we signed.

Providers fetch from here what their platform carries by link (Twilio, LINE, Telegram, Viber), and people who open a
link in a text. There is no list, a wrong link is like none, and a page of ours never comes from here: nothing runs.
Only wrong links are counted against a network, for a provider fetches a broadcast's file as often as it likes.
"""

from datetime import datetime
from typing import Final

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Range

from app.clock import utcnow
from app.domain.media.kinds import TYPES, MediaKind, kind_of
from app.public import security
from app.runtime import runtime
from app.services.controller import NotFound
from app.services.media.files import FileGone
from app.services.media.links import opened
from app.services.media.take_in import file_row
from app.storage.database import db
from app.storage.models import MediaFile

media: Final = Blueprint("media", __name__)

_MOST_ID: Final = 2**63
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Accept-Ranges": "bytes",
}


@media.get("/m/<int:media_id>.<code>.<ending>")
@media.get("/m/<int:media_id>.<code>")
@security.limiter.limit(security.PER_NETWORK, deduct_when=lambda answer: answer.status_code == 404)
def file(media_id: int, code: str, ending: str = "") -> ResponseReturnValue:
    """The bytes of a file, or the part that was asked for."""
    now = utcnow()
    until = opened(media_id, code, controller=runtime().controller, now=now) if media_id < _MOST_ID else None
    if until is None:
        abort(404)
    try:
        return _answer(file_row(db.session(), media_id), until, now)
    except (NotFound, FileGone):
        abort(404)


def _answer(row: MediaFile, until: datetime, now: datetime) -> Response:
    if request.if_none_match.contains(row.sha256):
        return _with_headers(Response(status=304), row, until, now)
    start, stop, status = _part(request.range, row.size)
    if status == 416:
        return _with_headers(
            Response(status=416, headers={"Content-Range": f"bytes */{row.size}"}), row, until, now
        )
    pieces = runtime().files.read(row.sha256, start, stop - start) if request.method == "GET" else ()
    answer = Response(
        pieces, status, content_type=row.mime if row.mime in TYPES else "application/octet-stream"
    )
    answer.content_length = stop - start
    if status == 206:
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{row.size}"
    return _with_headers(answer, row, until, now)


def _part(asked: Range | None, size: int) -> tuple[int, int, int]:
    """Return which bytes to give, from and to (exclusive), and the status; several parts at once are given whole."""
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, size, 200
    found = asked.range_for_length(size)
    return (found[0], found[1], 206) if found else (0, 0, 416)


def _with_headers(answer: Response, row: MediaFile, until: datetime, now: datetime) -> Response:
    answer.headers.update(_HEADERS)
    answer.set_etag(row.sha256)
    # The address never means another file, and is worth nothing when it has run out.
    answer.headers["Cache-Control"] = (
        f"public, max-age={max(0, int((until - now).total_seconds()))}, immutable"
    )
    if kind_of(row.mime) is MediaKind.DOCUMENT:
        answer.headers["Content-Disposition"] = "attachment"
    return answer
