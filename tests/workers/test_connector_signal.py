"""The whole story over Signal: join by text, a broadcast and its reports, STOP; and what stands against it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from app.clock import utcnow
from app.domain.small_lists import MOST_PEOPLE
from app.domain.statuses import DeliveryStatus, SkipReason
from app.gateways.registry import gateway_class
from app.services import fan_out, manage_senders, review_broadcasts, write_drafts
from app.services.controller import Refused
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, Delivery, Sender, Subscriber, Subscription
from tests.gateways.samples.signal import SETTINGS
from tests.support.signal_daemon import Daemon, account_id, running_daemon
from tests.support.world import Newsroom, number
from tests.workers.test_connector_smpp import until
from workers import connector

ADA, BEN, CYD = number(41), number(42), number(43)


class Desk:
    """A newsroom whose list is on Signal."""

    def __init__(self, newsroom: Newsroom, daemon: Daemon) -> None:
        newsroom.now = utcnow()
        self.newsroom, self.daemon = newsroom, daemon
        self.sender_id = manage_senders.add(
            name="signal",
            gateway=gateway_class("signal"),
            settings={**SETTINGS, "server": daemon.url},
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).sender_id = self.sender_id

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run the connector, as a thread."""
        stop = threading.Event()

        def keep() -> None:
            with self.newsroom.app.app_context():
                connector.keep(self.sender_id, stop)

        thread = threading.Thread(target=keep)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(40)
            assert not thread.is_alive()

    def joins(self, *people: str) -> None:
        until(lambda: self.daemon.listening, "the stream of events")
        for one in people:
            self.daemon.text(one, "city")
            until(lambda one=one: self.state(one) == "active", "the consent")  # type: ignore[misc]

    def broadcast(self, words: str) -> None:
        self.newsroom.now = utcnow()
        self.newsroom.broadcast(words)

    def state(self, address: str = ADA) -> str | None:
        db.session.rollback()
        return db.session.scalar(
            select(Subscription.state).join(Subscriber).where(Subscriber.address == address)
        )

    def statuses(self) -> list[int]:
        db.session.rollback()
        return list(db.session.scalars(select(Delivery.status).where(Delivery.inbound_id == 0)))

    def why_paused(self) -> str:
        db.session.rollback()
        return db.session.get_one(Sender, self.sender_id).paused_reason or ""

    def got(self, words: str) -> list[str]:
        """Who got these words, in the order in which they did."""
        return [to for to, one in self.daemon.texts if words in one]


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with running_daemon() as found:
        yield found


@pytest.fixture
def desk(newsroom: Newsroom, daemon: Daemon) -> Desk:
    return Desk(newsroom, daemon)


def test_people_join_get_a_broadcast_with_its_report_and_leave(desk: Desk, daemon: Daemon) -> None:
    hidden = account_id(BEN)
    with desk.working():
        desk.joins(ADA, hidden)
        until(lambda: len(desk.got("you asked for City")) == 2, "the welcomes")

        desk.broadcast("The bridge is open 🌍")
        until(lambda: desk.statuses() == [DeliveryStatus.DELIVERED] * 2, "the reports")
        assert sorted(desk.got("The bridge is open 🌍")) == sorted([ADA, hidden])

        daemon.text(ADA, "STOP")
        until(lambda: desk.state() == "stopped", "the withdrawal")
        until(lambda: len(desk.got("unsubscribed")) == 1, "the confirmation")
        desk.broadcast("The road is open")
        until(lambda: desk.got("The road is open") == [hidden], "the next broadcast")


def test_who_hides_the_number_later_is_the_same_person_and_leaves_by_it(desk: Desk, daemon: Daemon) -> None:
    with desk.working():
        desk.joins(ADA)

        daemon.text(account_id(ADA), "STOP")

        until(lambda: desk.state(ADA) == "stopped", "the withdrawal")


