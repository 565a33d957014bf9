"""What the contract test must know of a gateway to try every clause of the contract on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from app.domain.messages import ErrorKind, HookRequest, PlatformSignal, ReceiptStatus
from app.domain.platform_news import News
from app.gateways.base import Call, Reply

HOOK = "https://news.example.org/hooks/city-desk"
REF = "12.345.0"
PRESSED = "bt-" + "y" * 26


@dataclass(frozen=True)
class Sample:
    """A gateway's settings, and an example of everything that its provider says.

    `sender` is the address that the settings make. `addresses` has three people. `accepted` gives the provider's
    yes to a call for n people, `provider_id` is what it names, `provider_ids` are those of the first people where each
    has one. `failures` has a reply for each kind that the provider
    tells, `wrong_settings` what must be refused and a word of why. `stop`, `signals` and `receipts` are signed
    webhooks; a receipt's is for the delivery 12.345.0. `tampered` is one whose signature does not fit.

    Where the provider has these: `repeated` is its yes to a request that it took before, `several` one post with three
    events and one that makes no sense between them, `handshake` the question whose address this is, with its answer,
    `routes` where the addresses lead, `press` the signed webhook of the first person who pressed the button `PRESSED`.
    `unlisted` are answers with a code that no table has, `unlisted_later` webhooks that report a failure with one;
    `failed_later` webhooks that report failures, with the kind of each.
    `news` are signed webhooks about the account itself.
    `plain` is what a call says, for a test to read.
    """

    name: str
    settings: Mapping[str, str]
    sender: str
    wrong_settings: Sequence[tuple[Mapping[str, str], str]]
    addresses: Sequence[str]
    accepted: Callable[[int], Reply]
    provider_id: str
    failures: Sequence[tuple[Reply, ErrorKind]]
    stop: HookRequest
    tampered: HookRequest
    malformed: Sequence[HookRequest] = ()
    signals: Mapping[PlatformSignal, HookRequest] = field(default_factory=dict)
    receipts: Mapping[ReceiptStatus, HookRequest] = field(default_factory=dict)
    deep_link: HookRequest | None = None
    repeated: Reply | None = None
    several: HookRequest | None = None
    handshake: tuple[HookRequest, str] | None = None
    routes: Mapping[str, str] = field(default_factory=dict)
    press: HookRequest | None = None
    provider_ids: Sequence[str] = ()
    unlisted: Sequence[Reply] = ()
    unlisted_later: Sequence[HookRequest] = ()
    failed_later: Sequence[tuple[HookRequest, ErrorKind]] = ()
    news: Sequence[tuple[HookRequest, News]] = ()
    plain: Callable[[Call], str] = lambda call: call.body.decode(errors="replace")


def post(body: bytes, headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> HookRequest:
    """Return a webhook as the door hands it to a gateway."""
    query = query or {}
    tail = "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""
    return HookRequest("POST", HOOK + tail, headers, body, query)


def get(query: Mapping[str, str]) -> HookRequest:
    """Return a provider's question whose address this is."""
    return HookRequest("GET", f"{HOOK}?{urlencode(query)}", {}, b"", query)
