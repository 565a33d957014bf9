"""What protects the desk in a browser: form tokens, rate limits, cookies and response headers."""

import hashlib
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from app.config import Settings

csrf: Final = CSRFProtect()
limiter: Final = Limiter(get_remote_address, headers_enabled=True, strategy="moving-window")

# Failed sign-ins only. The first is per network address, the second per account, from wherever it comes.
PER_ADDRESS: Final = "20 per minute;200 per hour"
PER_ACCOUNT: Final = "5 per minute;30 per hour"

_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # the form marks of the style sheet are data addresses
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def init_security(app: Flask, settings: Settings) -> None:
    """Set cookies, tokens, limits and headers. A value that the app's configuration already holds stays."""
    secure = urlsplit(settings.public_url).scheme == "https"
    for name, value in {
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SEND_FILE_MAX_AGE_DEFAULT": 31_536_000,  # seconds; addresses of static files change with their content
        "WTF_CSRF_CHECK_DEFAULT": False,  # each room of the desk checks; gateways' calls have signatures instead
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open over lunch still works; the session bounds the token
        "RATELIMIT_STORAGE_URI": limiter_storage(settings.redis_url),
        "RATELIMIT_KEY_PREFIX": "tidings",
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,  # with Redis away, sign-in still works and is still limited
    }.items():
        if app.config.get(name) is None or app.config[name] == app.default_config.get(name):
            app.config[name] = value
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(_add_headers)
    if secure:
        app.after_request(_stay_on_https)


def limiter_storage(redis_url: str) -> str:
    """Where counters are kept; a socket has a longer scheme there than in our settings."""
    if not redis_url:
        return "memory://"
    return redis_url.replace("unix://", "redis+unix://", 1)


def account_key() -> str:
    """The account that a sign-in names, as a hash: counters shall not hold e-mail addresses."""
    email = request.form.get("email", "").strip().lower()
    return "account:" + hashlib.sha256(email.encode()).hexdigest()[:24]


def refused(response: Response) -> bool:
    """Whether an answer to the sign-in form counts against the limits: only a failed one does."""
    return response.status_code != 302


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if g.get("private"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _stay_on_https(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
