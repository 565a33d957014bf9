"""The relay through which machines of the benchmark reach a server that listens on a Unix socket."""

import socket
import threading
from pathlib import Path

import pytest

from bench.relay import relay


def echo_once(server: socket.socket) -> None:
    line, _ = server.accept()
    with line:
        line.sendall(line.recv(100).upper())


@pytest.mark.enable_socket
def test_bytes_go_to_the_unix_socket_and_back(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        threading.Thread(target=echo_once, args=(server,), daemon=True).start()
        with (
            relay("127.0.0.1", str(tmp_path / "s")) as port,
            socket.create_connection(("127.0.0.1", port), timeout=5) as line,
        ):
            line.sendall(b"hello")
            assert line.recv(100) == b"HELLO"
