"""The whole story over SMPP: join by text, a broadcast and its reports, STOP; and what breaks on the way."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.gateways.registry import gateway_class
from app.gateways.smpp_pdu import Message, Party
from app.services import fan_out
from app.services.manage_senders import add
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Delivery, InboundRow, Sender, Subscriber, Subscription
from tests.gateways.samples.smpp import OURS
from tests.support.smpp_centre import PASSWORD, SYSTEM_ID, Centre, running_centre
from tests.support.world import Newsroom, number
from workers import connector, listening

ADA, BEN = number(41), number(42)
LONG = "The bridge is open again, and so is the ferry. " * 5


class Desk:
    """A newsroom whose list is on SMPP."""

    def __init__(self, newsroom: Newsroom, centre: Centre, password: str = PASSWORD) -> None:
        newsroom.now = utcnow()
        self.newsroom, self.centre = newsroom, centre
        account = {"system_id": SYSTEM_ID, "password": password, "port": str(centre.port)}
        self.sender_id = add(
            name="smpp",
            gateway=gateway_class("smpp"),
            settings={"from": OURS, "host": "127.0.0.1", **account},
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).sender_id = self.sender_id

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Run the connector, as a thread."""
        stop = threading.Event()

        def keep() -> None:
            with self.newsroom.app.app_context():
                connector.keep(self.sender_id, stop)

        thread = threading.Thread(target=keep)
        thread.start()
        try:
            until(lambda: bool(self.centre.bound), "the bind")
            yield
        finally:
            stop.set()
            thread.join(40)
            assert not thread.is_alive()
            until(lambda: not self.centre.bound, "the end of the session")

    def joins(self, *people: str) -> None:
        for one in people:
            self.centre.text(one, OURS, "city")
            until(lambda one=one: self.state(one) == "active", "the consent")  # type: ignore[misc]

    def broadcast(self, words: str) -> None:
        self.newsroom.now = utcnow()
        self.newsroom.broadcast(words)

    def clock(self) -> None:
        """Bring back what is to be tried again."""
        fan_out.bring_back(utcnow())

    def state(self, address: str = ADA) -> str | None:
        db.session.rollback()
        return db.session.scalar(
            select(Subscription.state).join(Subscriber).where(Subscriber.address == address)
        )

    def statuses(self, *, replies: bool = False) -> list[int]:
        db.session.rollback()
        of = Delivery.inbound_id != 0 if replies else Delivery.inbound_id == 0
        return list(db.session.scalars(select(Delivery.status).where(of)))

    def got(self, words: str) -> int:
        """How many got these words."""
        return sum(words in one for _, one in self.centre.texts)


def until(fact: Callable[[], bool], what: str) -> None:
    for _ in range(300):
        if fact():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited 15 seconds for {what}")


@pytest.fixture
def centre() -> Iterator[Centre]:
    with running_centre() as found:
        yield found


@pytest.fixture
def desk(newsroom: Newsroom, centre: Centre) -> Desk:
    return Desk(newsroom, centre)


def test_people_join_get_broadcasts_with_reports_and_leave(desk: Desk, centre: Centre) -> None:
    with desk.connected():
        desk.joins(ADA)
        until(lambda: desk.got("you asked for City") == 1, "the welcome")

        centre.manners.in_fields = True
        for words in (LONG, "Привет 🌍"):
            desk.broadcast(words)
            until(lambda words=words: (ADA, words) in centre.texts, "the broadcast")  # type: ignore[misc]
        until(lambda: set(desk.statuses()) == {DeliveryStatus.DELIVERED}, "the reports")
        until(lambda: desk.statuses(replies=True) == [DeliveryStatus.DELIVERED], "that of the welcome")

        centre.text(ADA, OURS, "Please STOP")
        until(lambda: desk.state() == "stopped", "the withdrawal")
        until(lambda: desk.got("unsubscribed") == 1, "the confirmation")
        until(lambda: len(centre.answers) == 6, "our answers")

    assert {status for _, status in centre.answers} == {0}
    assert centre.bound == []


@pytest.mark.parametrize("first", [True, False], ids=["before the answer", "after it"])
def test_a_report_finds_its_delivery_however_fast_it_is(desk: Desk, centre: Centre, first: bool) -> None:
    centre.manners.report_first = first
    centre.manners.report = "UNDELIV"
    with desk.connected():
        desk.joins(ADA, BEN)
        desk.broadcast("Hello")

        until(lambda: desk.statuses() == [DeliveryStatus.FAILED] * 2, "the reports")


