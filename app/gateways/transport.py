"""One concurrent HTTP transport for every HTTP gateway, on libcurl's multi interface.

It never sends a request twice by itself. libcurl would: when a kept-alive connection dies before any answer
came, it sends the request again on a fresh one, a POST too. We hand it the body through a read function that
cannot be rewound; once the body has been read, libcurl then gives up (SEND_FAIL_REWIND) instead of repeating,
and the outcome is *unknown*, which is the truth.

HTTP/2 can say more: after RST_STREAM with REFUSED_STREAM, or a GOAWAY that names an earlier stream, nobody has looked
at the request (RFC 9113, 8.7). libcurl (8.23) keeps that to itself: it decides to send again, may not, and ends with
the same number and the same words, 65 and "necessary data rewind was not possible", as for a kept connection that died
after it had taken the request. Only its verbose log tells them apart, which is no interface and costs every call. So
these are unknown, too; `tests/gateways/test_http2.py` notices when libcurl says more.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from io import BytesIO
from typing import Any

import pycurl

from app.gateways import proxies
from app.gateways.base import HELD_BACK, NOT_PUBLIC, Call, Reply
from app.gateways.public_hosts import is_public

CONNECT_TIMEOUT_MS = 5_000
TOTAL_TIMEOUT_MS = 15_000
DEFAULT_CONNECTIONS = 64
USER_AGENT = "Tidings/0.1.0"
"""Some providers refuse requests of programs without a name in this form."""
BUFFERS = (4 * 1024, 16 * 1024)
"""Bytes of each connection for what comes in and goes out: messages are short, and libcurl would take 16 and 64 KiB."""
MOST_OF_A_STRANGER = 64 * 1024
"""Bytes that are read of an answer from a host that a stranger chose; push services say less than one."""

# libcurl's number; pycurl has no name for it.
_SUPPRESS_CONNECT_HEADERS = 265

_GO: int = pycurl.PREREQFUNC_OK
_STAY: int = pycurl.PREREQFUNC_ABORT
_OPEN: int = pycurl.SOCKOPT_OK
_DO_NOT_OPEN: int = pycurl.SOCKOPT_ERROR
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


class _Headers(Mapping[str, str]):
    """The header lines of a reply, read when somebody asks: of a thousand replies one has to say something there."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines

    @cached_property
    def _read(self) -> dict[str, str]:
        pairs = (line.decode("latin-1").partition(":") for line in self._lines)
        return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}

    def __getitem__(self, name: str) -> str:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


class _Line:
    """One handle of libcurl with its buffers. libcurl calls their C methods, and no function of ours for each call:
    what asks whether a call may still leave is set only for one that needs a new connection."""

    def __init__(
        self,
        timeouts: tuple[int, int],
        may_reach: Callable[[str], bool],
        most_of_a_stranger: int,
        ca_file: str,
    ) -> None:
        self.call: Call | None = None
        self._may_reach, self._most = may_reach, most_of_a_stranger
        self._unread = BytesIO()
        self._chunks: list[bytes] = []
        self._headers: list[bytes] = []
        self._shape: tuple[object, ...] = ()
        self._room = 0
        self._kept_in = self._held_back = False
        self._asks = self.lacks_connection = False
        self._opened: list[socket.socket] = []
        handle = self.handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.USERAGENT, USER_AGENT)
        handle.setopt(_SUPPRESS_CONNECT_HEADERS, 1)  # a proxy's are not the provider's
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.TCP_NODELAY, 1)
        handle.setopt(pycurl.BUFFERSIZE, BUFFERS[0])
        handle.setopt(pycurl.UPLOAD_BUFFERSIZE, BUFFERS[1])
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, timeouts[0])
        handle.setopt(pycurl.TIMEOUT_MS, timeouts[1])
        if ca_file:
            handle.setopt(pycurl.CAINFO, ca_file)
        handle.setopt(pycurl.SOCKOPTFUNCTION, self._new_connection)
        handle.setopt(pycurl.READFUNCTION, self._unread.read)
        handle.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        handle.setopt(pycurl.HEADERFUNCTION, self._headers.append)

    def load(self, call: Call) -> None:
        """Make ready for a call; a lane's calls differ in their bodies only, so most settings stay."""
        self.call = call
        shape = (call.url, call.method, call.basic_auth, call.headers, call.public_only)
        if self._shape != shape:
            self._shape = shape
            _aim(self.handle, call)
            self._guard(call.public_only)
        self._room, self._kept_in, self._held_back = self._most, False, False
        if self._asks or self.lacks_connection:
            self._set_asks(to=False)
        unread = self._unread
        unread.seek(0)
        unread.truncate()
        unread.write(call.body)
        unread.seek(0)
        self.handle.setopt(pycurl.POSTFIELDSIZE, len(call.body))
        self._chunks.clear()
        self._headers.clear()

    def reply(self, error: int) -> Reply:
        """Return what came back; `error` is libcurl's number, 0 for none."""
        body, headers = b"".join(self._chunks), _Headers(tuple(self._headers))
        left = self._unread.tell() > 0 and (self.lacks_connection or error not in _NOT_LEFT)
        self.let_go()
        if error:
            return Reply(0, body, headers, left, self._why(left, error))
        return Reply(self.handle.getinfo(pycurl.RESPONSE_CODE), body, headers, left)

    def _why(self, left: bool, error: int) -> str:
        if not left and (self._held_back or self._kept_in):
            return HELD_BACK if self._held_back else NOT_PUBLIC
        return f"curl_{error}"

    def _before_request(self, *_where: object) -> int:
        """Ask for the last time: libcurl has a connection, be it after a handshake or one more try on a fresh one."""
        call = self.call
        if call is None or call.may_leave is None or call.may_leave(call):
            return _GO
        self._held_back = True
        return _STAY

    def _new_connection(self, *_socket: object) -> int:
        """Keep a call from a new connection until it is set to ask: a handshake takes long, and much may happen."""
        if self._asks or self.call is None or self.call.may_leave is None:
            return _OPEN
        self.lacks_connection = True
        return _DO_NOT_OPEN

    def again(self) -> bool:
        """Make ready for the call once more, now to open a connection and ask; False where something may have left."""
        if not self.lacks_connection or self._asks or self._unread.tell():
            return False
        self._set_asks(to=True)
        return True

    def _set_asks(self, *, to: bool) -> None:
        self._asks, self.lacks_connection = to, False
        if to:
            self.handle.setopt(pycurl.PREREQFUNCTION, self._before_request)
        else:
            self.handle.unsetopt(pycurl.PREREQFUNCTION)

    def _guard(self, public_only: bool) -> None:
        """Watch a call to a host that a stranger chose; the others need no function of ours, and get none."""
        handle = self.handle
        _choose_way(handle, public_only=public_only)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open if public_only else None)
        handle.setopt(pycurl.WRITEFUNCTION, self._take if public_only else self._chunks.append)

    def _open(self, _purpose: int, to: Any) -> Any:
        """Open a connection to a numeric address, after the name was resolved, unless it is not a public one."""
        host = to.addr[0] if isinstance(to.addr, tuple) else ""
        host = host.decode() if isinstance(host, bytes) else host
        if not self._may_reach(host):
            self._kept_in = True
            return pycurl.SOCKET_BAD
        self._opened.append(socket.socket(to.family, to.socktype, to.protocol))
        return self._opened[-1]

    def let_go(self) -> None:
        """Close our ends of what we opened; libcurl has its own copies, and keeps them for the next call."""
        while self._opened:
            self._opened.pop().close()

    def _take(self, chunk: bytes) -> int | None:
        """Read up to the end of what a stranger may say; libcurl gives up when we take less than it has."""
        self._room -= len(chunk)
        if self._room < 0:
            return 0
        self._chunks.append(chunk)
        return None


