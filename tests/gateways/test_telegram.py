"""What Telegram takes money for: asked for in broadcasts alone, and only where the sender's setting says so."""

import json

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.gateways.telegram import TelegramGateway
from tests.gateways.samples.telegram import SETTINGS


@pytest.mark.parametrize(
    ("setting", "inbound_id", "asked"),
    [("yes", 0, True), ("yes", 7, None), ("yes", -7, None), ("no", 0, None), (None, 0, None)],
)
def test_only_a_broadcast_of_a_sender_that_pays_may_cost_money(
    setting: str | None, inbound_id: int, asked: bool | None
) -> None:
    settings = SETTINGS | ({"paid_broadcast": setting} if setting else {})
    person = Recipient(DeliveryRef(1, 2, inbound_id), Address("telegram", "4242"), "Hello")

    (call,) = TelegramGateway(settings).encode(Batch((person,), ""))

    assert json.loads(call.body).get("allow_paid_broadcast") is asked
