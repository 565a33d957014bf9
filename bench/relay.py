"""Offers a Unix socket over TCP, as a server on another machine would be reached."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator

_POLL_SECONDS = 0.2


@contextlib.contextmanager
def relay(address: str, path: str) -> Iterator[int]:
    """Carry connections to a free port of `address` on to the Unix socket `path`; yields the port."""
    over = threading.Event()

    class Carry(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as far:
                far.connect(path)
                _carry(self.request, far, over)

    with socketserver.ThreadingTCPServer((address, 0), Carry) as server:
        threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            over.set()
            server.shutdown()


def _carry(near: socket.socket, far: socket.socket, over: threading.Event) -> None:
    """Copy both ways until a side hangs up, or all is over."""
    while not over.is_set():
        ready, _, _ = select.select([near, far], [], [], _POLL_SECONDS)
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            (far if side is near else near).sendall(data)
