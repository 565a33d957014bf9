"""What people send over a connection: nobody sends it twice, so nothing of it may be lost."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from app.domain.messages import DeliveryRef, Event, EventKind, HookRequest, Receipt, ReceiptStatus
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Call, Reply
from app.gateways.registry import gateway_class
from app.gateways.xmpp import XmppGateway
from app.services.manage_senders import add
from app.storage.database import db
from app.storage.models import Broadcast, Delivery, InboundRow, Sender, Subscriber
from tests.gateways.samples.xmpp import ADA, SETTINGS, STOP, stanza
from tests.support.world import Newsroom
from workers.connector import work
from workers.jobs import setup_of
from workers.listening import DATABASE_PAUSE, Listening


class FakeStream:
    """A connection over which `stanzas` came in; nothing goes out."""

    free = 10
    in_flight = 0

    def __init__(self, *stanzas: HookRequest) -> None:
        self.broken: str | None = None
        self.closed = False
        self._stanzas = list(stanzas)

    def submit(self, call: Call) -> None:
        raise AssertionError("nothing waits to be sent")

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        return []

    def received(self) -> Sequence[HookRequest]:
        found, self._stanzas = self._stanzas, []
        return found

    def answer(self, stanza: str) -> None:
        raise AssertionError("a message wants no answer")

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sender_id(newsroom: Newsroom) -> int:
    return add(
        name="city-xmpp",
        gateway=gateway_class("xmpp"),
        settings=SETTINGS,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    ).id


@contextmanager
def database_away(statements: int) -> Iterator[None]:
    """Refuse that many statements, then none."""
    left = statements

    def refuse(_connection: Any, _cursor: Any, sql: str, *_more: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            raise OperationalError(sql, None, ConnectionError("the server is starting up"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


def stopped() -> bool:
    """Whether the one person who wrote over the connection is remembered as having said stop."""
    found = db.session.scalars(select(Subscriber.last_stop_at).where(Subscriber.channel == "xmpp")).all()
    db.session.rollback()
    return [one is not None for one in found] == [True]


def test_a_stop_that_comes_while_the_database_is_away_is_done_when_it_is_back(
    newsroom: Newsroom, sender_id: int
) -> None:
    waits: list[float] = []
    with database_away(statements=3):
        Listening(FakeStream(STOP), XmppGateway(SETTINGS), sender_id, waits.append).take_in()

    assert waits == [DATABASE_PAUSE] * 3
    assert stopped()
    assert db.session.scalar(select(func.count()).select_from(InboundRow)) == 1


def test_a_stop_behind_a_stanza_that_fails_for_good_is_done(newsroom: Newsroom, sender_id: int) -> None:
    class Failing(XmppGateway):
        def parse(self, request: HookRequest) -> Any:
            if b"poison" in request.body:
                raise ValueError("an error of ours")
            return super().parse(request)

    poison = stanza(f"<message from='{ADA}' to='city@news.example.org'><body>poison</body></message>", "s1:9")
    Listening(FakeStream(poison, stanza("<message"), STOP), Failing(SETTINGS), sender_id).take_in()

    assert stopped()


def test_a_report_beside_one_that_fails_for_good_is_recorded(newsroom: Newsroom, sender_id: int) -> None:
    class Failing(XmppGateway):
        def parse(self, request: HookRequest) -> Any:
            ref = DeliveryRef(broadcast_id, person)
            status = "no status" if b"poison" in request.body else ReceiptStatus.DELIVERED
            return [Event(EventKind.RECEIPT, receipt=Receipt(ref, "1", status))]  # type: ignore[arg-type]

    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    db.session.get_one(Broadcast, broadcast_id).sender_id = sender_id
    person = db.session.scalars(select(Delivery.subscriber_id)).one()
    db.session.commit()
    stream = FakeStream(stanza("<poison/>"), stanza("<message/>", "s1:8"), stanza("<poison/>", "s1:9"))

    Listening(stream, Failing(SETTINGS), sender_id).take_in(everything=True)

    assert db.session.scalars(select(Delivery.status)).one() == DeliveryStatus.DELIVERED


def test_what_came_in_before_the_lane_failed_is_done_before_the_connection_closes(
    newsroom: Newsroom, sender_id: int
) -> None:
    stream, setup = FakeStream(STOP), setup_of(sender_id)
    assert setup is not None
    with database_away(statements=1), pytest.raises(OperationalError):
        work(stream, setup, Flag())

    assert stopped()
    assert stream.closed


def test_a_sender_that_is_paused_meanwhile_closes_its_connection(newsroom: Newsroom, sender_id: int) -> None:
    stream, setup = FakeStream(), setup_of(sender_id)
    assert setup is not None
    db.session.get_one(Sender, sender_id).paused_at = newsroom.now
    db.session.commit()

    work(stream, setup, Flag())

    assert stream.closed
