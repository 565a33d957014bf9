"""Posts of providers are kept sealed, and read again after a fault was mended, to nobody's harm."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.clock import utcnow
from app.domain.messages import Event, HookRequest
from app.domain.retention import read_periods
from app.gateways.base import Gateway
from app.gateways.registry import build
from app.gateways.twilio import TwilioGateway
from app.services.check_health import webhooks
from app.services.gateways_of_senders import gateway_of
from app.services.kept_hooks import PROBLEMS, Opened, Took, kept
from app.services.replay_hooks import Replayed, replay
from app.services.rights import erase_subscriber, retention
from app.storage.database import db, transaction
from app.storage.models import InboundRow, Sender, Subscriber, Subscription, Webhook, WebhookPerson
from app.webhooks import HookDoor
from tests.support.world import Newsroom, number
from tests.webhooks.test_webhooks import INBOUND, sent, signed, status_of

ANNA = number(1)
SECRET = "please tell my secret to nobody"


class Faulty(TwilioGateway):
    """A gateway with a fault of ours: it stumbles over texts with an umlaut."""

    def parse(self, request: HookRequest) -> Sequence[Event]:
        if "ü" in dict(parse_qsl(request.body.decode())).get("Body", ""):
            raise KeyError("ü")
        return super().parse(request)


@pytest.fixture
def client(newsroom: Newsroom) -> FlaskClient:
    newsroom.now = utcnow()
    return newsroom.app.test_client()


def faulty(newsroom: Newsroom) -> FlaskClient:
    def with_a_fault(_name: str, settings: Mapping[str, str], base_url: str | None) -> Gateway:
        return Faulty(settings, base_url)

    newsroom.app.wsgi_app = HookDoor(newsroom.app, newsroom.app.wsgi_app, with_a_fault)  # type: ignore[method-assign]
    return newsroom.app.test_client()


def posts(newsroom: Newsroom, *what: Took) -> list[Opened]:
    db.session.rollback()
    return list(kept(controller=newsroom.controller, what=what or tuple(Took)))


def again(newsroom: Newsroom, *what: Took) -> Replayed:
    def gateway(sender_id: int) -> Gateway | None:
        sender = db.session.get(Sender, sender_id)
        return sender and gateway_of(sender, newsroom.controller, build)

    return replay(posts(newsroom, *what), gateway, by="ops", controller=newsroom.controller, now=newsroom.now)


def inbound(text: str, sid: str = "SM1") -> dict[str, str]:
    return INBOUND | {"Body": text, "MessageSid": sid}


def state() -> str | None:
    db.session.rollback()
    return db.session.scalar(select(Subscription.state))


def test_a_text_is_kept_sealed_and_opens_as_it_came(newsroom: Newsroom, client: FlaskClient) -> None:
    signed(client, inbound(SECRET))

    (row,) = db.session.scalars(select(Webhook)).all()
    assert SECRET.encode() not in row.sealed
    assert SECRET.replace(" ", "+").encode() not in row.sealed
    (post,) = posts(newsroom)
    assert post.what is Took.MESSAGE
    assert post.request is not None
    assert dict(parse_qsl(post.request.body.decode()))["Body"] == SECRET


def test_receipts_that_say_all_went_well_are_not_kept_and_others_are(
    newsroom: Newsroom, client: FlaskClient
) -> None:
    _, query = sent(newsroom)
    signed(client, {"MessageSid": "SM9", "MessageStatus": "delivered"}, query)
    assert posts(newsroom) == []
    signed(client, {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "30008"}, query)
    assert [one.what for one in posts(newsroom)] == [Took.RECEIPT]


def test_what_nobody_signed_is_not_kept(newsroom: Newsroom, client: FlaskClient) -> None:
    assert signed(client, inbound("START"), token="wrong").status_code == 403
    assert posts(newsroom) == []


def test_to_read_everything_again_changes_nothing(newsroom: Newsroom, client: FlaskClient) -> None:
    for sid, text in (("SM1", "START"), ("SM2", "STOP"), ("SM3", "HELP")):
        signed(client, inbound(text, sid))
    newsroom.later(hours=49)
    newsroom.send_replies()
    before = newsroom.provider.arrived[:]

    done = again(newsroom)

    assert (done.read, done.fresh, done.failed) == (3, 0, {})
    assert state() == "stopped"
    newsroom.send_replies()
    assert newsroom.provider.arrived == before
    assert db.session.scalar(select(func.count()).select_from(InboundRow)) == 3


def test_a_fault_of_ours_loses_nothing_once_it_is_mended(newsroom: Newsroom, client: FlaskClient) -> None:
    broken = faulty(newsroom)
    assert signed(broken, inbound("bitte nicht mehr, danke für alles. STOP")).status_code == 500
    (post,) = posts(newsroom, *PROBLEMS)
    assert (post.what, post.reason) == (Took.FAULT, "KeyError")
    assert "1 webhook" in webhooks(newsroom.controller).found

    done = again(newsroom, *PROBLEMS)

    assert (done.fresh, done.mended, done.failed) == (1, 1, {})
    assert posts(newsroom, *PROBLEMS) == []
    assert webhooks(newsroom.controller).health == "ok"


def test_a_start_that_is_read_late_opens_nothing_that_a_stop_closed(
    newsroom: Newsroom, client: FlaskClient
) -> None:
    broken = faulty(newsroom)
    signed(broken, inbound("START"))
    signed(broken, inbound("CITY für mich", "SM2"))  # a fault: not taken
    newsroom.later(seconds=5)
    signed(client, inbound("STOP", "SM3"))
    again(newsroom, *PROBLEMS)
    assert state() == "stopped"


def test_a_post_that_makes_no_sense_still_makes_none(newsroom: Newsroom, client: FlaskClient) -> None:
    assert signed(client, {"MessageSid": "SM1"}).status_code == 400
    (post,) = posts(newsroom, *PROBLEMS)
    assert post.what is Took.MALFORMED

    done = again(newsroom, *PROBLEMS)

    assert done.failed == {post.id: "The field From is missing."}
    assert len(posts(newsroom, *PROBLEMS)) == 1


def test_a_receipt_is_read_again_forward_only(newsroom: Newsroom, client: FlaskClient) -> None:
    broadcast_id, query = sent(newsroom)
    failed = {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "30008"}
    signed(client, failed, query)
    signed(client, {"MessageSid": "SM9", "MessageStatus": "delivered"}, query)

    assert again(newsroom).receipts == 1
    assert status_of(broadcast_id) == "delivered"


def test_whoever_is_erased_takes_their_posts_along(newsroom: Newsroom, client: FlaskClient) -> None:
    signed(client, inbound("START"))
    signed(client, inbound("hello", "SM2") | {"From": number(2)})
    signed(client, {"MessageSid": "SM3", "From": number(1)[1:]})  # malformed, and it has the number in it

    anna = db.session.scalars(select(Subscriber.id).where(Subscriber.address == ANNA)).one()
    db.session.rollback()
    erase_subscriber.erase(anna, full=True, by="ops", controller=newsroom.controller, now=newsroom.now)

    (left,) = posts(newsroom)
    assert left.request is not None
    assert number(2)[1:].encode() in left.request.body
    assert db.session.scalar(select(func.count()).select_from(WebhookPerson)) == 1


def test_posts_go_after_a_week(newsroom: Newsroom, client: FlaskClient) -> None:
    signed(client, inbound("START"))
    newsroom.now = utcnow() + timedelta(days=7, seconds=5)
    retention.purge(by="ops", periods=read_periods(""), controller=newsroom.controller, now=newsroom.now)
    assert posts(newsroom) == []


def test_when_a_post_cannot_be_kept_what_it_said_is_in_force_all_the_same(
    newsroom: Newsroom, client: FlaskClient
) -> None:
    with transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE webhook RENAME TO put_aside")
    answer = signed(client, inbound("START"))
    with transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE put_aside RENAME TO webhook")

    assert (answer.status_code, state()) == (200, "active")
