"""The transport against real sockets: many at once, never twice, and honest about what may have left."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from app.gateways.base import Call, Reply
from app.gateways.transport import USER_AGENT, CurlTransport
from tests.support.certificates import self_signed

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Request: 7\r\n\r\n{}"


class Server:
    """Reads whole requests on each connection and does what `behave(connection, number of request)` says."""

    def __init__(self, behave, context: ssl.SSLContext | None) -> None:
        self._behave, self._context = behave, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.heads: list[bytes] = []
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._context is not None:
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            self._connections.append(connection)
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
        for connection in self._connections:
            connection.close()


@contextmanager
def server(behave, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    running = Server(behave, context)
    try:
        yield running
    finally:
        running.close()


def answer(connection: socket.socket, _number: int) -> bool:
    connection.sendall(OK)
    return True


def call(port: int, body: bytes = b"To=1") -> Call:
    return Call("POST", f"http://127.0.0.1:{port}/messages", body)


def run(transport: CurlTransport, *calls: Call) -> list[tuple[Call, Reply]]:
    for one in calls:
        transport.submit(one)
    done: list[tuple[Call, Reply]] = []
    while transport.in_flight:
        done += transport.poll(0.2)
    return done


@pytest.fixture
def transport() -> Iterator[CurlTransport]:
    made = CurlTransport(connections=8, connect_timeout_ms=500, total_timeout_ms=700)
    yield made
    made.close()


def test_calls_run_at_once_and_each_gets_its_own_reply(transport: CurlTransport) -> None:
    gate = threading.Barrier(8, timeout=5)

    def wait_for_all(connection: socket.socket, number: int) -> bool:
        gate.wait()
        return answer(connection, number)

    with server(wait_for_all) as other:
        done = run(transport, *(call(other.port, b"To=%d" % n) for n in range(8)))

    assert {reply.status for _, reply in done} == {201}
    assert sorted(one.body for one, _ in done) == sorted(other.requests)


def test_connections_are_kept_for_the_next_calls(transport: CurlTransport) -> None:
    with server(answer) as other:
        for _ in range(20):
            run(transport, call(other.port))

        assert len(other._connections) == 1
        assert len(other.requests) == 20


def test_reply_headers_are_read_without_regard_to_case(transport: CurlTransport) -> None:
    with server(answer) as other:
        ((_, reply),) = run(transport, call(other.port))

    assert (reply.status, reply.body, reply.headers["x-request"]) == (201, b"{}", "7")


def test_a_kept_connection_that_dies_after_the_request_is_not_answered_by_a_second_request(
    transport: CurlTransport,
) -> None:
    """libcurl by itself would send the POST again; the provider would deliver two copies."""

    def answer_once_then_hang_up(connection: socket.socket, number: int) -> bool:
        return number == 1 and answer(connection, number)

    with server(answer_once_then_hang_up) as other:
        run(transport, call(other.port, b"first"))
        ((_, reply),) = run(transport, call(other.port, b"second"))

        assert other.requests == [b"first", b"second"]
    assert (reply.status, reply.left) == (0, True)


def test_a_request_that_got_no_answer_in_time_may_have_left(transport: CurlTransport) -> None:
    with server(lambda connection, number: True) as other:
        ((_, reply),) = run(transport, call(other.port))

        assert len(other.requests) == 1
    assert (reply.status, reply.left, reply.reason) == (0, True, "curl_28")


def test_a_refused_connection_means_that_nothing_left(transport: CurlTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    ((_, reply),) = run(transport, call(port))

    assert (reply.status, reply.left, reply.reason) == (0, False, "curl_7")


def test_a_name_that_does_not_resolve_means_that_nothing_left(transport: CurlTransport) -> None:
    ((_, reply),) = run(transport, Call("POST", "http://nowhere.invalid/", b"To=1"))

    assert (reply.status, reply.left) == (0, False)


def test_only_http_is_spoken(transport: CurlTransport) -> None:
    ((_, reply),) = run(transport, Call("POST", "file:///etc/hostname", b"To=1"))

    assert (reply.status, reply.left, reply.body) == (0, False, b"")


def test_it_says_its_name_and_edition(transport: CurlTransport) -> None:
    with server(answer) as there:
        run(transport, call(there.port))

    assert f"Tidings/{version('tidings')}".encode() == USER_AGENT.encode()
    assert b"User-Agent: " + USER_AGENT.encode() in there.heads[0]


def test_over_tls_only_whom_we_trust_gets_a_request(tmp_path: Path, transport: CurlTransport) -> None:
    file = self_signed(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    trusting = CurlTransport(connections=1, ca_file=str(file))
    with closing(trusting), server(answer, context) as other:
        there = Call("POST", f"https://localhost:{other.port}/messages", b"To=1")
        ((_, refused),) = run(transport, there)
        ((_, misnamed),) = run(trusting, there._replace(url=there.url.replace("localhost", "127.0.0.1")))
        ((_, taken),) = run(trusting, there)

    assert [(one.status, one.left) for one in (refused, misnamed)] == [(0, False)] * 2
    assert (taken.status, other.requests) == (201, [b"To=1"])
