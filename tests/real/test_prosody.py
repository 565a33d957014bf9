"""The whole story over a real Prosody: presence joins, a broadcast with receipts, presence leaves; a stream breaks."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.domain.statuses import DeliveryStatus
from app.gateways.connection import StreamBroken
from app.gateways.registry import build, gateway_class
from app.gateways.xmpp_stream import XmppStream
from app.services.manage_senders import add
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Delivery, Subscriber, Subscription
from tests.real.prosody import NEWS, SECRET, Prosody, missing, running_prosody
from tests.support.world import Newsroom
from workers import connector

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=str(missing()))]

CITY = f"city@{NEWS}"


class Person:
    """Somebody at a client."""

    def __init__(self, server: Prosody, name: str) -> None:
        self.address = server.register(name, "secret")
        self.seen: list[list[str]] = []
        script = Path(__file__).parent / "xmpp_person.py"
        command = [sys.executable, "-W", "ignore", str(script), self.address, "secret", str(server.clients)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until(lambda: ["online", "", ""] in self.seen, f"{name} to be online")

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def read(self) -> list[str]:
        """The words of all messages so far."""
        return [words for what, _, words in self.seen if what == "message"]

    def leave(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.seen.append(json.loads(line))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Prosody]:
    with running_prosody(tmp_path) as found:
        yield found


@pytest.fixture
def ada(server: Prosody) -> Iterator[Person]:
    person = Person(server, "ada")
    yield person
    person.leave()


@pytest.fixture
def connected(newsroom: Newsroom, server: Prosody) -> Iterator[Newsroom]:
    """The newsroom's list on XMPP, with its connector running as a thread."""
    newsroom.now = utcnow()
    settings = {"from": CITY, "host": "127.0.0.1", "port": str(server.components), "secret": SECRET}
    sender_id = add(
        name="city-xmpp",
        gateway=gateway_class("xmpp"),
        settings=settings,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    ).id
    with transaction() as session:
        session.get_one(BroadcastList, newsroom.list_id).sender_id = sender_id
    stop = threading.Event()

    def carry() -> None:
        with newsroom.app.app_context():
            setup = connector.setup_of(sender_id)
            assert setup is not None
            connector.work(connector.open_stream(setup.gateway, None), setup, stop)

    thread = threading.Thread(target=carry)
    thread.start()
    yield newsroom
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def until(fact: Callable[[], bool], what: str) -> None:
    for _ in range(300):
        if fact():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited 15 seconds for {what}")


def state(address: str) -> str | None:
    db.session.rollback()
    return db.session.scalar(select(Subscription.state).join(Subscriber).where(Subscriber.address == address))


def statuses() -> set[int]:
    db.session.rollback()
    return set(db.session.scalars(select(Delivery.status)))


def test_presence_joins_broadcasts_arrive_with_receipts_and_presence_leaves(
    connected: Newsroom, ada: Person
) -> None:
    ada.do(f"subscribe {CITY}")
    until(lambda: state(ada.address) == "active", "the consent")
    until(lambda: ["subscribed", CITY, ""] in ada.seen, "the server's yes")
    until(lambda: any("you asked for City" in words for words in ada.read()), "the welcome")

    connected.now = utcnow()
    connected.broadcast("Grüße 🌍 & <all>: the bridge is open.")
    until(lambda: "Grüße 🌍 & <all>: the bridge is open." in ada.read(), "the broadcast")
    until(lambda: statuses() == {DeliveryStatus.DELIVERED}, "the receipts")

    ada.do(f"say {CITY} STOP")
    until(lambda: state(ada.address) == "stopped", "the withdrawal")
    until(lambda: "unsubscribed" in ada.read()[-1], "the confirmation")
    ada.do(f"say {CITY} START")
    until(lambda: state(ada.address) == "active", "the consent again")
    ada.do(f"unsubscribe {CITY}")
    until(lambda: state(ada.address) == "stopped", "the withdrawal by presence")


def test_who_cannot_be_reached_is_reported_for_the_very_delivery(server: Prosody) -> None:
    settings = {"from": CITY, "host": "127.0.0.1", "port": str(server.components), "secret": SECRET}
    gateway = build("xmpp", settings, None)
    stream = XmppStream("127.0.0.1", server.components, NEWS, SECRET)
    nobody = Recipient(DeliveryRef(7, 8), Address("xmpp", "nobody@people.localhost"), "Hello")
    (call,) = gateway.encode(Batch((nobody,), ""))

    stream.submit(call)
    ended: list[object] = []
    until(lambda: bool(ended.extend(stream.poll(0.1)) or ended), "the confirmation")
    found: list[object] = []
    until(lambda: bool(stream.poll(0.1) or found.extend(stream.received()) or found), "the error")

    (event,) = gateway.parse(found[0])  # type: ignore[arg-type]
    assert event.receipt is not None
    assert event.receipt.error is not None
    assert (event.receipt.ref, event.receipt.error.code) == (DeliveryRef(7, 8), "service-unavailable")
    stream.close()


def test_what_was_written_when_the_server_dies_is_unknown_and_a_wrong_secret_is_named(tmp_path: Path) -> None:
    settings = {"from": CITY, "host": "127.0.0.1", "secret": SECRET}
    gateway = build("xmpp", settings, None)
    with running_prosody(tmp_path) as server:
        with pytest.raises(StreamBroken, match="not-authorized"):
            XmppStream("127.0.0.1", server.components, NEWS, "wrong")
        stream = XmppStream("127.0.0.1", server.components, NEWS, SECRET)
    person = Recipient(DeliveryRef(7, 8), Address("xmpp", "ada@people.localhost"), "Hello")
    (call,) = gateway.encode(Batch((person,), ""))

    stream.submit(call)
    ended: list[tuple[object, object]] = []
    until(lambda: bool(ended.extend(stream.poll(0.1)) or ended), "the end")

    (outcome,) = gateway.decode(*ended[0])  # type: ignore[arg-type]
    assert outcome.error is not None
    assert outcome.error.kind == "outcome_unknown"
    assert stream.broken is not None
    assert stream.free == 0
    stream.close()
    with pytest.raises(StreamBroken, match="No XMPP server answers"):
        XmppStream("127.0.0.1", server.components, NEWS, SECRET)
