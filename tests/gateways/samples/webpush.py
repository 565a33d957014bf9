"""What push services and our own script in the browser say; after RFC 8030 and 8292."""

import json

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal, ReceiptStatus
from app.domain.push import read_subscription
from app.gateways.base import NOT_PUBLIC, Reply
from app.gateways.browsers import PROOF
from app.gateways.webpush import WebPushGateway
from tests.gateways.sample import PRESSED, REF, Sample, post
from tests.support.push_peer import Browser

# The key of RFC 8291's example: in tests it may be known to everybody.
PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
PUBLIC = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
SETTINGS = {"private_key": PRIVATE, "subject": "mailto:desk@example.org"}
BROWSERS = [Browser(f"https://fcm.googleapis.com/fcm/send/{name}") for name in ("ada", "grace", "jean")]
ROUTES = [read_subscription(one.subscription, PUBLIC) for one in BROWSERS]
ADA, GRACE, JEAN = (route.name for route in ROUTES)


def said(to: str, proof: str | None = None, **more: str) -> HookRequest:
    """A post of our script, with the proof that the browser was given."""
    body = {"to": to, "ref": "", **more}
    proof = WebPushGateway(SETTINGS).proof(to, body["ref"]) if proof is None else proof
    return post(json.dumps(body).encode(), {PROOF: proof})


SAMPLE = Sample(
    name="webpush",
    settings=SETTINGS,
    sender=PUBLIC,
    wrong_settings=[
        ({"private_key": "abc"}, "base64url of 32 bytes"),
        ({"private_key": "!" * 43}, "base64url of 32 bytes"),
        ({"private_key": "A" * 43}, "base64url of 32 bytes"),
        ({"subject": "desk@example.org"}, "mailto:"),
        ({"ttl": "0"}, "seconds"),
        ({"ttl": "a week"}, "seconds"),
        ({"ttl": "99999999"}, "seconds"),
    ],
    addresses=[ADA, GRACE, JEAN],
    routes={route.name: route.as_text() for route in ROUTES},
    accepted=lambda count: Reply(201, b"", {"location": "https://fcm.googleapis.com/0:17953"}),
    provider_id="https://fcm.googleapis.com/0:17953",
    failures=[
        (Reply(404, b"not a valid subscription"), ErrorKind.GONE),
        (Reply(410, b"push subscription has unsubscribed or expired"), ErrorKind.GONE),
        (Reply(413, b"too large"), ErrorKind.CONTENT),
        (Reply(429, b"", {"retry-after": "60"}), ErrorKind.RATE_LIMITED),
        (Reply(429), ErrorKind.RATE_LIMITED),
        (Reply(401, b"unauthorized"), ErrorKind.AUTH),
        (Reply(403, b"the VAPID credentials do not correspond"), ErrorKind.AUTH),
        (Reply(400, b"bad request"), ErrorKind.TEMPORARY),
        (Reply(500, b"oops"), ErrorKind.TEMPORARY),
        (Reply(502, b"<html>a proxy</html>"), ErrorKind.UNKNOWN),
        (Reply(200, b"<html>a captive portal</html>"), ErrorKind.UNKNOWN),
        (Reply(0, left=False, reason=NOT_PUBLIC), ErrorKind.INVALID),
    ],
    stop=said(ADA, event="message", text="STOP", id="0f9d2a"),
    tampered=said(GRACE, WebPushGateway(SETTINGS).proof(ADA), event="message", text="STOP", id="0f9d2a"),
    malformed=[
        post(b"{", {}),
        post(b"[]", {}),
        post(b"{}", {}),
        said(ADA, event="message", text="STOP"),
        said(ADA, event="message", text="STOP", id="x" * 65),
        said(ADA, event="delivered", ref="twelve"),
    ],
    signals={PlatformSignal.LEFT: said(GRACE, event="left", id="7b11")},
    receipts={ReceiptStatus.DELIVERED: said(ADA, event="delivered", ref=REF)},
    deep_link=said(ADA, event="message", payload="weekly_poster7", id="44aa"),
    press=said(ADA, event="message", text="Yes", payload=PRESSED, id="45bb"),
    plain=lambda call: json.dumps(BROWSERS[0].read(call.body)),
)
