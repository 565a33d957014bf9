"""Stanzas as a server brings them (RFC 6120, XEP-0184)."""

from app.domain.addresses import Address
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    HookRequest,
    PlatformSignal,
    ReceiptStatus,
    Recipient,
)
from app.gateways.base import Reply
from app.gateways.xmpp import NUMBER, STANZA, XmppGateway
from tests.gateways.sample import HOOK, REF, Sample

OURS, ADA = "city@news.example.org", "ada@people.example.org"
SETTINGS = {"from": OURS, "host": "127.0.0.1", "secret": "a-component-secret"}


def stanza(text: str, number: str = "s1:1") -> HookRequest:
    return HookRequest(STANZA, "", {NUMBER: number}, text.encode())


def presence(kind: str, number: str) -> HookRequest:
    return stanza(f"<presence from='{ADA}/phone' to='{OURS}' type='{kind}'/>", number)


def sent_id(to: str = ADA) -> str:
    """The id that our message to somebody had."""
    recipient = Recipient(DeliveryRef.parse(REF), Address("xmpp", to), "x")
    (call,) = XmppGateway(SETTINGS).encode(Batch((recipient,), HOOK))
    return call.body.decode().split("id='")[1].split("'")[0]


def received(id_: str, from_: str = ADA) -> HookRequest:
    return stanza(
        f"<message from='{from_}/p' to='{OURS}'><received xmlns='urn:xmpp:receipts' id='{id_}'/></message>"
    )


def refused(condition: str) -> HookRequest:
    error = f"<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    return stanza(f"<message from='{ADA}' to='{OURS}' id='{sent_id()}' type='error'>{error}</message>")


STOP = stanza(f"<message from='{ADA}/phone' to='{OURS}' type='chat' id='m1'><body>STOP</body></message>")

FAILURES = {
    "service-unavailable": ErrorKind.INVALID,
    "not-allowed": ErrorKind.INVALID,
    "remote-server-not-found": ErrorKind.INVALID,
    "remote-server-timeout": ErrorKind.TEMPORARY,
    "forbidden": ErrorKind.BLOCKED,
    "gone": ErrorKind.GONE,
    "policy-violation": ErrorKind.CONTENT,
}

SAMPLE = Sample(
    name="xmpp",
    settings=SETTINGS,
    sender=OURS,
    wrong_settings=[({"from": "city"}, "no XMPP address"), ({"port": "five"}, "a number")],
    addresses=[ADA, "grace@people.example.org", "bert@elsewhere.example"],
    accepted=lambda count: Reply(200),
    provider_id=REF,
    failures=[],
    failed_later=[(refused(condition), kind) for condition, kind in FAILURES.items()],
    unlisted_later=[refused("something-new")],
    stop=STOP,
    tampered=HookRequest("POST", HOOK, {}, STOP.body),
    malformed=[stanza("<message"), stanza("")],
    signals={PlatformSignal.LEFT: presence("unsubscribe", "s1:2")},
    receipts={
        ReceiptStatus.DELIVERED: received(sent_id()),
        ReceiptStatus.FAILED: refused("service-unavailable"),
    },
)