def test_what_came_in_while_the_stream_was_broken_is_read_after_it(desk: Desk, daemon: Daemon) -> None:
    with desk.working():
        desk.joins(ADA)
        daemon.drop()
        until(lambda: not daemon.listening, "the break")
        daemon.text(ADA, "STOP")

        until(lambda: desk.state() == "stopped", "the withdrawal")

    assert daemon.asked_after[0] == ""
    assert int(daemon.asked_after[-1]) > 0


def test_a_forged_report_for_somebody_else_reports_nothing(desk: Desk, daemon: Daemon) -> None:
    daemon.reports = False
    with desk.working():
        desk.joins(ADA)
        desk.broadcast("Hello")
        until(lambda: desk.statuses() == [DeliveryStatus.SENT], "the hand-over")
        (sent_at,) = db.session.scalars(select(Delivery.provider_id).where(Delivery.inbound_id == 0))
        moment = int(str(sent_at).removeprefix("#").partition(".")[0])

        daemon.report(BEN, moment)
        daemon.text(BEN, "city")  # read after it
        until(lambda: desk.state(BEN) == "active", "the consent")
        assert desk.statuses() == [DeliveryStatus.SENT]

        daemon.report(ADA, moment)
        until(lambda: desk.statuses() == [DeliveryStatus.DELIVERED], "the report")


def test_a_captcha_pauses_the_sender_with_what_to_do_and_nobody_is_lost(desk: Desk, daemon: Daemon) -> None:
    with desk.working():
        desk.joins(ADA)
        until(lambda: desk.got("you asked for City") == [ADA], "the welcome")
        wanted = {"type": "RATE_LIMIT_FAILURE", "token": "a1b2-c3", "retryAfterSeconds": 86400}
        daemon.answer = lambda to: wanted
        desk.broadcast("Hello")

        until(lambda: "submitRateLimitChallenge --challenge a1b2-c3" in desk.why_paused(), "the pause")
        assert "signalcaptchas.org/challenge/generate.html" in desk.why_paused()
        assert desk.statuses() == [DeliveryStatus.PENDING]

        daemon.answer = lambda to: {"type": "SUCCESS"}
        manage_senders.resume("signal", by="ops", now=utcnow())
        until(
            lambda: bool(fan_out.bring_back(utcnow())) or desk.statuses() == [DeliveryStatus.DELIVERED],
            "the message",
        )


def test_more_people_than_a_small_list_has_are_refused_before_anything_is_scheduled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOST_PEOPLE, "signal", 2)  # type: ignore[arg-type]
    with desk.working():
        desk.joins(ADA, BEN, CYD)
    draft = write_drafts.create_draft(
        title="News", text="News.", list_ids=[desk.newsroom.list_id], by="bob", now=utcnow()
    )
    words = "Signal is for small lists: a broadcast may go to 2 people there, and this one would go to 3."

    review = review_broadcasts.check(draft, now=utcnow())
    with pytest.raises(Refused, match="small lists"):
        desk.broadcast("News")

    assert any(one.startswith(words) for one in review.problems)


def test_a_list_that_grew_since_it_was_scheduled_leaves_the_last_ones_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOST_PEOPLE, "signal", 2)  # type: ignore[arg-type]
    with desk.working():
        desk.joins(ADA, BEN)
        planned = desk.newsroom.broadcast_waiting("The bridge is open")
        desk.joins(CYD)
        with transaction() as session:
            session.execute(update(Broadcast).where(Broadcast.id == planned).values(next_at=utcnow()))
        fan_out.open_due(controller=desk.newsroom.controller, now=utcnow())
        until(lambda: desk.statuses().count(DeliveryStatus.DELIVERED) == 2, "the reports")

    assert desk.got("The bridge is open") == [ADA, BEN]
    rows = db.session.execute(select(Delivery.status, Delivery.reason).where(Delivery.reason.is_not(None)))
    assert [tuple(row) for row in rows] == [(DeliveryStatus.SKIPPED, SkipReason.SMALL_LIST)]