def test_late_reports_find_their_deliveries_in_the_next_process(desk: Desk, centre: Centre) -> None:
    centre.manners.report = None
    with desk.connected():
        desk.joins(ADA)
        desk.broadcast("Hello")
        until(lambda: desk.statuses() == [DeliveryStatus.SENT], "the hand-over")

    with desk.connected():
        centre.report_all()
        until(lambda: desk.statuses() == [DeliveryStatus.DELIVERED], "the report")


def test_a_throttled_message_is_sent_later_and_once(desk: Desk, centre: Centre) -> None:
    with desk.connected():
        desk.joins(ADA)
        until(lambda: desk.got("you asked for City") == 1, "the welcome")
        refusals = iter([0x58])
        centre.manners.status = lambda message: next(refusals, 0)
        desk.broadcast("Hello")

        until(lambda: desk.clock() or desk.statuses() == [DeliveryStatus.DELIVERED], "the second try")

    assert desk.got("Hello") == 1


def test_a_number_that_the_centre_refuses_fails(desk: Desk, centre: Centre) -> None:
    with desk.connected():
        desk.joins(ADA, BEN)
        until(lambda: desk.got("you asked for City") == 2, "the welcome")
        centre.manners.status = lambda message: 0x0B if _to(message) == BEN else 0
        desk.broadcast("Hello")

        until(lambda: sorted(desk.statuses()) == [DeliveryStatus.DELIVERED, DeliveryStatus.FAILED], "both")


def _to(message: Message) -> str:
    return f"+{message.destination.number}"


@pytest.mark.slow
def test_what_was_on_its_way_when_the_connection_broke_is_unknown_and_never_sent_again(
    desk: Desk, centre: Centre
) -> None:
    with desk.connected():
        desk.joins(ADA)
        until(lambda: desk.got("you asked for City") == 1, "the welcome")
        centre.manners.silent = True
        desk.broadcast("Hello")
        until(lambda: desk.got("Hello") == 1, "the message")
        centre.drop()

        until(lambda: desk.statuses() == [DeliveryStatus.UNKNOWN], "the verdict")
        centre.manners.silent = False
        until(lambda: bool(centre.bound), "the next session")
        desk.broadcast("Goodbye")
        until(lambda: desk.got("Goodbye") == 1, "the next broadcast")

    assert desk.got("Hello") == 1


def test_a_start_that_is_repeated_after_a_stop_starts_nothing(desk: Desk, centre: Centre) -> None:
    with desk.connected():
        desk.joins(ADA)
        centre.text(ADA, OURS, "STOP")
        until(lambda: desk.state() == "stopped", "the withdrawal")
        centre.drop()  # and our answers may be lost with it
        until(lambda: len(centre.sessions) == 2 and bool(centre.bound), "the next session")

        before = len(centre.answers)
        centre.text(ADA, OURS, "city")
        until(lambda: len(centre.answers) == before + 1, "our answer")

        assert desk.state() == "stopped"
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(InboundRow)) == 2


def test_a_report_of_no_message_of_ours_is_answered_after_a_while(
    desk: Desk, centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "EARLY_SECONDS", 0.5)
    with desk.connected():
        desk.joins(ADA)
        until(lambda: desk.got("you asked for City") == 1, "the welcome")
        _, message = centre.messages[0]
        unit = centre.bound[0].deliver(centre.report(message, "ffff", "DELIVRD"))

        until(lambda: (unit, 0) in centre.answers, "our answer")


def test_a_text_that_nobody_could_have_sent_is_answered_and_holds_up_nobody(
    desk: Desk, centre: Centre
) -> None:
    with desk.connected():
        stranger = Message(Party(1, 1, "99999999999999999"), Party(1, 1, OURS[1:]), b"STOP")
        unit = centre.bound[0].deliver(stranger)
        desk.joins(ADA)

        until(lambda: (unit, 0) in centre.answers, "our answer")


def test_a_wrong_password_pauses_the_sender_and_says_so(newsroom: Newsroom, centre: Centre) -> None:
    desk = Desk(newsroom, centre, password="wrong")
    stop = threading.Event()

    def keep() -> None:
        with newsroom.app.app_context():
            connector.keep(desk.sender_id, stop)

    thread = threading.Thread(target=keep)
    thread.start()

    def reason() -> str:
        db.session.rollback()
        return db.session.get_one(Sender, desk.sender_id).paused_reason or ""

    until(lambda: "0x0e" in reason(), "the pause")
    stop.set()
    thread.join(10)
    assert len(centre.sessions) == 1
