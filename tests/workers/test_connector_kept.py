"""What came in over a connection is kept as posts of providers are, and read again to nobody's harm."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import utcnow
from app.domain.messages import HookRequest
from app.gateways.base import Gateway
from app.gateways.registry import build, gateway_class
from app.gateways.smpp import SmppGateway
from app.gateways.smpp_pdu import Message, Party
from app.gateways.xmpp import XmppGateway
from app.services.gateways_of_senders import gateway_of
from app.services.kept_hooks import SEAL_LABEL, Opened, Took, kept, open_hook
from app.services.manage_senders import add
from app.services.replay_hooks import Replayed, replay
from app.services.rights import erase_subscriber
from app.storage.database import db
from app.storage.models import Broadcast, Delivery, InboundRow, Sender, Subscriber, Webhook, WebhookPerson
from tests.gateways.samples import smpp, xmpp
from tests.support.world import Newsroom
from tests.workers.test_connector_inbound import FakeStream, stopped
from workers.listening import Listening


class AnsweredStream(FakeStream):
    """A connection whose units want an answer, and get it."""

    def answer(self, stanza: str) -> None:
        pass


class Faulty(XmppGateway):
    """A gateway with a fault of ours."""

    def parse(self, request: HookRequest) -> Any:
        raise KeyError("a person's words")


@pytest.fixture(autouse=True)
def today(newsroom: Newsroom) -> None:
    newsroom.now = utcnow()  # what comes over a connection is dated by the clock


def sender(newsroom: Newsroom, name: str, settings: dict[str, str]) -> int:
    return add(
        name=f"city-{name}",
        gateway=gateway_class(name),
        settings=settings,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    ).id


def posts(newsroom: Newsroom) -> list[Opened]:
    db.session.rollback()
    return list(kept(controller=newsroom.controller))


def again(newsroom: Newsroom) -> Replayed:
    def gateway(sender_id: int) -> Gateway:
        return gateway_of(db.session.get_one(Sender, sender_id), newsroom.controller, build)

    return replay(posts(newsroom), gateway, by="ops", controller=newsroom.controller, now=newsroom.now)


def test_a_stanza_is_kept_sealed_and_read_again_changes_nothing(newsroom: Newsroom) -> None:
    sender_id = sender(newsroom, "xmpp", xmpp.SETTINGS)
    Listening(FakeStream(xmpp.STOP), XmppGateway(xmpp.SETTINGS), sender_id).take_in()

    (row,) = db.session.scalars(select(Webhook)).all()
    assert b"STOP" not in row.sealed
    assert (row.what, row.people) == (Took.MESSAGE, 1)
    done = again(newsroom)
    assert (done.read, done.fresh, done.failed) == (1, 0, {})
    assert stopped()
    assert db.session.scalar(select(func.count()).select_from(InboundRow)) == 1


def test_a_stanza_that_a_fault_of_ours_lost_is_taken_once_it_is_mended(newsroom: Newsroom) -> None:
    sender_id = sender(newsroom, "xmpp", xmpp.SETTINGS)
    Listening(FakeStream(xmpp.STOP), Faulty(xmpp.SETTINGS), sender_id).take_in()
    (post,) = posts(newsroom)
    assert (post.what, post.reason) == (Took.FAULT, "KeyError")

    first, second = again(newsroom), again(newsroom)

    assert (first.fresh, first.mended, second.fresh, second.mended) == (1, 1, 0, 0)
    assert stopped()


def test_a_unit_that_makes_no_sense_is_kept_with_the_reason_and_goes_with_the_person(
    newsroom: Newsroom,
) -> None:
    sender_id = sender(newsroom, "smpp", smpp.SETTINGS)
    dialled = smpp.delivered(Message(Party(2, 1, smpp.ADA.replace("+44", "0")), smpp.TO_US, b"STOP"))
    stream = AnsweredStream(dialled, smpp.STOP)
    Listening(stream, SmppGateway(smpp.SETTINGS), sender_id).take_in()
    malformed, _ = posts(newsroom)
    assert malformed.what is Took.MALFORMED
    assert "TON 1" in malformed.reason

    ada = db.session.scalars(select(Subscriber.id).where(Subscriber.address == smpp.ADA)).one()
    db.session.rollback()
    erase_subscriber.erase(ada, full=True, by="ops", controller=newsroom.controller, now=newsroom.now)

    assert posts(newsroom) == []


def test_a_report_of_failure_names_the_person_of_its_delivery(newsroom: Newsroom) -> None:
    sender_id = sender(newsroom, "smpp", smpp.SETTINGS)
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    db.session.get_one(Broadcast, broadcast_id).sender_id = sender_id
    delivery = db.session.scalars(select(Delivery)).one()
    delivery.provider_id, person = "#a7", delivery.subscriber_id
    db.session.commit()
    stream = AnsweredStream(smpp.delivered(smpp.in_words("UNDELIV", error="001")))

    Listening(stream, SmppGateway(smpp.SETTINGS), sender_id).take_in(everything=True)

    assert [one.what for one in posts(newsroom)] == [Took.RECEIPT]
    assert db.session.scalars(select(WebhookPerson.subscriber_id)).all() == [person]
    assert (again(newsroom).receipts, again(newsroom).failed) == (1, {})


def test_a_post_of_an_earlier_version_opens_with_its_content_type(newsroom: Newsroom) -> None:
    head = json.dumps(["POST", "https://news.example.org/hooks/city", {}, "application/json", "why"])
    row = Webhook(
        id=1,
        sender_id=1,
        received_at=newsroom.now,
        what="malformed",
        sealed=newsroom.controller.keys.seal(head.encode() + b"\n{}", SEAL_LABEL),
    )

    opened = open_hook(row, newsroom.controller.keys)

    assert opened.request is not None
    assert opened.request.headers == {"content-type": "application/json"}
