"""A message whose answer was lost is found in the provider's list, over the wire."""

from datetime import UTC, datetime, timedelta

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Recipient
from app.gateways.base import Call, Reply
from app.gateways.look_ups import Question
from app.gateways.transport import CurlTransport
from app.gateways.twilio import TwilioGateway
from tests.simulator.support import ACCOUNT, NUMBER, TOKEN

REF = DeliveryRef(1, 2)


def carried(call: Call, wait_ms: int = 15_000) -> Reply:
    transport = CurlTransport(connections=1, total_timeout_ms=wait_ms)
    try:
        transport.submit(call)
        while not (done := transport.poll(0.1)):
            pass
        return done[0][1]
    finally:
        transport.close()


def test_a_message_that_was_taken_and_never_answered_is_in_the_list(base: str) -> None:
    gateway = TwilioGateway({"account_sid": ACCOUNT, "auth_token": TOKEN, "from": NUMBER}, base)
    silent = Address("sms", "+447700900504")
    batch = Batch((Recipient(REF, silent, "The bridge is open: 5 % & more"),), "http://127.0.0.1:9/hooks/x")
    (call,) = gateway.encode(batch)
    assert carried(call, wait_ms=500).status == 0

    since = datetime.now(UTC) - timedelta(minutes=1)
    question = Question(REF, silent, "The bridge is open: 5 % & more", since)
    (seen,) = gateway.sightings(question, carried(gateway.look_up(question)))

    assert seen.same_text
    assert seen.provider_id.startswith("SM")
    other = question._replace(address=Address("sms", "+447700900505"))
    assert gateway.sightings(other, carried(gateway.look_up(other))) == []
