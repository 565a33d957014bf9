"""One person on SMS and on Telegram: a broadcast to both channels reaches them once, whatever happens to it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.messages import DeliveryRef, ErrorKind, Receipt, ReceiptStatus, SendError
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Reply
from app.gateways.registry import build
from app.services import fan_out, link_people, move_channel, review_broadcasts, write_drafts
from app.services.controller import Refused
from app.services.move_links import code_for
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.try_again import try_again
from app.storage.aliases import person_at
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Delivery, LinkedAddress, Subscriber
from tests.services.test_channels import Messenger, TwoChannels
from tests.support.world import Newsroom, number

CHAT = "7000001"


class Person:
    """Ada, who joined by SMS and then opened the link in it that leads to the bot."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.city, self.newsroom, self.bot = TwoChannels(newsroom), newsroom, Messenger()
        newsroom.join(1)
        newsroom.later(hours=1)
        self.phone = self.subscriber(Address("sms", number(0))).id

    def subscriber(self, address: Address) -> Subscriber:
        db.session.rollback()
        found = person_at(db.session(), address)
        assert found is not None
        return found

    @property
    def chat(self) -> int:
        return self.subscriber(Address("telegram", CHAT)).id

    def opens_the_link(self, chat: str = CHAT) -> str:
        code = code_for(
            self.phone, self.newsroom.list_id, controller=self.newsroom.controller, since=self.newsroom.now
        )
        self.city.write(chat, "/start", payload=code)
        self.newsroom.later(hours=1)
        self.city.send(self.bot)
        self.bot.told.clear()
        return code

    def send(self) -> None:
        fan_out.bring_back(self.newsroom.now)
        self.newsroom.send()
        self.city.send(self.bot)
        fan_out.end_finished(self.newsroom.now)

    def fate(self, broadcast_id: int) -> dict[str, tuple[str, str | None]]:
        db.session.rollback()
        rows = db.session.execute(
            select(Subscriber.channel, Delivery.status, Delivery.reason)
            .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
            .where(Delivery.broadcast_id == broadcast_id)
        )
        return {channel: (DeliveryStatus(status).name, reason) for channel, status, reason in rows}

    def fails(self, broadcast_id: int, subscriber_id: int, sender_id: int) -> None:
        error = SendError(ErrorKind.CONTENT, "30007")
        receipt = Receipt(DeliveryRef(broadcast_id, subscriber_id), "x", ReceiptStatus.FAILED, error)
        record_receipts(
            [SenderReceipt(sender_id, receipt)], controller=self.newsroom.controller, now=self.newsroom.now
        )


@pytest.fixture
def ada(newsroom: Newsroom) -> Person:
    return Person(newsroom)


def test_a_broadcast_goes_to_the_channel_chosen_last_and_the_dry_run_says_so(ada: Person) -> None:
    ada.opens_the_link()
    draft = write_drafts.create_draft(
        title="x", text="The bridge.", list_ids=[ada.newsroom.list_id], by="ada", now=ada.newsroom.now
    )
    review = review_broadcasts.check(draft, now=ada.newsroom.now)
    assert (review.reachable, review.skipped) == (1, {"other_channel": 1})

    first = ada.city.broadcast("The bridge is open.")
    ada.send()
    assert ada.fate(first) == {"sms": ("SKIPPED", "other_channel"), "telegram": ("SENT", None)}
    assert (ada.newsroom.provider.arrived, len(ada.bot.told)) == ([], 1)
    ada.newsroom.text("START", number(0))
    ada.newsroom.later(hours=1)
    back = ada.city.broadcast("The bridge is closed again.")
    ada.send()
    assert ada.fate(back) == {"sms": ("SENT", None), "telegram": ("SKIPPED", "other_channel")}
    ada.newsroom.text("STOP", number(0))
    ada.newsroom.later(hours=1)
    second = ada.city.broadcast("It is closed.")
    ada.send()
    assert ada.fate(second) == {"telegram": ("SENT", None)}


def test_another_channel_takes_over_after_a_failure_alone_and_nobody_gets_two(ada: Person) -> None:
    ada.opens_the_link()
    broadcast = ada.city.broadcast("The bridge is open.")
    ada.send()
    record_receipts(
        [
            SenderReceipt(
                ada.city.telegram_id, Receipt(DeliveryRef(broadcast, ada.chat), "x", ReceiptStatus.SENT)
            )
        ],
        controller=ada.newsroom.controller,
        now=ada.newsroom.now,
    )
    ada.send()
    assert ada.newsroom.provider.arrived == []

    ada.fails(broadcast, ada.chat, ada.city.telegram_id)
    ada.send()
    ada.send()
    assert ada.fate(broadcast) == {"sms": ("SENT", None), "telegram": ("FAILED", "content")}
    assert ada.newsroom.provider.copies == {number(0): 1}
    ada.fails(broadcast, ada.phone, ada.newsroom.sender_id)
    ada.send()
    assert len(ada.bot.told) == 1


