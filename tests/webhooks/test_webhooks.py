"""The provider's door: signed or refused, repeatable, and quick without any worker."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from app.domain.messages import Event, EventKind, HookRequest, Receipt, ReceiptStatus, found_by
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Reply
from app.gateways.twilio import TwilioGateway
from app.services.manage_senders import add
from app.storage.database import db
from app.storage.models import Delivery, InboundRow, Subscriber
from app.webhooks import HookDoor
from tests.support.world import ACCOUNT, TOKEN, Newsroom, number

URL = "http://localhost/hooks/city-desk"
INBOUND = {
    "MessageSid": "SM1",
    "AccountSid": ACCOUNT,
    "From": number(1),
    "To": "+12025550100",
    "Body": "START",
}

Post = Callable[..., TestResponse]


@pytest.fixture
def client(newsroom: Newsroom) -> FlaskClient:
    return newsroom.app.test_client()


def signed(client: FlaskClient, fields: dict[str, str], query: str = "", token: str = TOKEN) -> TestResponse:
    signature = RequestValidator(token).compute_signature(URL + query, fields)
    return client.post(
        f"/hooks/city-desk{query}",
        data=urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )


def status_of(broadcast_id: int, person: str = number(0)) -> str:
    db.session.rollback()
    row = db.session.scalars(
        select(Delivery)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.broadcast_id == broadcast_id, Subscriber.address == person)
    ).one()
    return DeliveryStatus(row.status).name.lower()


def sent(newsroom: Newsroom) -> tuple[int, str]:
    """A broadcast to one person; returns its id and the reference that its receipts carry."""
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    subscriber_id = db.session.scalars(select(Subscriber.id)).one()
    return broadcast_id, f"?d={broadcast_id}.{subscriber_id}.0"


def test_a_signed_text_is_taken_and_acknowledged_with_empty_twiml(client: FlaskClient) -> None:
    answer = signed(client, INBOUND)

    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    assert answer.text.endswith("<Response/>")
    assert db.session.scalars(select(InboundRow.outcome)).all() == ["START"]


def test_a_repeated_webhook_is_acknowledged_and_changes_nothing(client: FlaskClient) -> None:
    signed(client, INBOUND)
    answer = signed(client, INBOUND)

    assert answer.status_code == 200
    assert len(db.session.scalars(select(InboundRow)).all()) == 1


def test_a_bad_signature_is_403_and_leaves_no_trace(client: FlaskClient) -> None:
    answer = signed(client, INBOUND, token="somebody else's")

    assert answer.status_code == 403
    assert db.session.scalars(select(InboundRow)).all() == []


def test_the_signature_is_checked_against_the_public_url_and_not_the_host_header(client: FlaskClient) -> None:
    forged = "http://evil.example/hooks/city-desk"
    signature = RequestValidator(TOKEN).compute_signature(forged, INBOUND)

    answer = client.post(
        "/hooks/city-desk",
        data=INBOUND,
        headers={"X-Twilio-Signature": signature, "Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )

    assert answer.status_code == 403


def test_an_unknown_sender_is_404(client: FlaskClient) -> None:
    assert client.post("/hooks/nobody", data=INBOUND).status_code == 404


def test_a_signed_webhook_without_its_fields_is_400_and_says_what_is_missing(client: FlaskClient) -> None:
    answer = signed(client, {"MessageSid": "SM1"})

    assert answer.status_code == 400
    assert "From" in answer.text


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    answer = signed(client, INBOUND | {"Body": "x" * 2_000_000})

    assert answer.status_code == 413


def test_only_post_is_taken(client: FlaskClient) -> None:
    assert client.get("/hooks/city-desk").status_code == 405


def test_receipts_move_a_delivery_forward_only_whatever_their_order(
    newsroom: Newsroom, client: FlaskClient
) -> None:
    broadcast_id, ref = sent(newsroom)

    for status in ("delivered", "sent", "queued", "sent", "delivered"):
        assert signed(client, {"MessageSid": "SM9", "MessageStatus": status}, ref).status_code == 200

    assert status_of(broadcast_id) == "delivered"


def test_a_failure_reported_after_delivery_changes_nothing(newsroom: Newsroom, client: FlaskClient) -> None:
    broadcast_id, ref = sent(newsroom)

    signed(client, {"MessageSid": "SM9", "MessageStatus": "delivered"}, ref)
    signed(client, {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "30005"}, ref)

    assert status_of(broadcast_id) == "delivered"
    assert db.session.scalars(select(Subscriber.bounced_at)).one() is None


def test_a_failure_tells_its_reason_and_marks_a_dead_number(newsroom: Newsroom, client: FlaskClient) -> None:
    broadcast_id, ref = sent(newsroom)

    signed(client, {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "30006"}, ref)

    assert status_of(broadcast_id) == "failed"
    counts = newsroom.tally(broadcast_id)
    assert (counts.reasons, counts.errors) == ({"invalid_address": 1}, {"30006": 1})
    assert db.session.scalars(select(Subscriber.bounced_at)).one() is not None


def test_a_receipt_settles_what_was_unknown(newsroom: Newsroom, client: FlaskClient) -> None:
    newsroom.provider.answer = lambda to, body: Reply(0, left=True, reason="curl_28")
    broadcast_id, ref = sent(newsroom)
    before = status_of(broadcast_id)

    signed(client, {"MessageSid": "SM9", "MessageStatus": "delivered"}, ref)

    assert (before, status_of(broadcast_id)) == ("unknown", "delivered")


def test_an_opt_out_in_a_receipt_is_a_withdrawal(newsroom: Newsroom, client: FlaskClient) -> None:
    _, ref = sent(newsroom)

    signed(client, {"MessageSid": "SM9", "MessageStatus": "failed", "ErrorCode": "21610"}, ref)

    with pytest.raises(ValueError, match="Nobody on these lists can be reached"):
        newsroom.broadcast("Second news.")


def test_one_account_cannot_speak_about_the_deliveries_of_another(
    newsroom: Newsroom, client: FlaskClient
) -> None:
    broadcast_id, ref = sent(newsroom)
    add(
        name="sport-desk",
        gateway=TwilioGateway,
        settings={"account_sid": ACCOUNT, "auth_token": "another token", "from": "+12025550101"},
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    db.session.rollback()  # the client shares our session, which would still see the time before

    url, fields = (
        f"http://localhost/hooks/sport-desk{ref}",
        {"MessageSid": "SM9", "MessageStatus": "delivered"},
    )
    signature = RequestValidator("another token").compute_signature(url, fields)
    answer = client.post(f"/hooks/sport-desk{ref}", data=fields, headers={"X-Twilio-Signature": signature})

    assert answer.status_code == 200
    assert status_of(broadcast_id) == "sent"


def test_a_receipt_that_overtakes_the_answer_to_the_hand_over_is_kept(
    newsroom: Newsroom, client: FlaskClient
) -> None:
    newsroom.join(1)
    subscriber_id = db.session.scalars(select(Subscriber.id)).one()
    db.session.rollback()
    broadcast_id = newsroom.broadcast()

    def deliver_first(_to: str) -> None:
        ref = f"?d={broadcast_id}.{subscriber_id}.0"
        assert signed(client, {"MessageSid": "SM9", "MessageStatus": "delivered"}, ref).status_code == 200

    newsroom.provider.before_answer = deliver_first
    newsroom.send()

    assert status_of(broadcast_id) == "delivered"


class _IdsOnly(TwilioGateway):
    """A provider whose receipts bring back nothing but its own id."""

    def parse(self, request: HookRequest) -> Sequence[Event]:
        id_ = dict(parse_qsl(request.body.decode()))["MessageSid"]
        return [Event(EventKind.RECEIPT, receipt=Receipt(None, found_by(id_), ReceiptStatus.DELIVERED))]


def test_a_receipt_that_names_a_providers_id_waits_until_the_delivery_has_it(newsroom: Newsroom) -> None:
    def by_id(_name: str, settings: Mapping[str, str], base_url: str | None) -> _IdsOnly:
        return _IdsOnly(settings, base_url)

    broadcast_id, _ = sent(newsroom)
    newsroom.app.wsgi_app = HookDoor(newsroom.app, newsroom.app.wsgi_app, by_id)  # type: ignore[method-assign]
    client = newsroom.app.test_client()
    early = signed(client, {"MessageSid": "7"})
    db.session.execute(update(Delivery).values(provider_id=found_by("7")))
    db.session.commit()

    again = signed(client, {"MessageSid": "7"})

    assert (early.status_code, again.status_code) == (503, 200)
    assert status_of(broadcast_id) == "delivered"
