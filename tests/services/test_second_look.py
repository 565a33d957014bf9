"""A STOP, a pause or an error while a connection is still being opened: nothing leaves when it stands at last."""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from app.domain.messages import Batch, Outcome
from app.domain.statuses import SkipReason
from app.gateways.base import HELD_BACK, Call, Capabilities, Reply, Transport
from app.gateways.transport import CurlTransport
from app.gateways.twilio import TwilioGateway
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.services.stop_broadcasts import pause, resume
from app.storage.database import transaction
from app.storage.models import Sender
from tests.support.certificates import self_signed
from tests.support.raw_server import OK, Server, server
from tests.support.world import ACCOUNT, NUMBER, TOKEN, FakeProvider, Newsroom, accepted, number
from workers.journal import journal

SETTINGS = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER}
TAKEN = OK.replace(b"Content-Length: 2", b"Content-Length: 45").replace(
    b"{}", b'{"sid": "SM%s"}' % (b"0" * 32)
)


class SlowProvider(FakeProvider):
    """Opens a connection for each call, asks whether it may still leave, and never sends what may not."""

    def __init__(self, while_opening: Callable[[], object]) -> None:
        super().__init__()
        self.while_opening = while_opening
        self.calls: list[Call] = []

    def submit(self, call: Call) -> None:
        self.calls.append(call)
        self._waiting.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        calls, self._waiting = self._waiting, []
        if calls:
            self.while_opening()
        return [(call, self._carry(call)) for call in calls]

    def _carry(self, call: Call) -> Reply:
        if call.may_leave is not None and not call.may_leave(call):
            return Reply(0, left=False, reason=HELD_BACK)
        for form in map(parse_qs, call.body.decode().split("\n")):
            self.arrived.append((form["To"][0], form["Body"][0]))
        return accepted("everybody", call.body.decode())


class Together(TwilioGateway):
    """All people of a text share one request."""

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), rate_unit="request", max_batch=10)

    def encode(self, batch: Batch) -> Sequence[Call]:
        calls = super().encode(batch)
        body, refs = b"\n".join(one.body for one in calls), tuple(one.refs[0] for one in calls)
        return [calls[0]._replace(body=body, refs=refs)]

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        decode = super().decode
        return [one for ref in call.refs for one in decode(call._replace(refs=(ref,)), reply)]


@contextmanager
def slow_tls(tmp_path: Path, in_handshake: Callable[[], object]) -> Iterator[tuple[Server, CurlTransport]]:
    file = self_signed(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def take(connection: ssl.SSLSocket, _number: int) -> bool:
        connection.sendall(TAKEN)
        return True

    with server(take, context, in_handshake) as there:
        transport = CurlTransport(connections=4, ca_file=str(file))
        try:
            yield there, transport
        finally:
            transport.close()


def work(newsroom: Newsroom, gateway: TwilioGateway, transport: Transport) -> None:
    with transaction() as session:
        replies_id = replies_broadcast(session, session.get_one(Sender, newsroom.sender_id), newsroom.now)
    lane = Lane(
        LaneSetup(newsroom.sender_id, replies_id, 1000.0, "http://localhost/hooks/city-desk", gateway),
        transport=transport,
        throttle=newsroom.throttle,
        controller=newsroom.controller,
        journal=journal(),
        clock=lambda: newsroom.now,
        worker="here:1",
    )
    lane.drain(newsroom.now + timedelta(seconds=20))


def once(act: Callable[[], object]) -> Callable[[], None]:
    done: list[object] = []

    def wait() -> None:
        if not done:
            done.append(act())
            time.sleep(0.03)

    return wait


def test_a_stop_during_the_handshake_keeps_the_message_here(newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.join(4)
    broadcast_id = newsroom.broadcast()

    def stop() -> None:
        with newsroom.app.app_context():
            newsroom.text("STOP", number(2))

    with slow_tls(tmp_path, once(stop)) as (there, transport):
        work(newsroom, TwilioGateway(SETTINGS, f"https://localhost:{there.port}"), transport)

    assert len(there.requests) == 3
    assert not any(number(2).removeprefix("+").encode() in body for body in there.requests)
    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.skipped, counts.unknown, counts.pending) == (3, 1, 0, 0)
    assert counts.reasons == {SkipReason.STOPPED.value: 1}


def test_a_pause_during_the_handshake_keeps_everybody_waiting_until_it_ends(newsroom: Newsroom) -> None:
    people = newsroom.join(25)
    broadcast_id = newsroom.broadcast()
    provider = SlowProvider(once(lambda: pause(broadcast_id, by="ada", reason="a slip", now=newsroom.now)))

    newsroom.send(provider)

    counts = newsroom.tally(broadcast_id)
    assert (provider.arrived, counts.pending, counts.unknown) == ([], 25, 0)

    resume(broadcast_id, by="ada", now=newsroom.now)
    newsroom.send(provider)

    assert provider.copies == dict.fromkeys(people, 1)
    assert newsroom.tally(broadcast_id).sent == 25


def test_the_last_one_of_a_slice_held_back_by_a_pause_is_not_lost(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    provider = SlowProvider(once(lambda: pause(broadcast_id, by="ada", reason="a slip", now=newsroom.now)))

    newsroom.send(provider)
    resume(broadcast_id, by="ada", now=newsroom.now)
    newsroom.send(provider)

    assert provider.copies == {number(0): 1}
    assert newsroom.tally(broadcast_id).sent == 1


def test_a_stop_of_one_who_shares_a_request_holds_it_back_and_the_others_get_theirs_once(
    newsroom: Newsroom,
) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    provider = SlowProvider(once(lambda: newsroom.text("STOP", number(1))))

    work(newsroom, Together(SETTINGS), provider)

    assert sorted(to for to, words in provider.arrived if "bridge" in words) == [number(0), number(2)]
    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.skipped, counts.pending) == (2, 1, 0)


def test_answers_get_no_second_look_and_the_one_to_stop_is_the_last_word(newsroom: Newsroom) -> None:
    newsroom.text("CITY")
    provider = SlowProvider(once(lambda: newsroom.text("STOP")))

    newsroom.send(provider)
    newsroom.later(seconds=1)
    newsroom.send(provider)

    assert [to for to, _ in provider.arrived] == [number(1)] * 2
    welcome, goodbye = (words for _, words in provider.arrived)
    assert welcome != goodbye
    assert "START" in goodbye  # the way back, which only the answer to STOP names
    assert [one.may_leave for one in provider.calls] == [None, None]


def test_when_the_door_cannot_be_asked_nothing_leaves_and_the_next_worker_goes_on(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    provider = SlowProvider(bool)
    lane = newsroom.lane(provider)

    def away(_lease: object) -> int:
        raise ConnectionError("the database is away")

    provider.while_opening = once(lambda: monkeypatch.setattr(lane._slices.door, "ledger_end", away))
    with pytest.raises(ConnectionError, match="the database is away"):
        lane.drain(newsroom.now + timedelta(seconds=20))

    assert provider.arrived == []
    newsroom.send(provider)
    assert newsroom.tally(broadcast_id).sent == 3
    assert provider.copies == {number(one): 1 for one in range(3)}
