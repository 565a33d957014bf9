"""One concurrent HTTP transport for every HTTP gateway, on libcurl's multi interface.

It never sends a request twice by itself. libcurl would: when a kept-alive connection dies before any answer
came, it sends the request again on a fresh one, a POST too. We hand it the body through a read function that
cannot be rewound; once the body has been read, libcurl then gives up (SEND_FAIL_REWIND) instead of repeating,
and the outcome is *unknown*, which is the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pycurl

from app.gateways.base import Call, Reply

CONNECT_TIMEOUT_MS = 5_000
TOTAL_TIMEOUT_MS = 15_000
DEFAULT_CONNECTIONS = 64

_NOT_LEFT = frozenset(
    {
        pycurl.E_COULDNT_RESOLVE_HOST,
        pycurl.E_COULDNT_RESOLVE_PROXY,
        pycurl.E_COULDNT_CONNECT,
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_URL_MALFORMAT,
        pycurl.E_UNSUPPORTED_PROTOCOL,
    }
)


@dataclass
class _Exchange:
    """One call in flight: what was read of its body, and what came back."""

    call: Call
    unread: BytesIO
    body: BytesIO = field(default_factory=BytesIO)
    headers: dict[str, str] = field(default_factory=dict)
    body_read: bool = False

    def read(self, size: int) -> bytes:
        self.body_read = True
        return self.unread.read(size)

    def header(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            self.headers[name.strip().lower()] = value.strip()


class CurlTransport:
    """Up to `connections` calls at once over kept-alive connections; certificates are always checked."""

    def __init__(
        self,
        connections: int = DEFAULT_CONNECTIONS,
        connect_timeout_ms: int = CONNECT_TIMEOUT_MS,
        total_timeout_ms: int = TOTAL_TIMEOUT_MS,
    ) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, connections)
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections)
        self._timeouts = (connect_timeout_ms, total_timeout_ms)
        self._idle: list[Any] = [self._new_handle() for _ in range(connections)]
        self._busy: dict[Any, _Exchange] = {}
        # What each handle was last aimed at: a lane's calls differ in their bodies only.
        self._shapes: dict[Any, tuple[object, ...]] = {}

    @property
    def free(self) -> int:
        """How many more calls may be in flight."""
        return len(self._idle)

    @property
    def in_flight(self) -> int:
        """How many calls wait for an answer."""
        return len(self._busy)

    def _new_handle(self) -> Any:
        handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.TCP_NODELAY, 1)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, self._timeouts[0])
        handle.setopt(pycurl.TIMEOUT_MS, self._timeouts[1])
        return handle

    def submit(self, call: Call) -> None:
        """Begin a call; only when `free` is positive."""
        handle = self._idle.pop()
        exchange = _Exchange(call, BytesIO(call.body))
        shape = (call.url, call.method, call.basic_auth, tuple(call.headers.items()))
        if self._shapes.get(handle) != shape:
            self._shapes[handle] = shape
            _aim(handle, call)
        handle.setopt(pycurl.POSTFIELDSIZE, len(call.body))
        handle.setopt(pycurl.READFUNCTION, exchange.read)
        handle.setopt(pycurl.WRITEFUNCTION, exchange.body.write)
        handle.setopt(pycurl.HEADERFUNCTION, exchange.header)
        self._busy[handle] = exchange
        self._multi.add_handle(handle)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Move bytes for at most `timeout` seconds and return the calls that ended."""
        self._perform()
        done = self._collect()
        if not done and self._busy and timeout > 0:
            self._multi.select(timeout)
            self._perform()
            done = self._collect()
        return done

    def _perform(self) -> None:
        while self._multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass

    def _collect(self) -> list[tuple[Call, Reply]]:
        done: list[tuple[Call, Reply]] = []
        while True:
            queued, succeeded, failed = self._multi.info_read()
            done += [self._end(handle, 0, "") for handle in succeeded]
            done += [self._end(handle, number, text) for handle, number, text in failed]
            if not queued:
                return done

    def _end(self, handle: Any, error: int, text: str) -> tuple[Call, Reply]:
        exchange = self._busy.pop(handle)
        status = 0 if error else handle.getinfo(pycurl.RESPONSE_CODE)
        left = exchange.body_read and error not in _NOT_LEFT
        self._multi.remove_handle(handle)
        self._idle.append(handle)
        reason = f"curl_{error}" if error else ""
        return exchange.call, Reply(status, exchange.body.getvalue(), exchange.headers, left, reason)

    def close(self) -> None:
        """Drop every connection; calls in flight are lost to us, and their deliveries will be *unknown*."""
        for handle in list(self._busy):
            self._multi.remove_handle(handle)
        self._busy.clear()
        self._idle.clear()
        self._multi.close()


def _aim(handle: Any, call: Call) -> None:
    """Set everything of a call that the next one of the same lane shares."""
    handle.setopt(pycurl.URL, call.url)
    handle.setopt(pycurl.POST, 1)
    handle.setopt(pycurl.CUSTOMREQUEST, call.method)
    # "Expect:" switches off the wait for "100 Continue" before larger bodies.
    handle.setopt(pycurl.HTTPHEADER, [f"{k}: {v}" for k, v in call.headers.items()] + ["Expect:"])
    if call.basic_auth:
        handle.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
        handle.setopt(pycurl.USERNAME, call.basic_auth[0])
        handle.setopt(pycurl.PASSWORD, call.basic_auth[1])
    else:
        handle.unsetopt(pycurl.USERPWD)
