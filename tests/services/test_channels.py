"""One list on two channels: joined by each, sent to each from its own sender, in words of its own."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.messages import (
    DeliveryRef,
    ErrorKind,
    InboundMessage,
    Outcome,
    Receipt,
    ReceiptStatus,
    SendError,
)
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Call, Reply
from app.gateways.registry import build, gateway_class
from app.services import fan_out, review_broadcasts, schedule_broadcasts, write_drafts
from app.services.controller import NotFound, Refused
from app.services.gateways_of_senders import open_settings
from app.services.links_of_lists import links_of_list
from app.services.manage_lists import list_lists
from app.services.manage_senders import add
from app.services.receive_message import receive_message
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.services.senders_of_lists import add_sender, remove_sender
from app.services.settle_outcomes import settlement
from app.storage.database import db, transaction
from app.storage.models import Delivery, Sender, Subscriber
from app.storage.outcomes import Settlement
from tests.gateways.samples.telegram import SETTINGS
from tests.support.world import NOON, Newsroom
from workers.journal import journal


class Messenger:
    """Telegram's side of the wire; it remembers who was told what."""

    def __init__(self, answer: Reply | None = None) -> None:
        self.told: list[tuple[str, str]] = []
        self._answer = answer or Reply(200, b'{"ok": true, "result": {"message_id": 17}}')
        self._waiting: list[Call] = []

    free = 10

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def submit(self, call: Call) -> None:
        body = json.loads(call.body)
        self.told.append((body["chat_id"], body["text"]))
        self._waiting.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        calls, self._waiting = self._waiting, []
        return [(call, self._answer) for call in calls]

    def close(self) -> None:
        self._waiting.clear()


