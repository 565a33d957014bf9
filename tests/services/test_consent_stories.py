"""Random lives of one number through the real services: the invariants hold whatever is texted and repeated.

The letters are those of the consent rules, section 3.2. The fold alone is tried on far more histories in
`tests/domain/test_consent_histories.py`; here are matcher, ledger, projection, gate and lanes, as they run.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.domain.addresses import Address
from app.domain.asking import Who
from app.domain.messages import (
    DeliveryRef,
    ErrorKind,
    InboundMessage,
    PlatformEvent,
    PlatformSignal,
    ProviderSignal,
    Receipt,
    ReceiptStatus,
    SendError,
)
from app.services.apply_signal import apply_signal
from app.services.let_time_pass import let_time_pass
from app.services.questions import SignUp
from app.services.rebuild_subscriptions import rebuild
from app.services.receive_message import receive_message
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.request_consent import request_consents
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ConsentEvent, Delivery, Subscriber, Subscription
from tests.support.world import Newsroom, number

STOPS = ("STOP", "stop!", "please stop texting me", "UNSUBSCRIBE")
STARTS = ("START", "CITY", "SPORT", "start sport")
TALK = ("hello", "yes", "no", "👍", "", "HELP", "pause 2", "STOP SPORT", "please don't text me at night")
RARE = ("delete my data", "wrong number")
IN_FORCE = frozenset({"active", "paused"})
NEWS = itertools.count(1)


@pytest.fixture
def sqlite_newsroom(sqlite_databases: Any, valkey_url: str, tmp_path: Path) -> Iterator[Newsroom]:
    """Lives are many and PostgreSQL has its own tests of each service."""
    from app.factory import create_app
    from tests.support.application import settings_for

    with sqlite_databases.fresh() as url:
        app = create_app(settings_for(url, valkey_url, tmp_path))
        with app.app_context():
            yield Newsroom(app)
            db.session.remove()
            db.engine.dispose()


class Life:
    """One number, what it did, and what must hold after each step."""

    def __init__(self, newsroom: Newsroom, sport: int, me: str, dice: random.Random) -> None:
        self.newsroom, self.sport, self.me, self.dice = newsroom, sport, me, dice
        self.address = Address("sms", me)
        self.told: list[InboundMessage | PlatformEvent] = []
        self.receipts: list[SenderReceipt] = []
        self.seen: Counter[str] = Counter()

    def states(self) -> dict[int, str]:
        db.session.rollback()
        rows = db.session.execute(
            select(Subscription.list_id, Subscription.state)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(Subscriber.address == self.me)
        )
        return {list_id: state for list_id, state in rows}

    def may_be_sent(self) -> bool:
        """Whether any list is active and nothing about the number forbids it."""
        person = db.session.scalar(select(Subscriber).where(Subscriber.address == self.me))
        if person is None:
            return False
        held = (person.blocked_at, person.bounced_at, person.suppressed_at, person.review_opened_at)
        return "active" in self.states().values() and not any(held)

    def entries(self) -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(ConsentEvent)) or 0

    def heard(self, work: Callable[[], object]) -> list[str]:
        """Do something, let the lane work, and return what this number got."""
        work()
        self.newsroom.provider.arrived.clear()
        self.newsroom.send()
        return [body for to, body in self.newsroom.provider.arrived if to == self.me]

    def deliver(self, what: InboundMessage | PlatformEvent) -> None:
        how = {
            "sender_id": self.newsroom.sender_id,
            "controller": self.newsroom.controller,
            "now": self.newsroom.now,
        }
        if isinstance(what, PlatformEvent):
            apply_signal(what, **how)
        else:
            receive_message(what, **how)

    def text(self, words: str, **more: Any) -> list[str]:
        message = InboundMessage(f"{self.me}-{len(self.told)}", self.address, words, **more)
        self.told.append(message)
        return self.heard(lambda: self.deliver(message))

    # What may happen. Each returns whether it may bring somebody back (a).

    def stops(self) -> bool:
        signal = ProviderSignal.STOP if self.dice.random() < 0.2 else ProviderSignal.NONE
        got = self.text(self.dice.choice(STOPS), signal=signal)
        assert len(got) <= 1  # (f)
        after = self.states()
        assert not set(after.values()) & (IN_FORCE | {"pending"})
        assert len(self.text("STOP")) <= 1
        assert self.states() == after  # (c)
        assert self.news() == []  # (e)
        self.seen["stops"] += 1
        return False

    def starts(self) -> bool:
        self.text(self.dice.choice(STARTS))
        return True

    def starts_late(self) -> bool:
        """Sent an hour before the newest STOP, and here only now (d)."""
        person = db.session.scalar(select(Subscriber).where(Subscriber.address == self.me))
        if person is None or person.last_stop_at is None:
            return False
        before, sent_at = self.states(), person.last_stop_at - timedelta(hours=1)
        self.text(self.dice.choice(STARTS), sent_at=sent_at)
        assert self.states() == before
        self.seen["late starts"] += 1
        return False

    def talks(self) -> bool:
        words = self.dice.choice(RARE if self.dice.random() < 0.15 else TALK)
        assert len(self.text(words)) <= 1
        return words == "yes"

    def comes_again(self) -> bool:
        """Any webhook, however old (b)."""
        if not self.told:
            return False
        before, entries, again = self.states(), self.entries(), self.dice.choice(self.told)
        self.heard(lambda: None)  # what a lifted pause or hold lets go
        assert self.heard(lambda: self.deliver(again)) == []
        assert (self.states(), self.entries()) == (before, entries)
        self.seen["repeats"] += 1
        return False

    def is_signalled(self) -> bool:
        signals = [one for one in PlatformSignal if one is not PlatformSignal.NUMBER_CHANGED]
        event = PlatformEvent(f"{self.me}-{len(self.told)}", self.address, self.dice.choice(signals))
        self.told.append(event)
        by_switch = event.signal is PlatformSignal.PREFERENCE_RESUME and self._switched_off()
        self.heard(lambda: self.deliver(event))
        return by_switch

    def _switched_off(self) -> bool:
        acts = (
            select(Subscription.stopped_act)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(Subscriber.address == self.me, Subscription.state == "stopped")
        )
        return "platform_preference" in db.session.scalars(acts).all()

    def news(self) -> list[str]:
        """A broadcast to both lists; who may not get it does not (e)."""
        words = f"News {next(NEWS)}"
        lists = [self.newsroom.list_id, self.sport]
        got = self.heard(lambda: self.newsroom.broadcast(words, lists))
        return [body for body in got if body.startswith("News")]

    def is_sent_news(self) -> bool:
        allowed = self.may_be_sent()
        got = self.news()
        assert len(got) <= 1
        assert allowed or not got
        self.seen["news"] += len(got)
        return False

    def stops_in_mid_broadcast(self) -> bool:
        self.newsroom.broadcast(f"News {next(NEWS)}", [self.newsroom.list_id, self.sport])
        got = self.text("STOP")
        assert not any(body.startswith("News") for body in got)  # (e)
        return False

    def is_reported(self) -> bool:
        """A receipt for one of the deliveries, or an old one again, in any order (b)."""
        if self.receipts and self.dice.random() < 0.5:
            before = self.states()
            record_receipts(
                [self.dice.choice(self.receipts)], controller=self.newsroom.controller, now=self.newsroom.now
            )
            assert self.states() == before
            return False
        sent = db.session.execute(
            select(Delivery.broadcast_id, Delivery.subscriber_id, Delivery.inbound_id)
            .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
            .where(Subscriber.address == self.me, Delivery.status == "sent")
        ).all()
        if sent:
            self.receipts.append(self._receipt(DeliveryRef(*self.dice.choice(sent))))
            record_receipts([self.receipts[-1]], controller=self.newsroom.controller, now=self.newsroom.now)
        return False

    def _receipt(self, ref: DeliveryRef) -> SenderReceipt:
        kind = self.dice.choice((None, None, ErrorKind.OPTED_OUT, ErrorKind.INVALID))
        error = None if kind is None else SendError(kind, "as reported")
        status = ReceiptStatus.DELIVERED if error is None else ReceiptStatus.FAILED
        return SenderReceipt(self.newsroom.sender_id, Receipt(ref, status, error))

    def is_asked(self) -> bool:
        """Somebody fills in the form with this number: one question at most, and nothing changes for the better."""

        def ask() -> None:
            with transaction() as session:
                sign_up = SignUp(Who.FORM, "https://news.example.org/c")
                request_consents(
                    session,
                    [self.address],
                    self.sport,
                    sign_up,
                    controller=self.newsroom.controller,
                    now=self.newsroom.now,
                )

        assert len(self.heard(ask)) <= 1
        return False

    def waits(self) -> bool:
        self.newsroom.later(hours=self.dice.choice((1, 30, 24 * 4, 24 * 35)))
        self.heard(lambda: let_time_pass(controller=self.newsroom.controller, now=self.newsroom.now))
        return False

    def step(self) -> None:
        self.newsroom.later(seconds=self.dice.randint(0, 90))
        ways: list[Callable[[], bool]] = [
            self.stops, self.starts, self.starts, self.starts_late, self.talks, self.comes_again,
            self.is_signalled, self.is_sent_news, self.stops_in_mid_broadcast, self.is_reported, self.is_asked,
            self.waits,
        ]  # fmt: skip
        before = self.states()
        may_open = self.dice.choice(ways)()
        opened = [
            one
            for one, state in self.states().items()
            if state in IN_FORCE and before.get(one) not in IN_FORCE
        ]
        assert may_open or not opened  # (a)
        self.seen["opened"] += len(opened)


def live(newsroom: Newsroom, lives: int, steps: int) -> Counter[str]:
    """Live `lives` lives; the ledger and all that is projected from it agree after each step (g)."""
    seen: Counter[str] = Counter()
    sport = newsroom.new_list("Sport", "SPORT")
    with transaction() as session:
        session.execute(update(BroadcastList).values(max_per_day=1000))
    newsroom.join(1, first=900)  # a faithful reader, or there would be nobody to send news to
    for index in range(lives):
        seed = 310 + index
        one = Life(newsroom, sport, number(index), random.Random(seed))
        for _ in range(steps):
            one.step()
            differing = rebuild(controller=newsroom.controller, now=newsroom.now, repair=False).differing
            assert differing == 0, f"seed {seed}"
        seen += one.seen
    return seen


@pytest.mark.slow
def test_lives_of_numbers_keep_every_invariant_through_the_services(sqlite_newsroom: Newsroom) -> None:
    seen = live(sqlite_newsroom, lives=10, steps=14)

    assert all(seen[what] for what in ("stops", "late starts", "repeats", "news", "opened")), seen


@pytest.mark.slow
def test_many_lives_keep_every_invariant_through_the_services(sqlite_newsroom: Newsroom) -> None:
    assert live(sqlite_newsroom, lives=40, steps=25)["opened"] > 50
