"""The connection to a daemon over real HTTP: how it opens, what it brings, how it ends."""

import socket
import time
from collections.abc import Iterator, Sequence

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, HookRequest, Recipient
from app.gateways.connection import StreamBroken, StreamRefused
from app.gateways.signal import SignalGateway
from app.gateways.signal_stream import SignalStream
from tests.gateways.sample import HOOK
from tests.gateways.samples.signal import ADA, SETTINGS
from tests.support.signal_daemon import Daemon, running_daemon

HELLO = Batch((Recipient(DeliveryRef(12, 345), Address("signal", ADA), "Hello"),), HOOK)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with running_daemon() as found:
        yield found


def gateway(daemon: Daemon, **changed: str) -> SignalGateway:
    return SignalGateway({**SETTINGS, "server": daemon.url, **changed})


def heard(stream: SignalStream) -> Sequence[HookRequest]:
    """Listen until something came in, or the stream broke."""
    until = time.monotonic() + 10
    while time.monotonic() < until and not stream.broken:
        stream.poll(0.1)
        if found := stream.received():
            return found
    return []


def test_a_message_goes_out_and_its_report_comes_in(daemon: Daemon) -> None:
    ours = gateway(daemon)
    stream = SignalStream(ours)
    (call,) = ours.encode(HELLO)
    stream.submit(call)
    assert (stream.free, stream.in_flight) == (3, 1)

    while not (done := stream.poll(0.1)):
        pass
    (event,) = heard(stream)
    stream.close()

    ((_, reply),) = done
    (outcome,) = ours.decode(call, reply)
    (told,) = ours.parse(event)
    assert told.receipt is not None
    assert told.receipt.provider_id == outcome.provider_id


def test_events_are_read_though_their_head_comes_with_the_first_of_them(daemon: Daemon) -> None:
    daemon.late_head = True
    stream = SignalStream(gateway(daemon))

    daemon.text(ADA, "STOP")

    assert b"STOP" in heard(stream)[0].body
    stream.close()


def test_a_daemon_that_ends_its_events_is_left(daemon: Daemon) -> None:
    stream = SignalStream(gateway(daemon))

    daemon.drop()

    assert heard(stream) == []
    assert stream.broken == "The daemon ended its events."
    assert stream.free == 0
    stream.close()


def test_a_proxy_lets_in_who_has_the_password(daemon: Daemon) -> None:
    daemon.password = "another"
    with pytest.raises(StreamRefused) as caught:
        SignalStream(gateway(daemon))

    SignalStream(gateway(daemon, password="another")).close()

    assert caught.value.error.kind is ErrorKind.AUTH


def test_a_daemon_without_the_account_refuses_us(daemon: Daemon) -> None:
    with pytest.raises(StreamRefused, match="no such account") as caught:
        SignalStream(gateway(daemon, account="+12025550199"))

    assert caught.value.error.kind is ErrorKind.CONFIG


def test_where_nobody_answers_it_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(StreamBroken, match="No signal-cli answers") as caught:
        SignalStream(SignalGateway({**SETTINGS, "server": f"http://127.0.0.1:{port}"}))

    assert not isinstance(caught.value, StreamRefused)
