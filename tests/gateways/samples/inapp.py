"""What the store says, and our own script on the pages of a site."""

import json

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal, ReceiptStatus
from app.gateways.base import Reply
from app.gateways.browsers import PROOF
from app.gateways.inapp import InAppGateway
from tests.gateways.sample import PRESSED, REF, Sample, post

SETTINGS = {"secret": "a secret of thirty-two letters and more", "origins": "https://www.example.org"}
ADA, GRACE, JEAN = ("ada-3fZ9", "grace-7Qp1", "jean-0Lx4")
YES = json.dumps({"id": "5f2c", "gone": []}).encode()


def said(to: str, proof: str | None = None, **more: str) -> HookRequest:
    """A post of our script, with the proof that the reader was given."""
    body = {"to": to, "ref": "", **more}
    proof = InAppGateway(SETTINGS).proof(to, body["ref"]) if proof is None else proof
    return post(json.dumps(body).encode(), {PROOF: proof})


SAMPLE = Sample(
    name="inapp",
    settings=SETTINGS,
    sender="https://www.example.org",
    wrong_settings=[
        ({"secret": "short"}, "32 characters"),
        ({"origins": "*"}, "none"),
        ({"origins": "http://www.example.org"}, "none"),
        ({"origins": "https://www.example.org,https://m.example.org/news"}, "m.example.org/news"),
    ],
    addresses=[ADA, GRACE, JEAN],
    accepted=lambda count: Reply(201, YES),
    provider_id="5f2c",
    failures=[
        (Reply(201, b"<html>a proxy</html>"), ErrorKind.UNKNOWN),
        (Reply(500), ErrorKind.TEMPORARY),
    ],
    stop=said(ADA, event="message", text="STOP", id="0f9d2a"),
    tampered=said(GRACE, InAppGateway(SETTINGS).proof(ADA), event="message", text="STOP", id="0f9d2a"),
    malformed=[post(b"{", {}), post(b"{}", {}), said(ADA, event="message", text="STOP")],
    signals={PlatformSignal.LEFT: said(GRACE, event="left", id="7b11")},
    receipts={ReceiptStatus.DELIVERED: said(ADA, event="delivered", ref=REF)},
    deep_link=said(ADA, event="message", payload="weekly_poster7", id="44aa"),
    repeated=Reply(201, YES),
    press=said(ADA, event="message", text="Yes", payload=PRESSED, id="45bb"),
)
