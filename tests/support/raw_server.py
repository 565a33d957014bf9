"""A server of raw sockets for tests: it reads whole requests and does what the test says."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Request: 7\r\n\r\n{}"


Behave = Callable[[socket.socket, int], bool]


class Server:
    """Reads whole requests on each connection and does what `behave(connection, number of request)` says."""

    def __init__(
        self, behave: Behave, context: ssl.SSLContext | None, before_handshake: Callable[[], object]
    ) -> None:
        self._behave, self._context, self._before_handshake = behave, context, before_handshake
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.heads: list[bytes] = []
        self.connections: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._context is not None:
                self._before_handshake()
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while body := self._read(connection):
                with self._lock:
                    self.requests.append(body)
                    number = len(self.requests)
                if not self._behave(connection, number):
                    return

    def _read(self, connection: socket.socket) -> bytes:
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                data += (more := connection.recv(65536))
                if not more:
                    return b""
            head, _, body = data.partition(b"\r\n\r\n")
            self.heads.append(head)
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
        except OSError:
            return b""
        return body

    def close(self) -> None:
        self._listener.close()
        for connection in self.connections:
            connection.close()


@contextmanager
def server(
    behave: Behave, context: ssl.SSLContext | None = None, before_handshake: Callable[[], object] = bool
) -> Iterator[Server]:
    """Run a server; with a `context` over TLS, each of whose handshakes waits for `before_handshake`."""
    running = Server(behave, context, before_handshake)
    try:
        yield running
    finally:
        running.close()


def answer(connection: socket.socket, _number: int) -> bool:
    """Take the message."""
    connection.sendall(OK)
    return True
