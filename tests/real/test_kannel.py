"""The whole story over a real Kannel: join by text, a broadcast, its receipts, STOP."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.gateways.registry import gateway_class
from app.gateways.transport import CurlTransport
from app.services.manage_senders import add
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Delivery, Sender, Subscriber, Subscription
from tests.real.door import open_door
from tests.real.kannel import PASSWORD, USER, Kannel, free_port, missing, running_kannel
from tests.support.world import Newsroom, OpenThrottle, number
from workers.journal import journal

pytestmark = pytest.mark.slow

SECRET = "a-secret-of-tests-1234"
OURS = "+12025550180"
ADA = number(41)


class Desk:
    """A newsroom whose list is on Kannel."""

    def __init__(self, newsroom: Newsroom, url: str, door: str) -> None:
        self.newsroom, self.url, self.door = newsroom, url, door
        self.settings = {"username": USER, "password": PASSWORD, "from": OURS, "hook_secret": SECRET}
        self.sender_id = add(
            name="kannel",
            gateway=gateway_class("kannel"),
            settings=self.settings,
            base_url=url,
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).sender_id = self.sender_id

    def drain(self) -> None:
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), utcnow())
        gateway = gateway_class("kannel")(self.settings, self.url)
        setup = LaneSetup(self.sender_id, replies_id, 1000.0, f"{self.door}/hooks/kannel", gateway)
        transport = CurlTransport(4)
        lane = Lane(
            setup,
            transport=transport,
            throttle=OpenThrottle(),
            controller=self.newsroom.controller,
            journal=journal(),
            clock=utcnow,
            worker="tests:1",
        )
        lane.drain(utcnow() + timedelta(seconds=10))
        transport.close()

    def state(self) -> str | None:
        db.session.rollback()
        return db.session.scalar(select(Subscription.state).join(Subscriber).where(Subscriber.address == ADA))

    def statuses(self) -> set[int]:
        db.session.rollback()
        return set(db.session.scalars(select(Delivery.status)))


@pytest.fixture
def desk(newsroom: Newsroom, kannel: Kannel, door: str) -> Desk:
    newsroom.now = utcnow()
    return Desk(newsroom, kannel.url, door)


@pytest.fixture
def door(newsroom: Newsroom) -> Iterator[str]:
    with open_door(newsroom.app, free_port()) as found:
        yield found


@pytest.fixture
def kannel(tmp_path: Path, door: str) -> Iterator[Kannel]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with running_kannel(tmp_path, f"{door}/hooks/kannel?key={SECRET}") as found:
        yield found


def until(fact: Callable[[], bool], what: str) -> None:
    for _ in range(200):
        if fact():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited ten seconds for {what}")


def test_people_join_get_broadcasts_and_leave_over_a_real_kannel(desk: Desk, kannel: Kannel) -> None:
    kannel.text(ADA, OURS, "city")
    until(lambda: desk.state() == "active", "the consent")
    desk.drain()
    until(lambda: kannel.holds("you asked for City"), "the welcome")

    desk.newsroom.now = utcnow()
    desk.newsroom.broadcast("Grüße: the bridge is open & safe.")
    desk.newsroom.broadcast("Привет 🌍")
    desk.drain()
    until(lambda: kannel.holds("Grüße: the bridge is open & safe.", "utf-8"), "the broadcast")
    until(lambda: kannel.holds("Привет 🌍", "utf-16-be"), "the other one")
    until(lambda: desk.statuses() == {DeliveryStatus.DELIVERED}, "the receipts")

    kannel.text(ADA, OURS, "Please STOP")
    until(lambda: desk.state() == "stopped", "the withdrawal")
    desk.drain()
    until(lambda: kannel.holds("unsubscribed"), "the confirmation")
