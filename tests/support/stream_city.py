"""The same newsroom on a protocol with a connection of its own: a connector's thread, and the simulator's server."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import select

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.gateways.registry import gateway_class
from app.services import fan_out
from app.services.controller import Refused
from app.services.manage_senders import add
from app.simulator.later import Soon
from app.simulator.messengers import Account
from app.simulator.streams import StreamServer, signal_daemon, smpp_centre, xmpp_server
from app.simulator.world import World
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Delivery, Subscriber, Subscription
from tests.support.world import Newsroom
from workers import connector

_SERVERS: Mapping[str, Callable[..., StreamServer]] = {
    "signal": signal_daemon,
    "smpp": smpp_centre,
    "xmpp": xmpp_server,
}
_ENDS = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.SKIPPED)


class StreamCity:
    """The list “City” on SMPP, XMPP or Signal alone."""

    def __init__(self, newsroom: Newsroom, channel: str, address: str, settings: Mapping[str, str]) -> None:
        newsroom.now = utcnow()
        self.newsroom, self.world = newsroom, World()
        self.server = _SERVERS[channel](self.world, "127.0.0.1", 0, Soon(0.02))
        self.account = Account(channel, address, settings=settings)
        self.world.chats.put(self.account)
        self.channel = gateway_class(channel).channel
        self.sender_id = add(
            name="city",
            gateway=gateway_class(channel),
            settings={**settings, **self._place()},
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).sender_id = self.sender_id

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Run the server, and the connector as a thread."""
        stop = threading.Event()

        def keep() -> None:
            with self.newsroom.app.app_context():
                connector.keep(self.sender_id, stop)

        thread = threading.Thread(target=keep)
        self.server.start()
        thread.start()
        try:
            until(lambda: bool(self._sessions().get(self.account.address)), "the connection")
            yield
        finally:
            stop.set()
            thread.join(40)
            self.server.stop()
            assert not thread.is_alive()

    def _place(self) -> dict[str, str]:
        """The settings that say who we are and where the other side is."""
        address, port = self.account.address, self.server.port
        if self.account.channel == "signal":
            return {"account": address, "server": f"http://127.0.0.1:{port}"}
        return {"from": address, "host": "127.0.0.1", "port": str(port)}

    def _sessions(self) -> Mapping[str, object]:
        if self.account.channel == "signal":
            return dict(self.world.signal.listeners)
        return self.world.smpp.sessions if self.account.channel == "smpp" else self.world.xmpp.sessions

    def comes(self, phone: str, expected: str) -> None:
        self.world.chats.open(phone, self.account)
        until(lambda: self.state(phone) == expected, f"to be {expected}")

    def says(self, phone: str, text: str, expected: str) -> None:
        """Somebody texts us, after which their subscription is as expected and we have answered."""
        before = len(self.shown(phone))
        answer = self.world.chats.text(phone, self.account, text)
        assert answer is not None
        assert answer.taken
        until(lambda: self.state(phone) == expected, f"{text} to mean {expected}")
        until(lambda: len(self.shown(phone)) > before, f"the answer to {text}")

    def blocks(self, phone: str, blocked: bool = True) -> None:
        self.world.chats.block(phone, self.account, blocked)

    def shown(self, phone: str) -> list[str]:
        return [one.text for one in self.world.conversations.bubbles(phone) if one.kind == "in"]

    def state(self, phone: str) -> str | None:
        db.session.rollback()
        here = Subscriber.channel == self.channel, Subscriber.address.contains(phone.removeprefix("+"))
        return db.session.scalar(select(Subscription.state).join(Subscriber).where(*here))

    def broadcast(self, text: str, ends: DeliveryStatus = DeliveryStatus.DELIVERED) -> list[str]:
        """Send to the list and wait for all reports; returns how it ended for each. Nobody to reach: nothing.

        `ends` is the last that is heard of those who got it.
        """
        self.newsroom.now = utcnow()
        try:
            broadcast_id = self.newsroom.broadcast(text)
        except Refused as refused:
            if "Nobody on these lists can be reached" not in str(refused):
                raise
            return []
        until(lambda: self._has_ended(broadcast_id, ends), "the reports")
        fan_out.end_finished(utcnow())
        return sorted(
            f"{status.name.lower()} {why or ''}".strip() for status, why in self._ends(broadcast_id)
        )

    def _has_ended(self, broadcast_id: int, ends: DeliveryStatus) -> bool:
        found = self._ends(broadcast_id)
        return bool(found) and all(status in (ends, *_ENDS) for status, _ in found)

    def _ends(self, broadcast_id: int) -> list[tuple[DeliveryStatus, str | None]]:
        db.session.rollback()
        found = db.session.execute(
            select(Delivery.status, Delivery.reason).where(Delivery.broadcast_id == broadcast_id)
        )
        return [(DeliveryStatus(status), why) for status, why in found]


def until(fact: Callable[[], bool], what: str) -> None:
    for _ in range(300):
        if fact():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited 15 seconds for {what}")
