"""What travels between a gateway and the services: events that come in, content and outcomes that go out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from app.domain.addresses import Address
from app.domain.buttons import Rich
from app.domain.in_place import InPlace
from app.domain.media.attached import Media
from app.domain.platform_news import PlatformNews
from app.domain.styles import Span, Styled


class EventKind(StrEnum):
    """What a webhook tells us."""

    MESSAGE = "message"
    RECEIPT = "receipt"
    BATCH_RESULT = "batch_result"
    SIGNAL = "signal"
    NEWS = "news"
    IGNORED = "ignored"


class ProviderSignal(StrEnum):
    """What the provider itself understood and did about an inbound message, such as Twilio about STOP."""

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
    `route` is the room or conversation that it came from, on platforms where we write to that and not to the person.
    `page` is where the button was, when it was on a page of ours. `also_at` is another address of the same account,
    where the platform showed both. `signal_from` names what the signal was read from, for the ledger's evidence.
    `reply_token` lets our answer to this very message go another way, once and for a short while
    (`Capabilities.reply_within`); it is never logged.
    """

    external_id: str
    address: Address
    text: str
    signal: ProviderSignal = ProviderSignal.NONE
    media_count: int = 0
    payload: str = ""
    sent_at: datetime | None = None
    route: str = ""
    page: ShownPage | None = None
    also_at: Address | None = None
    signal_from: str = "OptOutType"
    reply_token: str = field(default="", repr=False)


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

    `external_id` makes a repeated webhook harmless; `evidence` is kept, sealed, with the ledger entry. `route` is as
    in `InboundMessage`: whoever leaves another room than the one that we write to has not left us. `also_at` is another
    address of the account, as it is now. `reply_token` is as in `InboundMessage`.
    """

    external_id: str
    address: Address
    signal: PlatformSignal
    new_address: Address | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    route: str = ""
    also_at: Address | None = None
    reply_token: str = field(default="", repr=False)


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


_FOUND_BY: Final = "#"


def found_by(id_: str, person: str = "") -> str:
    """Return a provider's id in the spelling by which its receipts find the delivery, where they bring no reference.

    `person` is given where several people may have messages of one id. Only ids of this spelling are in the database's
    index: the many of other gateways would make it large for nothing.
    """
    of = f".{hashlib.sha256(person.encode()).hexdigest()[:16]}" if person else ""
    return f"{_FOUND_BY}{id_}{of}"


@dataclass(frozen=True)
class Receipt:
    """A provider's later report about one delivery.

    `ref` is our reference, which came back with the report. Where a protocol has no place for it, `ref` is None and the
    delivery is the one whose `Outcome` had the same `provider_id`, which then is made by `found_by`. `shows` are two
    addresses of the account that it went to, where the report shows both. `read`: it was not only delivered but opened.
    """

    ref: DeliveryRef | None
    provider_id: str
    status: ReceiptStatus
    error: "SendError | None" = None
    shows: tuple[Address, Address] | None = None
    read: bool = False


@dataclass(frozen=True)
class BatchResult:
    """A provider's later report about everybody who shared a request, by its id: how many there were, how many got it.

    Who they are, it does not say: only where all of them or none got it, their deliveries are known. `error` says why
    nobody did.
    """

    provider_id: str
    people: int
    reached: int
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
    PAIR_LIMITED   address   delays this person only; counts an attempt only where no wait is named (4, 16, 64 s ...)
    RATE_LIMITED   sender    waits `retry_after` for this sender, counts no attempt
    QUOTA          account   pauses the broadcast and says why; an answer waits minutes, five times at most
    CONTENT        message   fails this delivery, the words are shown to the editor
    UNCHANGEABLE   message   fails this delivery: what stands on the phone can be changed no more
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
    UNCHANGEABLE = "unchangeable"
    CONFIG = "config"
    AUTH = "auth"
    TEMPORARY = "temporary"
    UNKNOWN = "outcome_unknown"


@dataclass(frozen=True)
class SendError:
    """How a send failed: the kind, the provider's own code and words, and seconds to wait where it said so.

    `tries` is how many attempts a temporary failure is worth in all; `bounces_after` how many deliveries must fail
    with this code before the address counts as dead. `other_way`: nothing was taken, and there is another way that the
    next attempt takes, so it need not wait.
    """

    kind: ErrorKind
    code: str = ""
    detail: str = ""
    retry_after: float | None = None
    tries: int = 5
    bounces_after: int = 1
    other_way: bool = False


class Standing(NamedTuple):
    """A message that a person has, and what is done with it now.

    `ref` is the delivery that brought it, `provider_id` what the hand-over of its last words came back with.
    """

    act: InPlace
    ref: DeliveryRef
    provider_id: str


class Recipient(NamedTuple):
    """One person of a batch; `route` is where they are reached now, for gateways that are `routed`; "" is nowhere.

    `rich` is what goes with the text, already cut to what the gateway's capabilities say; None: nothing. `replaces` is
    what the text takes the place of, or what is taken away; None: it is a message of its own. `styles` are the looks of
    parts of the text, which is without marks; None: nobody read it for marks, and it goes out as it stands.
    `reply_token` came with the message that this answers and is good for this one attempt; "": there is none.
    """

    ref: DeliveryRef
    address: Address
    text: str
    route: str = ""
    rich: Rich | None = None
    replaces: Standing | None = None
    styles: tuple[Span, ...] | None = None
    reply_token: str = ""

    @property
    def words(self) -> Styled:
        """The text with its styles."""
        return Styled(self.text, self.styles or ())


@dataclass(frozen=True)
class Batch:
    """Texts for one sender. Every recipient has a text of their own, for texts may be personal.

    `media` goes with each of them; only where the gateway's capabilities say that it fits.
    """

    recipients: tuple[Recipient, ...]
    callback_url: str
    media: Media | None = None


class Outcome(NamedTuple):
    """What became of one recipient's hand-over: accepted with the provider's id, or an error."""

    ref: DeliveryRef
    provider_id: str | None = None
    error: SendError | None = None


@dataclass(frozen=True)
class HookRequest:
    """A webhook as it arrived. `public_url` is built from PUBLIC_URL, never from the Host header.

    `path` is what a provider put behind the address we gave it, without the slash between: mostly nothing.
    """

    method: str
    public_url: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


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
    result: BatchResult | None = None
    signal: PlatformEvent | None = None
    news: PlatformNews | None = None
