"""What travels between a gateway and the services: events that come in, content and outcomes that go out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.domain.addresses import Address


class EventKind(StrEnum):
    """What a webhook tells us."""

    MESSAGE = "message"
    RECEIPT = "receipt"
    SIGNAL = "signal"
    IGNORED = "ignored"


class ProviderSignal(StrEnum):
    """What the provider itself understood and did about an inbound message (Twilio's `OptOutType`)."""

    NONE = ""
    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True)
class ShownPage:
    """The page of ours on which a person pressed the button: in which language, and what shows that they did.

    `cta_ref` names the page in the ledger. `evidence` (words shown, their hash, browser, IP) is sealed with the entry.
    """

    language: str
    cta_ref: str
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InboundMessage:
    """A text that a person sent to one of our senders. `external_id` makes a repeated webhook harmless.

    `sent_at` is when the person sent it, where the platform says so: webhooks may come late, and not in order.
    `payload` is what a deep link or a button of ours carried, which the person did not type: see `app.domain.links`.
    `page` is where the button was, when it was on a page of ours.
    """

    external_id: str
    address: Address
    text: str
    signal: ProviderSignal = ProviderSignal.NONE
    media_count: int = 0
    payload: str = ""
    sent_at: datetime | None = None
    page: ShownPage | None = None


class PlatformSignal(StrEnum):
    """What a platform tells us about a person without a text of theirs (consent.md 3.2, rows 4 and 26 to 36).

    LEFT: blocked or unfollowed us, removed the bot. CAME_BACK: the same undone. FOLLOWED: opened the contact.
    PREFERENCE_STOP and _RESUME: the platform's own switch for marketing. REASSIGNED: the number has a new owner.
    NUMBER_CHANGED: the same account at a new address.
    """

    LEFT = "left"
    CAME_BACK = "came_back"
    FOLLOWED = "followed"
    PREFERENCE_STOP = "preference_stop"
    PREFERENCE_RESUME = "preference_resume"
    REASSIGNED = "reassigned"
    NUMBER_CHANGED = "number_changed"


@dataclass(frozen=True)
class PlatformEvent:
    """A signal about one person; a gateway maps what it receives to this and needs nothing else in the services.

    `external_id` makes a repeated webhook harmless; `evidence` is kept, sealed, with the ledger entry.
    """

    external_id: str
    address: Address
    signal: PlatformSignal
    new_address: Address | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)


class DeliveryRef(NamedTuple):
    """Names one delivery: broadcast, subscriber, and the inbound message it answers.

    The last is 0 for a broadcast, and below 0 for a message of ours to one person that answers no text of theirs.
    """

    broadcast_id: int
    subscriber_id: int
    inbound_id: int = 0

    def __str__(self) -> str:
        return f"{self.broadcast_id}.{self.subscriber_id}.{self.inbound_id}"

    @classmethod
    def parse(cls, text: str) -> "DeliveryRef":
        """Read `broadcast.subscriber.inbound`; raises ValueError on anything else."""
        parts = text.split(".")
        digits = [*parts[:2], *(part.removeprefix("-") for part in parts[2:])]
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in digits):
            raise ValueError(f"{text!r} is no delivery reference; expected three numbers like 12.345.0")
        return cls(*(int(part) for part in parts))


class ReceiptStatus(StrEnum):
    """What a provider may report of a delivery after it accepted it."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True)
class Receipt:
    """A provider's later report about one delivery; `ref` comes back in the callback address we gave it."""

    ref: DeliveryRef
    provider_id: str
    status: ReceiptStatus
    error: "SendError | None" = None


class ErrorKind(StrEnum):
    """The closed family of ways a send can fail. The engine looks at the kind, never at a provider's number.

    ============== ========= ==================================================================
    kind           about     what the engine does
    ============== ========= ==================================================================
    INVALID        address   marks the address bounced, no retry
    GONE           address   the same: it was good, and its account or device is no more
    BLOCKED        address   suspends the address until the person sends START
    OPTED_OUT      address   records a withdrawal with the provider's code as evidence
    WINDOW_CLOSED  address   fails this delivery: the platform lets us write only after the person did
    PREFERENCE_CAP address   tries again after a day, while the broadcast is fresh: no failure of ours
    PAIR_LIMITED   address   delays this person only, counts no attempt
    RATE_LIMITED   sender    waits `retry_after` for this sender, counts no attempt
    QUOTA          account   pauses the broadcast and says why
    CONTENT        message   fails this delivery, the words are shown to the editor
    CONFIG, AUTH   sender    pauses the sender's broadcasts: a wrong token must not burn an audience
    TEMPORARY      attempt   tries again later, at most five times
    UNKNOWN        attempt   the request left and no answer came: never sent again by itself
    ============== ========= ==================================================================
    """

    INVALID = "invalid_address"
    GONE = "gone"
    BLOCKED = "blocked"
    OPTED_OUT = "opted_out"
    WINDOW_CLOSED = "window_closed"
    PREFERENCE_CAP = "preference_cap"
    PAIR_LIMITED = "pair_limited"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota_exhausted"
    CONTENT = "content"
    CONFIG = "config"
    AUTH = "auth"
    TEMPORARY = "temporary"
    UNKNOWN = "outcome_unknown"


@dataclass(frozen=True)
class SendError:
    """How a send failed: the kind, the provider's own code and words, and seconds to wait where it said so.

    `tries` is how many attempts a temporary failure is worth in all; `bounces_after` how many deliveries must fail
    with this code before the address counts as dead.
    """

    kind: ErrorKind
    code: str = ""
    detail: str = ""
    retry_after: float | None = None
    tries: int = 5
    bounces_after: int = 1


class Recipient(NamedTuple):
    """One person of a batch. `route` is where an address that is a name of ours leads now, empty where nowhere."""

    ref: DeliveryRef
    address: Address
    text: str
    route: str = ""


@dataclass(frozen=True)
class Batch:
    """Texts for one sender. Every recipient has a text of their own, for texts may be personal."""

    recipients: tuple[Recipient, ...]
    callback_url: str


class Outcome(NamedTuple):
    """What became of one recipient's hand-over: accepted with the provider's id, or an error."""

    ref: DeliveryRef
    provider_id: str | None = None
    error: SendError | None = None


@dataclass(frozen=True)
class HookRequest:
    """A webhook as it arrived. `public_url` is built from PUBLIC_URL, never from the Host header."""

    method: str
    public_url: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HookReply:
    """What we answer to a webhook."""

    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    body: str = ""


@dataclass(frozen=True)
class Event:
    """One thing a webhook told us, at a moment."""

    kind: EventKind
    at: datetime | None = None
    message: InboundMessage | None = None
    receipt: Receipt | None = None
    signal: PlatformEvent | None = None
