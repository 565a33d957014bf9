"""XMPP as a table: which stanzas mean what, and what strangers cannot make us believe."""

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, EventKind, ReceiptStatus, Recipient
from app.gateways.xmpp import XmppGateway
from tests.gateways.sample import HOOK, REF
from tests.gateways.samples.xmpp import (
    ADA,
    FAILURES,
    OURS,
    SETTINGS,
    presence,
    received,
    refused,
    sent_id,
    stanza,
)


def gateway() -> XmppGateway:
    return XmppGateway(SETTINGS)


def test_a_message_is_escaped_asks_for_a_receipt_and_loses_what_no_xml_may_hold() -> None:
    person = Recipient(DeliveryRef.parse(REF), Address("xmpp", ADA), "a < b & c\x00\x0b </body>")

    (call,) = gateway().encode(Batch((person,), HOOK))

    stanza_ = call.body.decode()
    assert "<body>a &lt; b &amp; c &lt;/body&gt;</body>" in stanza_
    assert "<request xmlns='urn:xmpp:receipts'/>" in stanza_
    assert f'from="{OURS}" to="{ADA}"' in stanza_


def test_subscribing_is_as_clear_as_start_and_the_server_hears_yes() -> None:
    asked = presence("subscribe", "s1:9")

    (event,) = gateway().parse(asked)

    assert event.message is not None
    assert (event.message.payload, event.message.text, event.message.address.value) == ("start", "", ADA)
    assert gateway().acknowledge(asked).body == f'<presence from="{OURS}" to="{ADA}" type=\'subscribed\'/>'


@pytest.mark.parametrize(
    "text",
    [
        f"<presence from='{ADA}/phone' to='{OURS}'/>",
        f"<message from='{ADA}' to='{OURS}' type='groupchat'><body>STOP</body></message>",
        f"<message from='{ADA}' to='{OURS}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        f"<iq from='{ADA}' to='{OURS}' type='get' id='1'><query xmlns='jabber:iq:version'/></iq>",
        f"<message from='people.example.org' to='{OURS}'><body>Server notice</body></message>",
    ],
)
def test_what_nobody_said_to_us_is_ignored(text: str) -> None:
    (event,) = gateway().parse(stanza(text))

    assert event.kind is EventKind.IGNORED
    assert gateway().acknowledge(stanza(text)).body == ""


def test_a_receipt_or_an_error_counts_from_the_very_address_that_we_wrote_to() -> None:
    own, strangers = received(sent_id()), received(sent_id(), "mallory@people.example.org")
    made_up = received(f"{REF}.000000000000")

    kinds = [gateway().parse(request)[0].kind for request in (own, strangers, made_up, received(""))]

    assert kinds == [EventKind.RECEIPT, EventKind.IGNORED, EventKind.IGNORED, EventKind.IGNORED]


@pytest.mark.parametrize(("condition", "kind"), [*FAILURES.items(), ("something-new", ErrorKind.TEMPORARY)])
def test_conditions_are_read_into_the_family_of_errors(condition: str, kind: ErrorKind) -> None:
    (event,) = gateway().parse(refused(condition))

    assert event.receipt is not None
    assert event.receipt.error is not None
    assert (event.receipt.status, event.receipt.error.kind, event.receipt.error.code) == (
        ReceiptStatus.FAILED,
        kind,
        condition,
    )
