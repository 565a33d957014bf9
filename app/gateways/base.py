"""The contract that every gateway keeps.

A gateway translates and nothing else: no network, no database, no sleeping, no retry. Its errors are values:

    SendError(kind=ErrorKind...)      how a send failed, see app.domain.messages.ErrorKind
    GatewayError
    ├── BadSignature                  a webhook that the provider did not sign        -> 403
    ├── Malformed                     a signed webhook that makes no sense            -> 400
    └── BadSetting                    a sender was configured wrongly                 -> told to the operator
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from app.domain.messages import (
    Batch,
    DeliveryRef,
    Event,
    HookReply,
    HookRequest,
    Outcome,
    PlatformSignal,
    ReceiptStatus,
)


class GatewayError(Exception):
    """What can go wrong at the border to a provider."""


class BadSignature(GatewayError):
    """The webhook was not signed by the provider."""


class Malformed(GatewayError):
    """The webhook is signed, but a field is missing or makes no sense."""


class BadSetting(GatewayError):
    """A setting of the sender is missing or wrong; the text names it and shows an example."""


class Proof(StrEnum):
    """What a provider's yes proves of one recipient.

    QUEUED: it took the request; whether this person gets it is unknown, even later (LINE's multicast answers 200 for
    people who blocked us). ADDRESSED: it knows this recipient. STORED: a server holds the message for them.
    """

    QUEUED = "queued"
    ADDRESSED = "addressed"
    STORED = "stored"


@dataclass(frozen=True)
class Capabilities:
    """What a channel can do; the composer and the engine ask this, never the gateway's name.

    `text_unit`: sms (parts), chars, utf16 (code units) or bytes. `rate_unit`: part, message or request, of which
    `default_rate` go in a second. `max_batch` recipients of the same text share one request. `media`: MIME type or its
    first half -> bytes. `buttons`: how many under one message. `window`: how long after a person's words we may write;
    None: always. `receipts`: what is reported later. `signals`: what the platform tells about people unasked.
    `idempotent`: a request may be repeated with its key. `connection`: http, stream for a connector process,
    or store for our own tables.
    `routed`: its addresses are names of ours, and each recipient brings the route to where the name leads now.
    """

    channel: str
    max_text: int = 1600
    text_unit: str = "sms"
    max_batch: int = 1
    min_batch: int = 1
    default_rate: float = 1.0
    rate_unit: str = "part"
    auto_replies_to_stop: bool = False
    media: Mapping[str, int] = field(default_factory=dict)
    buttons: int = 0
    window: timedelta | None = None
    templates: bool = False
    receipts: frozenset[ReceiptStatus] = frozenset()
    signals: frozenset[PlatformSignal] = frozenset()
    proof: Proof = Proof.ADDRESSED
    idempotent: bool = False
    connection: str = "http"
    routed: bool = False


_NONE: Mapping[str, str] = MappingProxyType({})


class Call(NamedTuple):
    """One HTTP request, covering the deliveries in `refs`. Its address and headers may hold secrets: never shown.

    `public_only`: a stranger chose its host, so that it may go to the public internet alone, and the answer is short.
    """

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str] = _NONE
    basic_auth: tuple[str, str] | None = None
    refs: tuple[DeliveryRef, ...] = ()
    public_only: bool = False

    def __repr__(self) -> str:
        return f"Call(method={self.method!r}, refs={self.refs!r})"


NOT_PUBLIC = "not_public"
"""The `reason` of a reply to a call that was `public_only` and would have gone elsewhere."""


class Reply(NamedTuple):
    """What came back for a call. `status` 0 means none came; then `left` says whether the request may have left."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = _NONE
    left: bool = True
    reason: str = ""


@dataclass(frozen=True)
class SettingSpec:
    """One setting an operator gives to `tidings senders add --set name=value`."""

    name: str
    secret: bool
    example: str
    required: bool = True


class Gateway(Protocol):
    """A provider's protocol, bound to one sender's settings."""

    def capabilities(self) -> Capabilities:
        """Return what this channel can do."""

    def encode(self, batch: Batch) -> Sequence[Call]:
        """Return the requests that hand over `batch`; together their refs cover it once."""

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """Return one outcome for each ref of `call`; never raises."""

    def handshake(self, request: HookRequest) -> HookReply | None:
        """Answer a provider that proves by a GET whose address this is; None when this is no such question.

        Raises `BadSignature` when the question is not the provider's.
        """

    def verify(self, request: HookRequest) -> None:
        """Raise `BadSignature` unless the provider signed this request."""

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Return what a verified webhook tells; raises `Malformed`."""

    def acknowledge(self, request: HookRequest) -> HookReply:
        """Return what the provider expects to hear when we took the webhook."""

    def link(self, payload: str) -> str | None:
        """Return the address that opens this sender on a phone and brings us `payload`; None where there is none."""


class GatewayClass(Protocol):
    """What the registry holds: a gateway not yet bound to a sender's settings."""

    @property
    def name(self) -> str:
        """The word for `--gateway`."""

    @property
    def channel(self) -> str:
        """The medium it speaks on."""

    @property
    def settings(self) -> tuple[SettingSpec, ...]:
        """The settings a sender needs."""

    def capabilities(self) -> Capabilities:
        """Return what every sender of this gateway can do."""

    def generated(self) -> Mapping[str, str]:
        """Return fresh values for the settings that we make ourselves, such as a key pair."""

    def check_settings(self, settings: Mapping[str, str]) -> str:
        """Return the sender's address; raises `BadSetting` naming what is missing, wrong or unknown."""

    def __call__(self, settings: Mapping[str, str], base_url: str | None = None) -> Gateway:
        """Bind the gateway to settings; `base_url` points it at another server, such as the simulator."""


class Transport(Protocol):
    """Carries calls to providers, many at once. One file implements it (`app.gateways.transport`)."""

    @property
    def free(self) -> int:
        """How many more calls may be in flight."""

    @property
    def in_flight(self) -> int:
        """How many calls wait for an answer."""

    def submit(self, call: Call) -> None:
        """Begin a call; only when `free` is positive."""

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Move bytes for at most `timeout` seconds and return the calls that ended."""

    def close(self) -> None:
        """Drop every connection."""
