"""The smallest web application, to try the web server with."""

from collections.abc import Callable, Iterable
from wsgiref.types import WSGIApplication


def application(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def create_app() -> WSGIApplication:
    """Make it, as `app.factory` makes ours."""
    return application