class CurlTransport:
    """Up to `connections` calls at once over kept-alive connections; certificates are always checked.

    `may_reach` tells of a numeric address whether a call that is `public_only` may connect to it, and
    `most_of_a_stranger` how many bytes of its answer are read. `ca_file` (PEM) names whom to trust in place of those
    whom the system trusts.
    """

    def __init__(
        self,
        connections: int = DEFAULT_CONNECTIONS,
        connect_timeout_ms: int = CONNECT_TIMEOUT_MS,
        total_timeout_ms: int = TOTAL_TIMEOUT_MS,
        may_reach: Callable[[str], bool] = is_public,
        most_of_a_stranger: int = MOST_OF_A_STRANGER,
        ca_file: str = "",
    ) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, connections)
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections)
        timeouts = (connect_timeout_ms, total_timeout_ms)
        self._idle = [_Line(timeouts, may_reach, most_of_a_stranger, ca_file) for _ in range(connections)]
        self._busy: dict[Any, _Line] = {}

    @property
    def free(self) -> int:
        """How many more calls may be in flight."""
        return len(self._idle)

    @property
    def in_flight(self) -> int:
        """How many calls wait for an answer."""
        return len(self._busy)

    def submit(self, call: Call) -> None:
        """Begin a call; only when `free` is positive."""
        line = self._idle.pop()
        line.load(call)
        self._busy[line.handle] = line
        self._multi.add_handle(line.handle)

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
            done += [self._end(handle, 0) for handle in succeeded]
            done += [self._end(handle, number) for handle, number, _ in failed if not self._again(handle)]
            if not queued:
                return done

    def _again(self, handle: Any) -> bool:
        if not self._busy[handle].again():
            return False
        self._multi.remove_handle(handle)
        self._multi.add_handle(handle)
        return True

    def _end(self, handle: Any, error: int) -> tuple[Call, Reply]:
        line = self._busy.pop(handle)
        reply = line.reply(error)
        self._multi.remove_handle(handle)
        self._idle.append(line)
        assert line.call is not None  # noqa: S101  # loaded before it became busy
        return line.call, reply

    def close(self) -> None:
        """Drop every connection; calls in flight are lost to us, and their deliveries will be *unknown*."""
        for handle, line in self._busy.items():
            self._multi.remove_handle(handle)
            line.let_go()
        self._busy.clear()
        self._idle.clear()
        self._multi.close()


def _choose_way(handle: Any, *, public_only: bool) -> None:
    """Set the proxy. A call to a host that a stranger chose goes directly: a proxy may reach what we may not."""
    address, spared = proxies.chosen()
    if public_only or address:
        handle.setopt(pycurl.PROXY, "" if public_only else address)
    else:
        handle.unsetopt(pycurl.PROXY)  # then libcurl reads HTTPS_PROXY and NO_PROXY
    if spared:
        handle.setopt(pycurl.NOPROXY, spared)


def _aim(handle: Any, call: Call) -> None:
    """Set everything of a call that the next one of the same lane shares."""
    handle.setopt(pycurl.URL, call.url)
    if call.method == "GET":
        # As a POST by another name it would announce a form, which some servers refuse.
        handle.setopt(pycurl.HTTPGET, 1)
    else:
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