class TwoChannels:
    """The newsroom's list “City”, on SMS and on Telegram."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self.telegram_id = self.telegram_sender("city-telegram")
        add_sender("CITY", "city-telegram", by="tests", now=newsroom.now)

    def telegram_sender(self, name: str) -> int:
        return add(
            name=name,
            gateway=gateway_class("telegram"),
            settings=SETTINGS,
            by="tests",
            controller=self.newsroom.controller,
            now=self.newsroom.now,
        ).id

    def write(self, chat: str, words: str, payload: str = "") -> str:
        """Somebody writes to the bot."""
        id_ = f"update:{chat}:{words}:{payload}:{self.newsroom.now.isoformat()}"
        message = InboundMessage(id_, Address("telegram", chat), words, payload=payload)
        return receive_message(
            message,
            sender_id=self.telegram_id,
            controller=self.newsroom.controller,
            now=self.newsroom.now,
        ).outcome

    def broadcast(self, text: str, **variants: str) -> int:
        newsroom = self.newsroom
        draft = write_drafts.create_draft(
            title="Bridge",
            text=text,
            list_ids=[newsroom.list_id],
            variants=variants,
            by="ada",
            now=newsroom.now,
        )
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        return draft

    def send(self, messenger: Messenger) -> None:
        """Work the lane of the bot."""
        newsroom = self.newsroom
        with transaction() as session:
            sender = session.get_one(Sender, self.telegram_id)
            replies_id = replies_broadcast(session, sender, newsroom.now)
            gateway = build("telegram", open_settings(sender, newsroom.controller), None)
        setup = LaneSetup(self.telegram_id, replies_id, 25.0, "http://localhost/hooks/x", gateway)
        lane = Lane(
            setup,
            transport=messenger,
            throttle=newsroom.throttle,
            controller=newsroom.controller,
            journal=journal(),
            clock=lambda: newsroom.now,
            worker="here:2",
        )
        lane.drain(newsroom.now + timedelta(seconds=20))


@pytest.fixture
def city(newsroom: Newsroom) -> TwoChannels:
    return TwoChannels(newsroom)


def test_each_channel_gets_the_broadcast_once_from_its_own_sender_in_its_own_words(city: TwoChannels) -> None:
    newsroom, messenger = city.newsroom, Messenger()
    newsroom.join(2)
    assert city.write("4242", "/start", "city_poster-7") == "START_LIST"
    assert city.write("4243", "CITY") == "START_LIST"
    broadcast_id = city.broadcast("The bridge is open.", telegram="The bridge is open 🌉")

    newsroom.send()
    assert [text for _, text in newsroom.provider.arrived] == ["The bridge is open."] * 2
    assert newsroom.tally(broadcast_id).pending == 2
    city.send(messenger)
    fan_out.end_finished(newsroom.now)

    assert [told for told in messenger.told if "bridge" in told[1]] == [
        ("4242", "The bridge is open 🌉"),
        ("4243", "The bridge is open 🌉"),
    ]
    found = newsroom.tally(broadcast_id)
    assert (found.audience, found.sent, found.pending) == (4, 4, 0)


def test_the_review_says_how_many_are_reached_where_and_what_is_too_long_for_a_channel(
    city: TwoChannels,
) -> None:
    newsroom = city.newsroom
    newsroom.join(3)
    city.write("4242", "CITY")
    draft = write_drafts.create_draft(
        title="Long",
        text="Good news.",
        list_ids=[newsroom.list_id],
        variants={"telegram": "x" * 4097},
        by="ada",
        now=newsroom.now,
    )

    review = review_broadcasts.check(draft, now=newsroom.now)

    assert [(one.channel, one.sender, one.reachable, one.own_words) for one in review.shares] == [
        ("sms", "city-desk", 3, False),
        ("telegram", "city-telegram", 1, True),
    ]
    assert review.problems == ("On Telegram the text has 4097 characters; it may have 4096.",)
    with pytest.raises(Refused, match="On Telegram"):
        schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    copy = write_drafts.copy_broadcast(draft, by="ada", now=newsroom.now)
    assert [one.own_words for one in review_broadcasts.check(copy, now=newsroom.now).shares] == [False, True]


def test_a_failed_hand_over_is_tried_again_by_the_same_sender(city: TwoChannels) -> None:
    newsroom = city.newsroom
    newsroom.join(1)
    city.write("4242", "CITY")
    city.broadcast("The bridge is open.")
    city.send(Messenger(Reply(500, b"{}")))
    newsroom.send()

    newsroom.later(minutes=2)
    assert fan_out.bring_back(newsroom.now) == 1
    newsroom.send()
    messenger = Messenger()
    city.send(messenger)

    assert [told for told in messenger.told if "bridge" in told[1]] == [("4242", "The bridge is open.")]
    assert len(newsroom.provider.arrived) == 1


def test_a_stop_on_one_channel_is_no_stop_on_the_other(city: TwoChannels) -> None:
    newsroom, messenger = city.newsroom, Messenger()
    (ada,) = newsroom.join(1)
    city.write("4242", "CITY")
    newsroom.text("STOP", ada)
    city.broadcast("The bridge is open.")

    newsroom.send()
    city.send(messenger)

    assert [text for _, text in newsroom.provider.arrived if "bridge" in text] == []
    assert ("4242", "The bridge is open.") in messenger.told


def test_a_receipt_counts_from_the_sender_that_carried_the_message_and_from_no_other(
    city: TwoChannels,
) -> None:
    newsroom = city.newsroom
    newsroom.join(1)
    city.write("4242", "CITY")
    broadcast_id = city.broadcast("The bridge is open.")
    newsroom.send()
    city.send(Messenger())
    person = db.session.scalars(select(Subscriber.id).where(Subscriber.channel == "telegram")).one()
    ref = DeliveryRef(broadcast_id, person)
    other = newsroom_sender(newsroom, "other")

    def report(sender_id: int) -> int:
        receipt = Receipt(ref, "17", ReceiptStatus.DELIVERED)
        record_receipts([SenderReceipt(sender_id, receipt)], controller=newsroom.controller, now=newsroom.now)
        db.session.rollback()
        row = db.session.get(Delivery, (broadcast_id, person, 0))
        assert row is not None
        return row.status

    assert report(other) == DeliveryStatus.SENT
    assert report(city.telegram_id) == DeliveryStatus.DELIVERED


def newsroom_sender(newsroom: Newsroom, name: str) -> int:
    return add(
        name=name,
        gateway=gateway_class("telegram"),
        settings=SETTINGS,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    ).id


def test_a_list_has_one_sender_for_each_channel_and_keeps_it_while_people_are_there(
    city: TwoChannels,
) -> None:
    now = city.newsroom.now
    city.telegram_sender("second-bot")

    assert list_lists()[0].further_senders == ("city-telegram",)
    add_sender("CITY", "city-telegram", by="tests", now=now)
    with pytest.raises(Refused, match="has a sender on Telegram already"):
        add_sender("CITY", "second-bot", by="tests", now=now)
    with pytest.raises(NotFound, match="city-desk, city-telegram, second-bot"):
        add_sender("CITY", "third-bot", by="tests", now=now)
    with pytest.raises(Refused, match="first sender"):
        remove_sender("CITY", "city-desk", by="tests", now=now)
    with pytest.raises(Refused, match="does not go out of second-bot"):
        remove_sender("CITY", "second-bot", by="tests", now=now)
    city.write("4242", "CITY")
    with pytest.raises(Refused, match="1 people are subscribed"):
        remove_sender("CITY", "city-telegram", by="tests", now=now)
    city.write("4242", "STOP")
    remove_sender("CITY", "city-telegram", by="tests", now=now)
    db.session.rollback()
    assert list_lists()[0].further_senders == ()


def test_two_lists_with_two_bots_cannot_share_a_broadcast(city: TwoChannels) -> None:
    newsroom = city.newsroom
    second = newsroom.new_list("Sport", "SPORT")
    city.telegram_sender("sport-bot")
    add_sender("SPORT", "sport-bot", by="tests", now=newsroom.now)
    newsroom.join(1)
    draft = write_drafts.create_draft(
        title="Both", text="Hello.", list_ids=[newsroom.list_id, second], by="ada", now=newsroom.now
    )

    review = review_broadcasts.check(draft, now=newsroom.now)

    assert review.problems == ("On Telegram these lists belong to different senders; write one for each.",)


def test_links_open_a_list_on_each_channel_and_carry_where_they_hang(city: TwoChannels) -> None:
    controller = city.newsroom.controller

    found = links_of_list("CITY", "poster-7", controller=controller, registry=build)

    assert [(one.channel, one.link) for one in found] == [
        ("sms", "sms:+12025550100?&body=CITY"),
        ("telegram", "https://t.me/CityDeskBot?start=city_poster-7"),
    ]
    with pytest.raises(Refused, match="cannot be the tag"):
        links_of_list("CITY", "two words", controller=controller, registry=build)


def test_a_platform_that_lets_enough_through_is_asked_again_after_a_day_and_a_pair_limit_costs_no_attempt() -> (
    None
):
    def settled(kind: ErrorKind, attempt: int = 1) -> Settlement:
        return settlement(Outcome(DeliveryRef(1, 2), error=SendError(kind, retry_after=60.0)), attempt, NOON)

    capped, paired = settled(ErrorKind.PREFERENCE_CAP), settled(ErrorKind.PAIR_LIMITED, 9)
    assert (capped.status, capped.due_at) == (DeliveryStatus.PENDING, NOON + timedelta(hours=24))
    assert (paired.status, paired.due_at) == (DeliveryStatus.PENDING, NOON + timedelta(seconds=60))
    assert (capped.attempt_counts, paired.attempt_counts) == (True, False)
    assert settled(ErrorKind.WINDOW_CLOSED).status == DeliveryStatus.FAILED
