"""A small HTTP/2 server over TLS whose every frame a test decides: RFC 9113, as much as a client of ours needs."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, ENHANCE_YOUR_CALM = 0, 2, 7, 11
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_MAX_CONCURRENT_STREAMS = 3
# HPACK, literals without indexing: name 8 is `:status`.
_CREATED = b"\x08\x03201"


class Line:
    """One connection: the streams that are open on it, and what the server may say."""

    def __init__(self, wire: ssl.SSLSocket) -> None:
        self._wire, self._lock = wire, threading.Lock()
        self.bodies: dict[int, bytes] = {}
        self.begun: set[int] = set()

    def frame(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        """Send one frame."""
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
        with self._lock, contextlib.suppress(OSError):
            self._wire.sendall(head + payload)

    def created(self, stream: int) -> None:
        """Answer 201 with an empty object."""
        self.begun.discard(stream)
        self.frame(HEADERS, END_HEADERS, stream, _CREATED)
        self.frame(DATA, END_STREAM, stream, b"{}")

    def reset(self, stream: int, code: int) -> None:
        """End one stream with an error."""
        self.begun.discard(stream)
        self.frame(RST_STREAM, 0, stream, struct.pack(">I", code))

    def go_away(self, last: int, code: int = NO_ERROR) -> None:
        """Say that the connection ends, and which stream was the last that was looked at."""
        self.frame(GOAWAY, 0, 0, struct.pack(">II", last, code))

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._wire.close()

    def exactly(self, count: int) -> bytes:
        """Read so many bytes; raises `ConnectionError` at the end."""
        data = b""
        while len(data) < count:
            if not (more := self._wire.recv(count - len(data))):
                raise ConnectionError
            data += more
        return data


Behave = Callable[["Http2Server", Line, int], None]


class Http2Server:
    """Calls `behave(server, line, stream)` for each whole request; keeps the bodies, and `peak`, the most at once."""

    def __init__(self, certificate: Path, behave: Behave, most_streams: int) -> None:
        self.behave, self._most = behave, most_streams
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.lines: list[Line] = []
        self.requests: list[bytes] = []
        self.peak = self.most_on_one = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wire = self._context.wrap_socket(plain, server_side=True)
            if wire.selected_alpn_protocol() != "h2":
                wire.close()
                return
            line = Line(wire)
            self.lines.append(line)
            if line.exactly(len(_PREFACE)) == _PREFACE:
                line.frame(SETTINGS, 0, 0, struct.pack(">HI", _MAX_CONCURRENT_STREAMS, self._most))
                while True:
                    self._read_frame(line)

    def _read_frame(self, line: Line) -> None:
        head = line.exactly(9)
        payload = line.exactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind in (SETTINGS, PING) and not flags & ACK:
            line.frame(kind, ACK, 0, payload if kind == PING else b"")
        elif kind == RST_STREAM:
            line.begun.discard(stream)
        elif kind in (HEADERS, DATA):
            line.begun.add(stream)
            self.most_on_one = max(self.most_on_one, len(line.begun))
            self.peak = max(self.peak, sum(len(one.begun) for one in self.lines))
            if kind == DATA:
                line.bodies[stream] = line.bodies.get(stream, b"") + payload
            if flags & END_STREAM:
                self.requests.append(line.bodies.get(stream, b""))
                self.behave(self, line, stream)

    def close(self) -> None:
        """End every connection."""
        self._listener.close()
        for line in self.lines:
            line.close()


@contextlib.contextmanager
def http2_server(certificate: Path, behave: Behave, most_streams: int = 100) -> Iterator[Http2Server]:
    """Yield a running one for localhost."""
    server = Http2Server(certificate, behave, most_streams)
    try:
        yield server
    finally:
        server.close()
