"""A signal-cli daemon of one's own: JSON-RPC and server-sent events over real HTTP, with people who have phones.

Written after the manual page signal-cli-jsonrpc(5), with none of the product's own code.
"""

import base64
import itertools
import json
import queue
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "+12025550100"
_KEPT = 1000
_CODES = {"IDENTITY_FAILURE": -4, "RATE_LIMIT_FAILURE": -5}

Result = dict[str, Any]


def success(to: str) -> Result:
    return {"type": "SUCCESS"}


class Daemon:
    """`answer` says what becomes of a message to somebody; `reports`: their phones report that it came.

    `password`: what a proxy before it wants; `late_head`: the head of an answer leaves with its first event.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.answer: Callable[[str], Result] = success
        self.reports = True
        self.password = ""
        self.late_head = False
        self.texts: list[tuple[str, str]] = []
        self.listeners: list[queue.Queue[str | None]] = []
        self.asked_after: list[str] = []
        self._kept: list[tuple[int, str]] = []
        self._clock = itertools.count(1795370000000)
        self._lock = threading.Lock()

    @property
    def listening(self) -> bool:
        return bool(self.listeners)

    def text(self, from_: str, words: str, *, at: int | None = None) -> None:
        """Somebody writes to us; who hides the number is named by an account's id."""
        at = at or next(self._clock)
        self._tell(from_, {"timestamp": at, "dataMessage": {"timestamp": at, "message": words}})

    def report(self, from_: str, *sent_at: int) -> None:
        found = {"when": next(self._clock), "isDelivery": True, "isRead": False, "timestamps": sent_at}
        self._tell(from_, {"timestamp": next(self._clock), "receiptMessage": found})

    def drop(self) -> None:
        """End every stream of events."""
        for one in list(self.listeners):
            one.put(None)

    def send(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the result, or the error, of a request for one person."""
        if params.get("account") != ACCOUNT:
            return {"error": {"code": -32602, "message": "Specified account does not exist", "data": None}}
        (to,), sent_at = params["recipient"], next(self._clock)
        result = {"recipientAddress": _names(to), **self.answer(to)}
        response = {"timestamp": sent_at, "results": [result]}
        if result["type"] != "SUCCESS":
            code = _CODES.get(result["type"], -1)
            return {
                "error": {"code": code, "message": "Failed to send message", "data": {"response": response}}
            }
        self.texts.append((to, params["message"]))
        if self.reports:
            self.report(to, sent_at)
        return {"result": response}

    def listen(self, after: str) -> queue.Queue[str | None]:
        with self._lock:
            found: queue.Queue[str | None] = queue.Queue()
            self.asked_after.append(after)
            for number, event in self._kept:
                if after and number > int(after):
                    found.put(event)
            self.listeners.append(found)
            return found

    def _tell(self, from_: str, envelope: dict[str, Any]) -> None:
        names = _names(from_)
        who = {"sourceNumber": names["number"], "sourceUuid": names["uuid"], "sourceDevice": 1}
        data = json.dumps({"envelope": {**who, **envelope}, "account": ACCOUNT})
        with self._lock:
            number = self._kept[-1][0] + 1 if self._kept else 1
            event = f"id:{number}\nevent:receive\ndata:{data}\n\n"
            self._kept = [*self._kept, (number, event)][-_KEPT:]
            for one in self.listeners:
                one.put(event)


def _names(person: str) -> dict[str, str | None]:
    """Return both names of an account; a number always belongs to the same one."""
    if not person.startswith("+"):
        return {"uuid": person, "number": None, "username": None}
    return {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, person)), "number": person, "username": None}


def account_id(number: str) -> str:
    return str(_names(number)["uuid"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    daemon: Daemon

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"jsonrpc": "2.0", "id": request["id"], **self.daemon.send(request["params"])}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if (status := self._status(address.path, parse_qs(address.query).get("account"))) is not None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._stream(self.daemon.listen(self.headers.get("Last-Event-ID", "")))

    def _status(self, path: str, account: list[str] | None) -> int | None:
        """Return what is said at once; None: events follow."""
        secret = base64.b64encode(f"tidings:{self.daemon.password}".encode()).decode()
        if self.daemon.password and self.headers.get("Authorization") != f"Basic {secret}":
            return 401
        if path == "/api/v1/check":
            return 200
        if path != "/api/v1/events":
            return 404
        return None if account == [ACCOUNT] else 400

    def _stream(self, events: "queue.Queue[str | None]") -> None:
        self.close_connection = True
        first = events.get() if self.daemon.late_head else ":\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        try:
            self.end_headers()
            self._chunk(first or ":\n")
            while (event := _next(events)) is not None:
                self._chunk(event)
            self._chunk("")
        except OSError:
            pass
        finally:
            self.daemon.listeners.remove(events)

    def _chunk(self, text: str) -> None:
        raw = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))


def _next(events: "queue.Queue[str | None]") -> str | None:
    """A sign of life where there is no event, so that an end of the other side is seen soon."""
    try:
        return events.get(timeout=0.1)
    except queue.Empty:
        return ":\n"


@contextmanager
def running_daemon() -> Iterator[Daemon]:
    """Run a daemon on a port of its own."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        found = handler.daemon = Daemon(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.drop()
            server.shutdown()
            thread.join(5)
