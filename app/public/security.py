"""What protects the public pages: form tokens, rate limits, a policy that allows nothing but our own files."""

import hashlib
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final
from uuid import uuid4

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from app.domain.addresses import BadAddress, canonical
from app.runtime import runtime
from app.services.questions import CHANNEL

PER_VISITOR: Final = "10 per minute;60 per hour"
# Besides the three questions in thirty days, which the service holds to: a number is no toy for bots.
PER_NUMBER: Final = "5 per hour;10 per day"
PER_LOOK: Final = "30 per minute"
PER_READER: Final = "20 per minute"
# Many readers may sit behind one address.
PER_NETWORK: Final = "600 per minute"
HONEYPOT: Final = "website"
_NUMBER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")

SCRIPTED: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The policy of a page that needs scripts: ours, speaking to us, and none that stands in a page."""

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # The address of a confirmation holds its code; no other site shall read it there.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def visitor_ip() -> str:
    """Return who asks. A web server of ours on this machine names its visitor last in X-Forwarded-For."""
    peer = request.remote_addr or "127.0.0.1"
    named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if not ip_address(peer).is_loopback or not named:
        return peer
    try:
        return str(ip_address(named))
    except ValueError:
        return peer


def number_key() -> str:
    """The number in a form, as a hash: counters shall not hold numbers."""
    raw = request.form.get("number", "")[:100]
    try:
        raw = canonical(CHANNEL, raw, runtime().controller.region).value
    except BadAddress:
        raw = raw.strip()
    return "number:" + runtime().controller.keys.index_hmac("limit", raw)[:24]


def reader_key() -> str:
    """The reader that a script names, as a hash."""
    return "reader:" + digest(str(posted_object().get("to")))[:24]


limiter: Final = Limiter(visitor_ip, headers_enabled=True, strategy="moving-window")


def init_security(app: Flask) -> None:
    """Count visits where the desk counts sign-ins."""
    limiter.init_app(app)


def token_is_good() -> bool:
    """Whether the form comes from a page of ours that this browser was given."""
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except ValidationError:
        return False
    return True


def is_a_bot() -> bool:
    """Whether a field is filled in that people do not see."""
    return bool(request.form.get(HONEYPOT, "").strip())


def add_headers(response: Response) -> Response:
    """Give a page its headers, unless it has others; the desk's, which come later, leave them as they are."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def for_other_sites(script: str) -> Response:
    """Return a script that pages of other sites may load, and keep for an hour."""
    answer = Response(script, content_type="text/javascript; charset=utf-8")
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def number_of(body: Mapping[str, Any]) -> str:
    """Return the number that makes a repeat of a press harmless: the one that our script made, else a fresh one."""
    given = str(body.get("id"))
    return given if _NUMBER.fullmatch(given) else str(uuid4())


def posted_object() -> dict[str, Any]:
    """Return the JSON object that a script of ours posted; an empty one for anything else.

    The type is looked at, for no page of another site can send it without asking us first.
    """
    found = request.get_json(silent=True) if request.mimetype == "application/json" else None
    return found if isinstance(found, dict) else {}


def evidence() -> dict[str, str]:
    """Return who acted, as far as a web page can know: sealed with the entry of the ledger."""
    return {"ip": visitor_ip(), "user_agent": request.headers.get("User-Agent", "")[:300]}


def digest(text: str) -> str:
    """Return the SHA-256 of words that were shown."""
    return hashlib.sha256(text.encode()).hexdigest()
