"""A small WSGI server: HTTP/1.1 with connections that stay open, a thread for each, no delay on small packets.

Made for one loopback process under load: werkzeug's own server closes each connection after one request. When the
application raises ConnectionError before its first chunk, the connection is closed without a reply.
"""

import socket
import socketserver
from contextlib import suppress
from http import HTTPStatus
from threading import BoundedSemaphore, Lock, Thread
from typing import Any
from wsgiref.types import WSGIApplication

from app.simulator.wsgi import BODY_LIMIT, HEAD_LIMIT, BadRequest, Headers, request_line, run, wsgi_environ

IDLE_SECONDS = 75
CONNECTIONS = 1024


class Connection(socketserver.StreamRequestHandler):
    """One client: requests one after another until it leaves, is silent for long, or talks nonsense."""

    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: "Server"

    def handle(self) -> None:
        """Serve requests until the connection ends."""
        self.server.connections.add(self.connection)
        try:
            while self._serve_one():
                pass
        except BadRequest as error:
            self._send(f"{error.status} {error.status.phrase}", [("Connection", "close")], b"", "GET")
        except (ConnectionError, TimeoutError):
            return  # the client left, or the application wants no reply
        finally:
            self.server.connections.discard(self.connection)

    def _serve_one(self) -> bool:
        line = self.rfile.readline(HEAD_LIMIT + 1)
        if not line:
            return False
        method, target, version = request_line(line)
        headers = self._read_headers()
        body = self._read_body(headers)
        environ = wsgi_environ(method, target, version, headers, body)
        environ |= {"REMOTE_ADDR": self.client_address[0], **self.server.environ}
        keep = headers.get("connection", "" if version == "HTTP/1.1" else "close").lower() != "close"
        status, reply_headers, content = run(self.server.application, environ)
        self._send(status, reply_headers, content, method)
        return keep

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        room = HEAD_LIMIT
        while True:
            line = self.rfile.readline(room + 1)
            room -= len(line)
            if room < 0:
                raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            if line in (b"\r\n", b"\n"):
                return headers
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name != name.strip():
                raise BadRequest(HTTPStatus.BAD_REQUEST)
            name = name.lower()
            if name in headers and name in {"content-length", "host"}:
                raise BadRequest(HTTPStatus.BAD_REQUEST)
            headers[name] = value.strip() if name not in headers else f"{headers[name]},{value.strip()}"

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise BadRequest(HTTPStatus.LENGTH_REQUIRED)
        text = headers.get("content-length", "0")
        if not (text.isascii() and text.isdigit()):
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        if len(text) > 9 or int(text) > BODY_LIMIT:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if text != "0" and headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(text))
        if len(body) < int(text):
            raise ConnectionAbortedError
        return body

    def _send(self, status: str, headers: Headers, content: bytes, method: str) -> None:
        head = [f"HTTP/1.1 {status}\r\n"]
        head += [f"{name}: {value}\r\n" for name, value in headers if name.lower() != "content-length"]
        head.append(f"Content-Length: {len(content)}\r\n\r\n")
        block = "".join(head).encode("latin-1")
        self.wfile.write(block if method == "HEAD" else block + content)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on `host` and `port` (0 takes a free one) and serves `application`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        super().__init__((host, port), Connection)
        self.application = application
        self.port: int = self.server_address[1]
        self.environ: dict[str, Any] = {"SERVER_NAME": host, "SERVER_PORT": str(self.port)}
        self.connections = _Sockets()
        self._slots = BoundedSemaphore(CONNECTIONS)
        self._thread: Thread | None = None

    def start(self) -> None:
        """Serve from a thread of its own until `stop()`."""
        self._thread = Thread(target=self.serve_forever, args=(0.05,), name="server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections and close those that are open."""
        self.connections.close()  # frees a listener that waits for a slot
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()
        self.connections.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread; above the limit new ones wait here, unaccepted."""
        self._slots.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and give its slot back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()


class _Sockets:
    """The sockets that are open now, so that stopping can end them."""

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def discard(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def close(self) -> None:
        with self._lock:
            left = list(self._open)
        for connection in left:
            with suppress(OSError):  # the client may have left at this very moment
                connection.shutdown(socket.SHUT_RDWR)
