"""Carries messages to a signal-cli daemon by HTTP, and reads what it tells by server-sent events.

The daemon shows a sign of life every 15 seconds. It keeps its last 1,000 events for who comes back and says which one
was read last, so what came in between two connections of one process is not lost.
"""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pycurl

from app.domain.messages import ErrorKind, HookRequest, SendError
from app.gateways.base import BadSetting, Call, Reply
from app.gateways.connection import StreamBroken, StreamRefused
from app.gateways.signal import EVENT, SignalGateway, check_server
from app.gateways.transport import USER_AGENT, CurlTransport

WINDOW = 4
"""Messages on their way at a time: signal-cli encrypts for each device of each person."""
SILENT_SECONDS = 60.0
_CONNECT_SECONDS = 5.0
_HEAD_SECONDS = 1.0
_REFUSED = (400, 401, 403, 404)
_SEND_TIMEOUT_MS = 60_000
_MOST_OF_AN_EVENT = 4 * 1024 * 1024
"""Bytes that may wait for the end of an event."""


class Told(NamedTuple):
    """One event: its id, where the daemon gives one, and what it says."""

    id: str
    data: str


class EventReader:
    """Reads the format of server-sent events (HTML Standard, 9.2.6), as far as signal-cli uses it."""

    def __init__(self) -> None:
        self._unread = b""
        self._id, self._data = "", list[str]()

    @property
    def waiting(self) -> int:
        """How many bytes wait for their end."""
        return len(self._unread) + sum(map(len, self._data))

    def feed(self, chunk: bytes) -> Iterator[Told]:
        """Return the events that end in this chunk."""
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            field, _, value = line.decode("utf-8", "replace").rstrip("\r").partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                self._data.append(value)
            elif field == "id":
                self._id = value
            elif not field and not value and self._data:
                yield Told(self._id, "\n".join(self._data))
                self._data = []


class SignalStream:
    """One daemon. Not for several threads. Once `broken` says why, it is of no more use.

    `last_id` names the event that was read last; `after` is that of the connection before. Raises `StreamBroken` when
    nobody answers, and `StreamRefused` when the daemon does not know the account.
    """

    def __init__(self, gateway: SignalGateway, after: str = "") -> None:
        self.broken: str | None = None
        self.last_id = after
        self._received: list[HookRequest] = []
        self._reader = EventReader()
        self._chunks: list[bytes] = []
        self._heard_at = time.monotonic()
        _refuse_the_open_network(gateway.server)
        self._events = pycurl.CurlMulti()
        self._handle = _listener(gateway.events_call(), after, self._chunks)
        self._events.add_handle(self._handle)
        self._transport = CurlTransport(WINDOW, total_timeout_ms=_SEND_TIMEOUT_MS)
        try:
            self._open(gateway)
        except BaseException:
            self.close()
            raise

    @property
    def free(self) -> int:
        """How many more messages may be on their way."""
        return 0 if self.broken else self._transport.free

    @property
    def in_flight(self) -> int:
        """How many messages wait for their answer."""
        return self._transport.in_flight

    def submit(self, call: Call) -> None:
        """Begin a call; only when `free` is positive."""
        self._transport.submit(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Move bytes for at most `timeout` seconds and return the calls that ended."""
        sending = self.in_flight > 0
        self._listen(0.0 if sending else timeout)
        return self._transport.poll(timeout) if sending else ()

    def received(self) -> Sequence[HookRequest]:
        """Return what came in since the last call, each as a webhook would bring it."""
        found, self._received = self._received, []
        return found

    def answer(self, text: str) -> None:
        """Nothing that comes in wants an answer: signal-cli has told Signal already that it came."""

    def close(self) -> None:
        """Drop every connection. What was not answered is lost to us."""
        self._transport.close()
        self._events.remove_handle(self._handle)
        self._handle.close()
        self._events.close()

    def _open(self, gateway: SignalGateway) -> None:
        reply = self._asked(gateway.check_call())
        if reply.status not in (200, *_REFUSED):
            why = f"it answers {reply.status}" if reply.status else reply.reason or "it is silent"
            raise StreamBroken(f"No signal-cli answers at {gateway.server}: {why}.")
        _let_in(reply.status)
        # Java may keep the head of an answer until its first event; what refuses us comes at once.
        deadline = time.monotonic() + _HEAD_SECONDS
        while not self._status and not self.broken and time.monotonic() < deadline:
            self._listen(0.1)
        _let_in(self._status)
        if self.broken:
            raise StreamBroken(self.broken)

    def _asked(self, call: Call) -> Reply:
        deadline = time.monotonic() + _CONNECT_SECONDS
        self._transport.submit(call)
        while time.monotonic() < deadline:
            for _, reply in self._transport.poll(0.1):
                return reply
        return Reply(0)

    @property
    def _status(self) -> int:
        return int(self._handle.getinfo(pycurl.RESPONSE_CODE))

    def _listen(self, timeout: float) -> None:
        if self.broken:
            return
        self._move()
        if not self._chunks and timeout > 0 and not self.broken:
            self._events.select(timeout)
            self._move()
        self._read()
        if time.monotonic() - self._heard_at > SILENT_SECONDS:
            self.broken = f"The daemon has been silent for {SILENT_SECONDS:.0f} seconds."

    def _move(self) -> None:
        while self._events.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        _, ended, failed = self._events.info_read()
        if ended:
            self.broken = "The daemon ended its events."
        elif failed:
            self.broken = f"The connection to the daemon broke: {failed[0][2]}."

    def _read(self) -> None:
        chunk = b"".join(self._chunks)
        if not chunk:
            return
        self._chunks.clear()
        self._heard_at = time.monotonic()
        if self._status not in (0, 200):
            self.broken = f"The daemon answers {self._status} where its events should be."
            return
        for told in self._reader.feed(chunk):
            self.last_id = told.id
            self._received.append(HookRequest(EVENT, "", {}, told.data.encode()))
        if self._reader.waiting > _MOST_OF_AN_EVENT:
            self.broken = "The daemon sends an event without end."


def _let_in(status: int) -> None:
    """Raise `StreamRefused` where the daemon, or a proxy before it, knows neither us nor the account."""
    if status in _REFUSED:
        kind = ErrorKind.AUTH if status in (401, 403) else ErrorKind.CONFIG
        words = "The daemon does not let us in, or has no such account: signal-cli listAccounts says which."
        raise StreamRefused(SendError(kind, str(status), words))


def _refuse_the_open_network(server: str) -> None:
    """`--base-url` is no setting, so nobody has looked at it before."""
    try:
        check_server(server)
    except BadSetting as error:
        raise StreamRefused(SendError(ErrorKind.CONFIG, "server", str(error))) from error


def _listener(call: Call, after: str, chunks: list[bytes]) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.USERAGENT, USER_AGENT)
    handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.CONNECTTIMEOUT_MS, int(_CONNECT_SECONDS * 1000))
    handle.setopt(pycurl.URL, call.url)
    headers = [f"{name}: {value}" for name, value in call.headers.items()]
    handle.setopt(pycurl.HTTPHEADER, headers + ([f"Last-Event-ID: {after}"] if after else []))
    handle.setopt(pycurl.WRITEFUNCTION, chunks.append)
    if call.basic_auth:
        handle.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
        handle.setopt(pycurl.USERNAME, call.basic_auth[0])
        handle.setopt(pycurl.PASSWORD, call.basic_auth[1])
    return handle
