"""Turns the bytes of one HTTP request into a WSGI call, and the call's answer into one block of bytes."""

import io
import sys
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

HEAD_LIMIT = 32_768
BODY_LIMIT = 1_048_576

Headers: TypeAlias = list[tuple[str, str]]
ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None


class BadRequest(Exception):
    """The bytes are no request that this server takes; holds the HTTP status to answer with."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def request_line(line: bytes) -> tuple[str, str, str]:
    """Return method, target and version, or raise BadRequest."""
    if len(line) > HEAD_LIMIT:
        raise BadRequest(HTTPStatus.REQUEST_URI_TOO_LONG)
    words = line.decode("latin-1").split()
    if len(words) != 3 or words[2] not in {"HTTP/1.1", "HTTP/1.0"} or not words[1].startswith("/"):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    return words[0], words[1], words[2]


def wsgi_environ(
    method: str, target: str, version: str, headers: dict[str, str], body: bytes
) -> dict[str, Any]:
    """Return the WSGI environment of a request; header names come in lower case."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": version,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update((f"HTTP_{name.upper().replace('-', '_')}", value) for name, value in headers.items())
    return environ


def run(application: WSGIApplication, environ: dict[str, Any]) -> tuple[str, Headers, bytes]:
    """Call the application and return its whole answer; what it raises before answering is not caught here."""
    answer: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: ExcInfo = None) -> Callable[[bytes], object]:
        answer[:] = [(status, headers)]
        return written.append

    written: list[bytes] = []
    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = answer[0]
    return status, headers, b"".join(written)
