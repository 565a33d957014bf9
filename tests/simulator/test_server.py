"""The small server keeps connections open, and answers nonsense with a plain refusal."""

import socket
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse

import pytest

from app.simulator.server import Server


def echo(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['QUERY_STRING']} "
    return [text.encode("latin-1"), environ["wsgi.input"].read()]


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    server = Server("127.0.0.1", 0, echo)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        yield client
    server.stop()


def ask(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    return connection.recv(65536)


def test_one_connection_serves_many_requests(connection: socket.socket) -> None:
    for number in range(3):
        reply = ask(
            connection, b"POST /a%%20b?n=%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" % number
        )
        assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
        assert reply.endswith(b"\r\n\r\nPOST /a b n=%d hi" % number)


def test_a_head_request_gets_no_body(connection: socket.socket) -> None:
    assert ask(connection, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"Content-Length: 8\r\n\r\n")


@pytest.mark.parametrize("head", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"])
def test_a_connection_ends_when_the_client_wants_it(connection: socket.socket, head: bytes) -> None:
    assert ask(connection, head).startswith(b"HTTP/1.1 200")
    assert connection.recv(1) == b""


def test_a_client_that_waits_to_be_told_to_go_on_is_told(connection: socket.socket) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    assert ask(connection, head) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert ask(connection, b"hi").endswith(b"hi")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nNo colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_nonsense_is_refused_and_the_connection_closed(
    connection: socket.socket, request_bytes: bytes, status: bytes
) -> None:
    assert ask(connection, request_bytes).split(b" ")[1] == status
