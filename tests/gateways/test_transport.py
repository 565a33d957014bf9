"""The transport against real sockets: many at once, never twice, and honest about what may have left."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from app.gateways.base import HELD_BACK, Call, Reply
from app.gateways.transport import USER_AGENT, CurlTransport
from tests.support.certificates import self_signed
from tests.support.raw_server import OK, answer, server


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

        assert len(other.connections) == 1
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


def test_a_call_is_asked_about_when_its_handshake_is_over_and_a_no_keeps_all_of_it_here(
    tmp_path: Path,
) -> None:
    file = self_signed(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    trusting = CurlTransport(connections=1, ca_file=str(file))
    asked: list[float] = []

    def may_leave(call: Call) -> bool:
        asked.append(time.monotonic() - began)
        return call.body == b"To=2"

    with closing(trusting), server(answer, context, lambda: time.sleep(0.2)) as other:
        to_one, to_two = (
            Call("POST", f"https://localhost:{other.port}/", body, may_leave=may_leave)
            for body in (b"To=1", b"To=2")
        )
        began = time.monotonic()
        ((_, held_back),) = run(trusting, to_one)
        ((_, taken),) = run(trusting, to_two)

    assert asked[0] >= 0.2
    assert (held_back.status, held_back.left, held_back.reason) == (0, False, HELD_BACK)
    assert (taken.status, other.requests) == (201, [b"To=2"])


def test_a_call_is_asked_about_when_libcurl_tries_it_on_a_fresh_connection(
    transport: CurlTransport,
) -> None:
    asked: list[bytes] = []

    def may_leave(call: Call) -> bool:
        asked.append(call.body)
        return False

    def answer_once_then_hang_up() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(OK)
            connection.recv(65536)
        with listener.accept()[0] as connection:
            heads.append(connection.recv(65536))

    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = Call("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/", b"")
        serving = threading.Thread(target=answer_once_then_hang_up)
        serving.start()
        run(transport, there)
        ((_, reply),) = run(transport, there._replace(may_leave=may_leave))
        serving.join(5)

    assert len(asked) == 1, "of a kept connection nobody asks, and libcurl repeats what has no body"
    assert (reply.reason, heads) == (HELD_BACK, [b""])
