"""HTTP/2 over TLS: many requests on one connection, no more than we have lines, and honest about what may have left."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.gateways.base import Call, Reply
from app.gateways.transport import CurlTransport
from tests.gateways.test_transport import answer, run, server
from tests.support.certificates import self_signed
from tests.support.http2_server import (
    ENHANCE_YOUR_CALM,
    INTERNAL_ERROR,
    REFUSED_STREAM,
    Behave,
    Http2Server,
    Line,
    http2_server,
)

LINES = 8


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "server.pem")


@pytest.fixture
def transport(certificate: Path) -> Iterator[CurlTransport]:
    with closing(CurlTransport(LINES, total_timeout_ms=2000, ca_file=str(certificate))) as made:
        yield made


def created(_: Http2Server, line: Line, stream: int) -> None:
    line.created(stream)


def a_moment_later(_: Http2Server, line: Line, stream: int) -> None:
    threading.Timer(0.2, line.created, (stream,)).start()


def calls(port: int, count: int, first: int = 0) -> list[Call]:
    url = f"https://localhost:{port}/messages"
    return [Call("POST", url, b"To=%d" % number) for number in range(first, first + count)]


def test_a_server_that_speaks_http2_gets_http2(certificate: Path, transport: CurlTransport) -> None:
    with http2_server(certificate, created) as other:  # it speaks nothing else
        ((_, reply),) = run(transport, *calls(other.port, 1))

    assert (reply.status, reply.body, other.requests) == (201, b"{}", [b"To=0"])


def test_many_requests_share_a_connection_and_never_more_than_there_are_lines(
    certificate: Path, transport: CurlTransport
) -> None:
    with http2_server(certificate, created) as other:
        run(transport, *calls(other.port, 1))
        other.behave = a_moment_later

        done = []
        for batch in range(3):
            for call in calls(other.port, LINES, first=1 + LINES * batch):
                transport.submit(call)
            assert (transport.free, transport.in_flight) == (0, LINES)
            while transport.in_flight:
                done += transport.poll(0.1)

    assert {reply.status for _, reply in done} == {201}
    assert sorted(other.requests) == sorted(b"To=%d" % number for number in range(1 + 3 * LINES))
    assert (len(other.lines), other.peak) == (1, LINES)


def test_a_server_that_takes_few_at_once_gets_few_on_each_connection(
    certificate: Path, transport: CurlTransport
) -> None:
    with http2_server(certificate, created, most_streams=2) as other:
        run(transport, *calls(other.port, 1))
        other.behave = a_moment_later
        done = run(transport, *calls(other.port, LINES, first=1))

    assert {reply.status for _, reply in done} == {201}
    assert len(other.requests) == len(set(other.requests)) == LINES + 1
    assert other.most_on_one <= 2


def lost(certificate: Path, transport: CurlTransport, behave: Behave) -> tuple[Reply, Http2Server]:
    """Ask twice, on one connection; the second time the server behaves badly."""
    with http2_server(certificate, created) as other:
        run(transport, *calls(other.port, 1))
        other.behave = behave
        ((_, reply),) = run(transport, *calls(other.port, 1, first=1))
        time.sleep(0.1)  # for a second request, were there one
    return reply, other


def reset_with(code: int) -> Behave:
    return lambda _, line, stream: line.reset(stream, code)


def hang_up(_: Http2Server, line: Line, stream: int) -> None:
    line.close()


def go_away_and_hang_up(_: Http2Server, line: Line, stream: int) -> None:
    line.go_away(stream, INTERNAL_ERROR)
    line.close()


def go_away_before_it(_: Http2Server, line: Line, stream: int) -> None:
    line.go_away(stream - 2)
    line.close()


@pytest.mark.parametrize(
    "behave",
    [
        reset_with(INTERNAL_ERROR),
        reset_with(ENHANCE_YOUR_CALM),
        hang_up,
        go_away_and_hang_up,
        # These two say that nobody looked at it. libcurl does not tell them from a connection that broke, so they are
        # unknown as well: rather a question to the provider than a second copy.
        reset_with(REFUSED_STREAM),
        go_away_before_it,
    ],
    ids=["reset", "calm", "closed", "error", "refused", "gone before"],
)
def test_what_came_to_an_end_without_an_answer_may_have_left_and_is_not_sent_again(
    certificate: Path, transport: CurlTransport, behave: Behave
) -> None:
    reply, other = lost(certificate, transport, behave)

    assert (reply.status, reply.left) == (0, True)
    assert other.requests == [b"To=0", b"To=1"]


def test_libcurl_says_of_a_refused_stream_what_it_says_of_a_kept_connection_that_died(
    certificate: Path, transport: CurlTransport
) -> None:
    """Should this fail, libcurl has learnt to tell them apart, and a refused stream need not be unknown any more."""
    with server(lambda connection, number: number == 1 and answer(connection, number)) as older:
        url = f"http://127.0.0.1:{older.port}/messages"
        run(transport, Call("POST", url, b"first"))
        ((_, died),) = run(transport, Call("POST", url, b"taken, and never answered"))

    refused, _ = lost(certificate, transport, reset_with(REFUSED_STREAM))
    gone_before, _ = lost(certificate, transport, go_away_before_it)

    assert older.requests[1:] == [b"taken, and never answered"]
    assert (refused.reason, gone_before.reason) == (died.reason, died.reason) == ("curl_65", "curl_65")


def test_a_server_that_goes_away_answers_what_it_has_and_the_next_request_opens_a_connection(
    certificate: Path, transport: CurlTransport
) -> None:
    def last_one(_: Http2Server, line: Line, stream: int) -> None:
        line.go_away(stream)
        line.created(stream)

    with http2_server(certificate, created) as other:
        run(transport, *calls(other.port, 1))
        other.behave = last_one
        ((_, reply),) = run(transport, *calls(other.port, 1, first=1))
        other.behave = created
        ((_, after),) = run(transport, *calls(other.port, 1, first=2))

    assert (reply.status, after.status) == (201, 201)
    assert (len(other.lines), len(other.requests)) == (2, 3)


def test_one_stream_that_is_reset_leaves_the_others_alone(
    certificate: Path, transport: CurlTransport
) -> None:
    def reset_the_third(server: Http2Server, line: Line, stream: int) -> None:
        if line.bodies[stream] == b"To=3":
            line.reset(stream, INTERNAL_ERROR)
        else:
            line.created(stream)

    with http2_server(certificate, reset_the_third) as other:
        run(transport, *calls(other.port, 1))
        done = run(transport, *calls(other.port, LINES - 1, first=1))

    outcomes = {call.body: (reply.status, reply.left) for call, reply in done}
    assert outcomes.pop(b"To=3") == (0, True)
    assert set(outcomes.values()) == {(201, True)}
    assert len(other.requests) == LINES


def test_a_server_that_never_finishes_the_handshake_got_nothing(certificate: Path) -> None:

    with (
        closing(CurlTransport(1, connect_timeout_ms=400, ca_file=str(certificate))) as transport,
        server(lambda connection, number: True) as silent,
    ):
        ((_, reply),) = run(transport, *calls(silent.port, 1))

    assert (reply.status, reply.left) == (0, False)


_HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend provider
  bind 127.0.0.1:{port} ssl crt {certificate} alpn h2,http/1.1
  http-request return status 201 content-type text/plain lf-string "%[req.ver]"
"""


def test_a_server_of_another_make_is_spoken_to_in_http2(certificate: Path, tmp_path: Path) -> None:

    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    config = tmp_path / "haproxy.cfg"
    config.write_text(_HAPROXY.format(port=port, certificate=certificate))
    running = subprocess.Popen([program, "-db", "-f", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not _listens(port):
            assert time.monotonic() < deadline, "haproxy does not listen"
            time.sleep(0.02)
        with closing(CurlTransport(LINES, ca_file=str(certificate))) as transport:
            done = run(transport, *calls(port, LINES))
    finally:
        running.kill()
        running.wait()

    assert {(reply.status, reply.body) for _, reply in done} == {(201, b"2.0")}


def _listens(port: int) -> bool:

    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True
