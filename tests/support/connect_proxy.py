"""A proxy that knows CONNECT and nothing else, with or without a password."""

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator


class ConnectProxy:
    """Carries bytes to wherever a client asks to be connected; keeps what the clients said first."""

    def __init__(self, user: str, password: str) -> None:
        self._wanted = base64.b64encode(f"{user}:{password}".encode()) if user else b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heads: list[bytes] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := client.recv(65536)):
                    return
                head += more
            self.heads.append(head)
            if self._wanted and b"Basic " + self._wanted not in head:
                client.sendall(b"HTTP/1.1 407 Who are you?\r\nRetry-After: 99\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = head.split(b" ")[1].decode().rpartition(":")
            here = (
                "127.0.0.1" if host.endswith(".invalid") else host
            )  # such names lead nowhere but through us
            with socket.create_connection((here, int(port))) as server:
                self._open.append(server)
                client.sendall(b"HTTP/1.1 200 Go on\r\nRetry-After: 99\r\n\r\n")
                back = threading.Thread(target=_carry, args=(server, client), daemon=True)
                back.start()
                _carry(client, server)
                back.join()

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            one.close()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def connect_proxy(user: str = "", password: str = "") -> Iterator[ConnectProxy]:
    """Yield a running one."""
    proxy = ConnectProxy(user, password)
    try:
        yield proxy
    finally:
        proxy.close()
