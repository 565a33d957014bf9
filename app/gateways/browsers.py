"""What gateways to browsers share: our own script there posts to `/hooks/<sender>`, with a proof of who speaks."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain import base64url
from app.domain.addresses import Address
from app.domain.messages import (
    DeliveryRef,
    Event,
    EventKind,
    HookRequest,
    InboundMessage,
    PlatformEvent,
    PlatformSignal,
    Receipt,
    ReceiptStatus,
)
from app.gateways.base import BadSignature, Malformed
from app.gateways.common import HttpGateway, json_of, posted_json
from app.gateways.paths import at

PROOF: Final = "x-tidings-proof"
_PROOF_BYTES: Final = 18
_LONGEST_ID: Final = 64


class BrowserGateway(HttpGateway):
    """A gateway whose webhooks come from our script. A subclass gives the secret that proofs are made with."""

    def __init__(self, secret: str) -> None:
        self._proof_key = hashlib.sha256(f"tidings readers {secret}".encode()).digest()

    def proof(self, address: str, ref: str = "") -> str:
        """Return what a browser shows to speak for this subscriber, and of one delivery to it."""
        digest = hmac.digest(self._proof_key, f"{address} {ref}".encode(), "sha256")
        return base64url.encode(digest[:_PROOF_BYTES])

    def proves(self, given: str, address: str, ref: str = "") -> bool:
        """Tell whether this is the proof of the subscriber."""
        return hmac.compare_digest(given.encode(), self.proof(address, ref).encode())

    def verify(self, request: HookRequest) -> None:
        """Our script shows what came with the sign-up, or with the message that it speaks of."""
        body = json_of(request.body)
        if not self.proves(request.headers.get(PROOF, ""), at(body, "to"), at(body, "ref")):
            raise BadSignature("The proof does not fit this subscriber and this message.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """A message was shown, a button was pressed, or the browser gave its subscription up."""
        body = posted_json(request)
        to, number = at(body, "to"), at(body, "id")
        if not to:
            raise Malformed("The field to is missing: whom this is about.")
        if at(body, "event") == "delivered":
            return [_shown(body)]
        if not 0 < len(number) <= _LONGEST_ID:
            raise Malformed(f"The field id needs 1 to {_LONGEST_ID} letters: it makes a repeat harmless.")
        return [_event(body, Address(self.channel, to), f"{to}:{number}")]


def _event(body: Mapping[str, Any], address: Address, external_id: str) -> Event:
    if at(body, "event") == "left":
        left = PlatformEvent(external_id, address, PlatformSignal.LEFT, evidence={"event": "left"})
        return Event(EventKind.SIGNAL, signal=left)
    text, payload = at(body, "text")[:200], at(body, "payload")[:64]
    if at(body, "event") != "message" or not (text or payload):
        return Event(EventKind.IGNORED)
    return Event(EventKind.MESSAGE, message=InboundMessage(external_id, address, text, payload=payload))


def _shown(body: Mapping[str, Any]) -> Event:
    try:
        ref = DeliveryRef.parse(at(body, "ref"))
    except ValueError as error:
        raise Malformed(str(error)) from error
    return Event(EventKind.RECEIPT, receipt=Receipt(ref, "", ReceiptStatus.DELIVERED))
