"""A host that a stranger chose is reached on the public internet or not at all."""

import pytest

from app.gateways.base import NOT_PUBLIC, Call
from app.gateways.public_hosts import is_public
from app.gateways.transport import MOST_OF_A_STRANGER, CurlTransport
from tests.gateways.test_transport import answer, run, server


@pytest.mark.parametrize("host", ["142.250.185.106", "34.107.243.93", "2a00:1450:4001:82a::200a"])
def test_a_push_service_on_the_internet_may_be_reached(host: str) -> None:
    assert is_public(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # nobody listens there
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "localhost", "",
    ],
)  # fmt: skip
def test_our_own_network_may_not_however_it_is_written(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_no_connection_is_opened_to_this_machine_by_whatever_name(name: str) -> None:
    with server(answer) as here:
        call = Call("POST", f"http://{name}:{here.port}/", b"hello", public_only=True)

        ((_, reply),) = run(CurlTransport(2), call)

        assert (reply.status, reply.left, reply.reason) == (0, False, NOT_PUBLIC)
        assert here.requests == []


def test_the_same_transport_serves_hosts_that_we_chose_before_and_after() -> None:
    with server(answer) as here:
        ours = Call("POST", f"http://127.0.0.1:{here.port}/", b"hello")
        theirs = Call("POST", f"http://127.0.0.2:{here.port}/", b"hello", public_only=True)
        transport = CurlTransport(1)

        statuses = [run(transport, call)[0][1].status for call in (ours, theirs, ours)]

        assert statuses == [201, 0, 201]


def test_a_stranger_who_talks_without_end_is_cut_off() -> None:
    def flood(connection, _number: int) -> bool:
        connection.sendall(b"HTTP/1.1 201 Created\r\n\r\n" + b"x" * 4 * MOST_OF_A_STRANGER)
        return False

    with server(flood) as here:
        call = Call("POST", f"http://127.0.0.1:{here.port}/", b"hello", public_only=True)

        ((_, reply),) = run(CurlTransport(1, may_reach=lambda host: True), call)

        assert (reply.status, reply.left) == (0, True)
        assert len(reply.body) <= MOST_OF_A_STRANGER