def test_a_provider_that_never_answers_is_no_failure_and_trying_again_spares_who_has_it(ada: Person) -> None:
    ada.opens_the_link()
    ada.bot = Messenger(Reply(0, b""))
    unknown = ada.city.broadcast("The bridge is open.")
    ada.send()
    assert ada.fate(unknown)["telegram"][0] == "UNKNOWN"
    assert ada.fate(unknown)["sms"] == ("SKIPPED", "other_channel")
    ada.newsroom.later(hours=1)

    ada.bot = Messenger()
    broadcast = ada.city.broadcast("It is closed.")
    ada.send()
    with transaction() as session:
        row = session.get_one(Delivery, (broadcast, ada.chat, 0))
        row.status = 2
    error = SendError(ErrorKind.TEMPORARY, "500")
    receipt = Receipt(DeliveryRef(broadcast, ada.chat), "x", ReceiptStatus.FAILED, error)
    record_receipts(
        [SenderReceipt(ada.city.telegram_id, receipt)],
        controller=ada.newsroom.controller,
        now=ada.newsroom.now,
    )
    ada.send()
    assert ada.fate(broadcast)["sms"] == ("SENT", None)
    with pytest.raises(Refused, match="Nobody is left"):
        try_again(broadcast, by="ada", controller=ada.newsroom.controller, now=ada.newsroom.now)


def test_a_code_links_once_and_says_in_the_ledger_what_it_did(ada: Person) -> None:
    code = ada.opens_the_link()
    ada.city.write("7000002", "/start", payload=code)
    late = code_for(
        ada.phone,
        ada.newsroom.list_id,
        controller=ada.newsroom.controller,
        since=ada.newsroom.now - timedelta(days=31),
    )
    ada.city.write("7000003", "/start", payload=late)

    db.session.rollback()
    rows = db.session.scalars(select(LinkedAddress).order_by(LinkedAddress.subscriber_id)).all()
    assert [(row.subscriber_id, row.channel) for row in rows] == [(ada.phone, "sms"), (ada.chat, "telegram")]
    events = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq)).all()
    assert [one.matched_rule for one in events if one.event_type == "endpoint_changed"] == [
        "linked",
        "linked",
    ]
    grants = [
        one.cta_ref for one in events if one.event_type == "consent_given" and one.channel == "telegram"
    ]
    assert grants == ["telegram:city-telegram:linked"] * 3


def test_operators_link_with_evidence_and_a_wrong_number_ends_the_link(ada: Person) -> None:
    ada.city.write(CHAT, "CITY")
    how = {"channel": "sms", "second_channel": "telegram", "by": "ops"}
    how |= {"controller": ada.newsroom.controller, "now": ada.newsroom.now}
    with pytest.raises(Refused, match="how you know"):
        link_people.link(number(0), CHAT, evidence=" ", **how)
    broadcast = ada.city.broadcast("The bridge is open.")
    with transaction() as session:
        for id_ in (ada.phone, ada.chat):
            session.add(
                Delivery(
                    broadcast_id=broadcast,
                    subscriber_id=id_,
                    inbound_id=0,
                    slice=0,
                    status=DeliveryStatus.PENDING.value,
                    attempts=0,
                    updated_at=ada.newsroom.now,
                )
            )
    link_people.link(number(0), CHAT, evidence="call of 3 March", **how)
    assert ada.fate(broadcast) == {"sms": ("SKIPPED", "other_channel"), "telegram": ("PENDING", None)}
    with pytest.raises(Refused, match="links already"):
        link_people.link(number(0), CHAT, evidence="once more", **how)

    ada.newsroom.text("wrong number", number(0))
    db.session.rollback()
    assert db.session.scalars(select(LinkedAddress)).all() == []


def test_a_move_asks_the_old_channel_alone_and_tells_who_came_along(ada: Person) -> None:
    newsroom = ada.newsroom
    newsroom.join(2, first=1)
    ada.city.write("7000009", "CITY")
    how = {"list_name": "CITY", "from_channel": "sms", "to_sender": "city-telegram", "closes_old": True}
    how |= {"by": "ops", "controller": newsroom.controller, "registry": build, "now": newsroom.now}
    with pytest.raises(Refused, match="move_link"):
        move_channel.ask(text="Come along.", **how)
    with pytest.raises(Refused, match="does not carry"):
        move_channel.ask(text="{{move_link}}", **{**how, "to_sender": "city-desk"})
    asking = move_channel.ask(text="From May on Telegram: {{move_link}} STOP ends.", **how)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    ada.send()

    texts = dict(newsroom.provider.arrived)
    codes = {to: body.partition("start=")[2].split()[0] for to, body in texts.items()}
    assert set(codes) == {number(0), number(1), number(2)}
    assert len(set(codes.values())) == asking.people == 3
    assert not any("Telegram" in words for _, words in ada.bot.told)

    ada.city.write(CHAT, "/start", payload=codes[number(0)])
    newsroom.text("STOP", number(1))
    (came,) = move_channel.progress()
    assert (came.asked, came.joined, came.left, came.waiting) == (3, 1, 1, 1)
    grants = db.session.scalars(
        select(ConsentEvent.cta_ref).where(ConsentEvent.event_type == "consent_given")
    ).all()
    assert f"telegram:city-telegram:move-{asking.move_id}" in grants
    closed = db.session.scalars(
        select(ConsentEvent).where(ConsentEvent.event_type == "consent_revoked")
    ).all()
    assert [(one.channel, one.cta_ref) for one in closed] == [("sms", f"move-{asking.move_id}")]
