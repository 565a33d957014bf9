"""The contract that every gateway keeps.

A gateway translates and nothing else: no network, no database, no sleeping, no retry. Its errors are values:

    SendError(kind=ErrorKind...)      how a send failed, see app.domain.messages.ErrorKind
    GatewayError
    ├── BadSignature                  a webhook that the provider did not sign        -> 403
    ├── Malformed                     a signed webhook that makes no sense            -> 400
    └── BadSetting                    a sender was configured wrongly                 -> told to the operator
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

from app.domain.buttons import NO_BUTTONS, ButtonLimits
from app.domain.in_place import NO_CHANGES, Changes
from app.domain.media.limits import MediaRule
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
from app.domain.pace import PairLimit
from app.domain.quotas import Quota
from app.domain.styles import NO_STYLES, Style


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


class Routed(StrEnum):
    """Where the route to a person comes from.

    ROOM: from what they sent us last, in the room or conversation that they opened with this sender. NAME: their
    address is a name of ours, and where it leads is looked up just before the hand-over.
    """

    ROOM = "room"
    NAME = "name"


@dataclass(frozen=True)
class Capabilities:
    """What a channel can do; the composer and the engine ask this, never the gateway's name.

    `text_unit`: sms (parts), chars, utf16 (code units) or bytes. `rate_unit`: part, message or request, of which
    `default_rate` go in a second. `max_batch` recipients of the same text share one request; with `own_results` so do
    those of different texts, and the answer says of each what became of them. `media`: which files go with a text
    (`app.domain.media.limits`). `buttons`: what fits under one message. `changes`: whether a message can be
    changed where it stands, or taken away; only then a recipient comes with `replaces`. `styles`: how words may look;
    where it is empty, the text has no marks, and `Recipient.styles` need not be looked at. `window`: how long after a
    person's words we may write; None: always. `receipts`: what is reported later. `signals`: what the platform tells
    about people unasked.
    `routed`: it writes to the route that comes with a recipient (`Recipient.route`), and not to their address.
    `pair`: what one person may get in a while from one sender, however many broadcasts meet there; None: anything.
    `reply_within`: how long after it came a message may be answered by its `reply_token`, which costs nothing; None:
    messages bring none. `idempotent`: a request may be repeated with its key. `connection`: http, stream for a
    connector process, or store for our own tables. `quota`: how many broadcasts the platform takes in a day or a month;
    None: any number.
    `most_people`: to how many people one broadcast may go, where the channel is for small lists; None: to any number.
    `max_hook`: bytes of one webhook; what is larger is refused before it is read.
    """

    channel: str
    max_text: int = 1600
    text_unit: str = "sms"
    max_batch: int = 1
    min_batch: int = 1
    own_results: bool = False
    default_rate: float = 1.0
    rate_unit: str = "part"
    auto_replies_to_stop: bool = False
    media: tuple[MediaRule, ...] = ()
    buttons: ButtonLimits = NO_BUTTONS
    changes: Changes = NO_CHANGES
    styles: frozenset[Style] = NO_STYLES
    window: timedelta | None = None
    templates: bool = False
    receipts: frozenset[ReceiptStatus] = frozenset()
    signals: frozenset[PlatformSignal] = frozenset()
    proof: Proof = Proof.ADDRESSED
    pair: PairLimit | None = None
    reply_within: timedelta | None = None
    idempotent: bool = False
    routed: Routed | None = None
    connection: str = "http"
    quota: Quota | None = None
    most_people: int | None = None
    max_hook: int = 1024 * 1024


_NONE: Mapping[str, str] = MappingProxyType({})


class Call(NamedTuple):
    """One HTTP request, covering the deliveries in `refs`. Its address and headers may hold secrets: never shown.

    `public_only`: a stranger chose its host, so that it may go to the public internet alone, and the answer is short.
    `may_leave` is asked where a connection has to be opened first, when it stands and the first byte would leave; it
    must not raise. After a no nothing is sent, and the reply's reason is `HELD_BACK`.
    """

    method: str
    url: str
    body: bytes
    headers: Mapping[str, str] = _NONE
    basic_auth: tuple[str, str] | None = None
    refs: tuple[DeliveryRef, ...] = ()
    public_only: bool = False
    may_leave: "Callable[[Call], bool] | None" = None

    def __repr__(self) -> str:
        return f"Call(method={self.method!r}, refs={self.refs!r})"


@dataclass(frozen=True)
class Errand(Event):
    """An event that calls of ours belong to, such as to enter the room that somebody invited us to.

    The event counts only when the calls `first` were made; the calls `then` are made once it has counted, is committed
    and was new. Each must be harmless when it is repeated, for webhooks are. Made by `app.gateways.errands`.
    """

    first: tuple[Call, ...] = ()
    then: tuple[Call, ...] = ()


HELD_BACK = "held_back"
"""The `reason` of a reply to a call that `may_leave` kept here."""
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
    """One setting an operator gives to `tidings senders add --set name=value`.

    `help` says what it does and costs, where its name does not; `tidings gateways` shows it.
    """

    name: str
    secret: bool
    example: str
    required: bool = True
    help: str = ""


class Gateway(Protocol):
    """A provider's protocol, bound to one sender's settings."""

    @property
    def has_template(self) -> bool:
        """Whether what answers nobody goes out as a text that the platform approved beforehand."""

    @property
    def usual_template(self) -> str:
        """That text as the platform names it in its news of templates, such as newsletter:en_US; or empty."""

    @property
    def template_file(self) -> str:
        """The kind of file that this text has room for (image, video, document), or empty."""

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

    def takes(self, method: str, path: str) -> bool:
        """Tell whether the provider calls us in this way: the method, and what stands behind the sender's address."""

    def verify(self, request: HookRequest) -> None:
        """Raise `BadSignature` unless the provider signed this request."""

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Return what a verified webhook tells; raises `Malformed`."""

    def acknowledge(self, request: HookRequest) -> HookReply:
        """Return what the provider expects to hear when we took the webhook."""

    def link(self, payload: str) -> str | None:
        """Return the address that opens this sender on a phone and brings us `payload`; None where there is none.

        Where a platform's links carry nothing, it is the same for every payload.
        """

    def registration(self, hook: str) -> str | None:
        """Return the file that makes us known to a provider that is configured by one, secrets included, or None."""


class Token(NamedTuple):
    """An access token, and for how many seconds from now it is good."""

    value: str
    seconds: float


@runtime_checkable
class TokenUser(Protocol):
    """A gateway whose requests carry an access token that all processes share and that runs out.

    It says how to ask for one; `app.gateways.tokens` does so, and puts it into each call of `encode` as it leaves.
    """

    token_key: str
    """Names the account at the provider: senders of one account share its token. No secret."""

    def token_call(self, *, anew: bool) -> Call:
        """Return the request for a token; `anew`: another than the one that was just refused."""

    def token_of(self, reply: Reply) -> Token | Reply:
        """Return the token that came back, or the reply that `decode` shall read of a message that had to stay here."""

    def with_token(self, call: Call, token: str) -> Call:
        """Return the call with a token in it."""

    def refuses_token(self, reply: Reply) -> bool:
        """Tell whether the provider did nothing because of the token."""


@runtime_checkable
class LinkDrawer(Protocol):
    """A gateway whose `link` is None because the provider alone can make one, a QR code with a payload."""

    def drawn_link_call(self, payload: str) -> Call:
        """Return the request for an address that, as a QR code, brings us `payload` when it is scanned."""

    def drawn_link_of(self, reply: Reply) -> str | None:
        """Return that address; None when none was made."""


@runtime_checkable
class Paced(Protocol):
    """A gateway whose provider takes only so many messages a second from one sender, whatever its operator wishes."""

    @property
    def most_per_second(self) -> float:
        """How many; infinite where nobody knows, such as at a simulator."""

    @property
    def how_to_send_more(self) -> str:
        """A sentence on which setting raises it, or empty."""


@runtime_checkable
class Accounted(Protocol):
    """A gateway whose settings name the provider's account that a sender belongs to."""

    @property
    def provider_account(self) -> str:
        """The account, such as twilio:AC…; senders of one account share its limits. No secret."""


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
