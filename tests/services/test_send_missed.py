"""Who writes on a channel that had closed gets the newest broadcast that they missed, once, if their list says so."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.clock import utcnow
from app.domain.statuses import BroadcastState
from app.services import fan_out, write_drafts
from app.services.send_missed import WROTE_WITHIN, may_miss, send_missed
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, Delivery, InboundRow, Subscriber
from tests.gateways.samples.messenger import SETTINGS
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.world import Newsroom
from workers.clock import tick

FIRST, SECOND = "The bridge is open.", "The road is open."


_ADA = select(Subscriber.id).where(Subscriber.address.contains(ADA[1:]))


class Page(ChatCity):
    """Two readers of a page; Ada has been silent for longer than a day, Grace has just written."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__(newsroom, "messenger", SETTINGS["username"], SETTINGS)
        self.offer()
        for phone in (ADA, GRACE):
            self.says(phone, "CITY")
        with transaction() as session:
            for row in session.scalars(select(InboundRow).where(InboundRow.subscriber_id.in_(_ADA))):
                row.received_at -= timedelta(hours=25)

    def offer(self, on: bool = True) -> None:
        with transaction() as session:
            session.get_one(BroadcastList, self.newsroom.list_id).sends_missed = on

    def send(self, text: str) -> int:
        """Send to the list until the broadcast is finished; returns its id."""
        assert self.broadcast(text) == ["delivered", "skipped no_proactive_path"]
        return db.session.scalars(select(Broadcast.id).order_by(Broadcast.id.desc()).limit(1)).one()

    def tick(self) -> int:
        """What the clock and the lane do in a moment; returns how many deliveries began to wait."""
        newsroom = self.newsroom
        moved = self.look()
        fan_out.bring_back(newsroom.now)
        self.drain()
        fan_out.end_finished(newsroom.now)
        return moved

    def look(self, later: timedelta = timedelta(0)) -> int:
        """What the clock does about it, `later` than now: what people write comes in by the true clock."""
        return send_missed(controller=self.newsroom.controller, now=utcnow() + later)

    def state_of(self, broadcast_id: int) -> str:
        db.session.rollback()
        return db.session.get_one(Broadcast, broadcast_id).state

    def ended(self, broadcast_id: int) -> list[str]:
        """How it stands for Ada, in words: status and reason."""
        db.session.rollback()
        row = db.session.scalars(
            select(Delivery).where(
                Delivery.broadcast_id == broadcast_id,
                Delivery.subscriber_id.in_(_ADA),
                Delivery.inbound_id == 0,
            )
        ).one()
        return [str(int(row.status)), row.reason or ""]


@pytest.fixture
def page(newsroom: Newsroom) -> Page:
    return Page(newsroom)


def test_any_words_bring_the_newest_missed_broadcast_after_the_answer_and_once(page: Page) -> None:
    page.send(FIRST)
    newest = page.send(SECOND)
    assert page.tick() == 0

    page.says(ADA, "what is going on?")
    answered = page.shown(ADA)
    assert SECOND not in answered
    assert page.tick() == 1

    assert page.shown(ADA) == [*answered, SECOND]
    assert page.state_of(newest) == BroadcastState.FINISHED
    tally = page.newsroom.tally(newest)
    assert (tally.audience, tally.sent + tally.delivered, tally.skipped) == (2, 2, 0)
    page.says(ADA, "and now?")
    assert page.tick() == 0  # nothing older comes after something newer
    assert page.shown(ADA).count(SECOND) == 1
    assert FIRST not in page.shown(ADA)


def test_a_list_that_does_not_offer_it_sends_nothing(page: Page) -> None:
    page.offer(on=False)
    page.send(FIRST)

    page.says(ADA, "hello")

    assert page.tick() == 0
    assert FIRST not in page.shown(ADA)


@pytest.mark.parametrize("words", ["STOP", "STOP CITY", "PAUSE", "please don't text me at night"])
def test_who_asks_for_less_or_must_be_read_first_gets_nothing(page: Page, words: str) -> None:
    missed = page.send(FIRST)

    page.says(ADA, words)

    assert page.tick() == 0
    assert page.ended(missed) == ["6", "no_proactive_path"]


def test_who_said_stop_and_came_back_gets_nothing_from_before(page: Page) -> None:
    page.send(FIRST)

    page.says(ADA, "STOP")
    page.says(ADA, "CITY")

    assert page.tick() == 0


def test_what_is_stale_or_was_canceled_or_corrected_does_not_come(page: Page) -> None:
    newsroom = page.newsroom
    stale = page.send(FIRST)
    page.says(ADA, "hello")
    with transaction() as session:
        session.execute(update(Broadcast).where(Broadcast.id == stale).values(expires_at=utcnow()))
    assert page.tick() == 0

    with transaction() as session:
        later = newsroom.now + timedelta(hours=1)
        session.execute(
            update(Broadcast)
            .where(Broadcast.id == stale)
            .values(expires_at=later, state=BroadcastState.CANCELED.value)
        )
    assert page.tick() == 0

    right = write_drafts.create_draft(
        title="Right", text=SECOND, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )
    with transaction() as session:
        session.get_one(Broadcast, stale).state = BroadcastState.FINISHED.value
        session.get_one(Broadcast, right).corrects_id = stale
        session.get_one(Broadcast, right).state = BroadcastState.SCHEDULED.value
    assert page.tick() == 0
    assert page.ended(stale) == ["6", "no_proactive_path"]


def test_words_of_long_ago_bring_nothing_when_the_clock_comes_back(page: Page) -> None:
    page.send(FIRST)
    page.says(ADA, "hello")

    assert page.look(later=WROTE_WITHIN) == 0
    assert page.look() == 1


def test_a_stop_between_the_words_and_the_lane_wins(page: Page) -> None:
    missed = page.send(FIRST)
    page.says(ADA, "hello")
    assert page.look() == 1

    page.says(ADA, "STOP")
    page.tick()

    assert FIRST not in page.shown(ADA)
    assert page.ended(missed)[0] == "6"
    assert page.state_of(missed) == BroadcastState.FINISHED


def test_two_clocks_at_the_same_moment_send_it_once(page: Page) -> None:
    newsroom = page.newsroom
    missed = page.send(FIRST)
    page.says(ADA, "hello")
    page.says(ADA, "hello?")
    moved: list[int] = []
    failures: list[BaseException] = []

    def look() -> None:
        try:
            with newsroom.app.app_context():
                moved.append(page.look())
                fan_out.bring_back(newsroom.now)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page.tick()

    assert failures == []
    assert sum(moved) == 1
    assert page.shown(ADA).count(FIRST) == 1
    assert newsroom.tally(missed).skipped == 0


def test_only_a_list_with_a_channel_that_closes_can_miss_something(newsroom: Newsroom) -> None:
    assert not may_miss(db.session(), newsroom.list_id)
    db.session.rollback()

    Page(newsroom)

    assert may_miss(db.session(), newsroom.list_id)


def test_the_clock_looks_for_it_each_second(page: Page) -> None:
    page.send(FIRST)
    page.says(ADA, "hello")

    tick(utcnow())
    page.drain()

    assert page.shown(ADA)[-1] == FIRST
