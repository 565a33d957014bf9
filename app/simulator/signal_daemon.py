"""A signal-cli daemon over HTTP: JSON-RPC to send, server-sent events for what people send and report.

After the manual page signal-cli-jsonrpc(5). Everybody shows number and account id. Numbers that end in 0202, 0404,
0429, 0500 or 0998 fail by their result; of a block nobody hears: there is no report, as for 0403.
"""

import itertools
import json
import queue
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from app.simulator.chats import Chats
from app.simulator.later import Later
from app.simulator.limits import Fate, FaultPlan
from app.simulator.looks import of_signal
from app.simulator.magic import SLOW_SECONDS, OneTimeFaults
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.wire import Answer, CannotDeliver

Events = queue.Queue[str | None]
_RESULTS: Final = {
    "0202": "NETWORK_FAILURE",
    "0404": "UNREGISTERED_FAILURE",
    "0610": "IDENTITY_FAILURE",
    "0614": "UNREGISTERED_FAILURE",
    "0998": "SOMETHING_NEW",
}
_ONCE: Final = {
    "0429": "RATE_LIMIT_FAILURE",
    "0456": "RATE_LIMIT_FAILURE",
    "0500": "INVALID_PRE_KEY_FAILURE",
}
_CODES: Final = {"IDENTITY_FAILURE": -4, "RATE_LIMIT_FAILURE": -5}


class SignalMessenger(Messenger):
    """What people send reaches whoever listens to the account's events."""

    channel = "signal"
    reaches_all = True

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._last = 0
        self._numbers = itertools.count(1)
        self.listeners: list[tuple[str, Events]] = []

    def moment(self) -> int:
        """Return the present millisecond, which names a message: no two have the same."""
        with self._lock:
            self._last = max(self._last + 1, int(self._clock().timestamp() * 1000))
            return self._last

    def id_of(self, number: str) -> str:
        """A phone is known by its number, to whom it shows it."""
        return number

    def opened(self, account: Account, number: str, scene: str, known: bool) -> None:
        """Nobody opens anything before they write."""

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        at = self.moment()
        return self._told(
            account, number, {"timestamp": at, "dataMessage": {"timestamp": at, "message": text}}
        )

    def blocked(self, account: Account, number: str, blocked: bool) -> None:
        """Signal tells nobody."""

    def reported(self, account: Account, number: str, sent_at: int) -> Told:
        """The report of somebody's phone that a message came."""
        at = self.moment()
        report = {"when": at, "isDelivery": True, "isRead": False, "timestamps": [sent_at]}
        return self._told(account, number, {"timestamp": at, "receiptMessage": report})

    def _told(self, account: Account, number: str, envelope: dict[str, Any]) -> Told:
        who = {"sourceNumber": number, "sourceUuid": id_of_account(number), "sourceDevice": 1}
        data = json.dumps({"envelope": {**who, **envelope}, "account": account.address})
        return Told(b"", {}, carry=partial(self._carry, account.address, data))

    def _carry(self, address: str, data: str) -> Answer:
        here = [events for one, events in list(self.listeners) if one == address]
        if not here:
            raise CannotDeliver(f"nobody listens for {address}")
        for events in here:
            events.put(f"id:{next(self._numbers)}\nevent:receive\ndata:{data}\n\n")
        return Answer(200, b"")


class SignalPost:
    """What becomes of messages; `later` runs the reports."""

    def __init__(
        self,
        chats: Chats,
        messenger: SignalMessenger,
        later: Later,
        faults: FaultPlan,
        stopping: threading.Event,
    ) -> None:
        self._chats, self._messenger, self._later = chats, messenger, later
        self._plan, self._stopping, self._once = faults, stopping, OneTimeFaults(chats.on_reset)

    def fate(self) -> Fate:
        """Take as long as is planned, and return what becomes of the next request."""
        self._plan.wait(self._stopping)
        return self._plan.draw()

    def send(self, params: dict[str, Any]) -> dict[str, Any] | None:
        """Return the result, or the error, of a request for one person; None where no answer comes."""
        account = self._chats.accounts.get(str(params.get("account")))
        if account is None or account.channel != "signal":
            return {"error": {"code": -32602, "message": "Specified account does not exist", "data": None}}
        (to,), sent_at = params["recipient"], self._messenger.moment()
        ending = to[-4:]
        kind = _ONCE[once] if (once := self._once.take(to)) else _RESULTS.get(ending, "SUCCESS")
        address = {"uuid": id_of_account(to), "number": to, "username": None}
        response = {"timestamp": sent_at, "results": [{"recipientAddress": address, "type": kind}]}
        if kind != "SUCCESS":
            code = _CODES.get(kind, -1)
            words = "Failed to send message"
            return {"error": {"code": code, "message": words, "data": {"response": response}}}
        if (
            ending != "0403"
            and self._chats.deliver(account, to, params["message"], looks=of_signal(params)) == "deliver"
        ):
            told = self._messenger.reported(account, to, sent_at)
            for _ in range(2 if ending == "0299" else 1):
                self._later(partial(self._chats.report, account, told))
        if ending == "0408":
            self._stopping.wait(SLOW_SECONDS)
        return None if ending == "0504" else {"result": response}


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "SignalDaemon"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """A JSON-RPC request."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fate = self.server.post.fate()
        if fate in ("error", "throttle"):
            self._say(503 if fate == "error" else 429, b"")
            return
        answer = self.server.post.send(request["params"]) if fate != "drop" else None
        if answer is None or fate == "lose_reply":
            self.close_connection = True  # without a byte
            return
        self._say(200, json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode())

    def do_GET(self) -> None:
        """Whether we are here, or the events of an account, which do not end."""
        address = urlsplit(self.path)
        (account,) = parse_qs(address.query).get("account", [""])
        known = self.server.chats.accounts.get(account)
        if address.path != "/api/v1/events":
            self._say(200 if address.path == "/api/v1/check" else 404, b"")
        elif known is None or known.channel != "signal":
            self._say(400, b"")
        else:
            self._stream(account)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, account: str) -> None:
        events: Events = queue.Queue()
        here = (account, events)
        self.server.messenger.listeners.append(here)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        try:
            self.end_headers()
            self.wfile.write(b":\n")
            while (event := self._next(events)) is not None:
                self.wfile.write(event.encode())
        except OSError:  # whoever listened is gone
            return
        finally:
            self.server.messenger.listeners.remove(here)

    def _next(self, events: Events) -> str | None:
        """Wait for an event; a comment each second finds out who is still there."""
        try:
            return events.get(timeout=1.0)
        except queue.Empty:
            return ":\n"


class SignalDaemon(ThreadingHTTPServer):
    """Listens on `host` and `port` (0 takes a free one)."""

    daemon_threads = True

    def __init__(
        self, host: str, port: int, chats: Chats, messenger: SignalMessenger, post: SignalPost
    ) -> None:
        super().__init__((host, port), _Request)
        self.chats, self.messenger, self.post = chats, messenger, post
        self.port: int = self.server_address[1]

    def start(self) -> None:
        """Serve from a thread of its own until `stop()`."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name="signal", daemon=True).start()

    def stop(self) -> None:
        """Take no more connections and end the events."""
        self.shutdown()
        self.server_close()
        for _, events in list(self.messenger.listeners):
            events.put(None)


def id_of_account(number: str) -> str:
    """A number always belongs to the same account."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, number))
