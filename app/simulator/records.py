"""What the simulator remembers: senders, the messages it accepted, and the bubbles on its phones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from app.domain.styles import Span
from app.simulator.keys import Keys
from app.simulator.medium import Medium

OptOutMode: TypeAlias = Literal["none", "default", "advanced"]
OPT_OUT_MODES: tuple[OptOutMode, ...] = ("none", "default", "advanced")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
WHATSAPP = "whatsapp:"
_ORDER = {"accepted": 0, "queued": 1, "sent": 2, "undelivered": 3, "failed": 3, "delivered": 4}


class BadSender(ValueError):
    """A sender's description cannot be used; `field` names the part that is wrong."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field = field_name


@dataclass(frozen=True, slots=True)
class Sender:
    """A number that the product rents from the provider, with the account that owns it.

    `rate` is in messages a second, None for no limit. `opt_out_mode` says who answers STOP: the product ("none",
    as on a short code), the provider ("default"), or the provider with Advanced Opt-Out, which also tells the
    product by `OptOutType` ("advanced"). A number that begins with `whatsapp:` is one on WhatsApp; `content` has its
    approved templates by ContentSid, with `{{1}}` for a variable.
    """

    number: str
    account_sid: str
    auth_token: str = field(repr=False)
    webhook_url: str = ""
    rate: float | None = None
    opt_out_mode: OptOutMode = "none"
    messaging_service_sid: str = ""
    name: str = ""
    content: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def channel(self) -> str:
        """Return which look its messages have on a phone."""
        return "whatsapp" if self.number.startswith(WHATSAPP) else "sms"

    @property
    def scope(self) -> str:
        """Return what an opt-out blocks: the whole messaging service, or else this number."""
        return self.messaging_service_sid or self.number


@dataclass(slots=True)
class Message:
    """One message that the provider accepted for a phone; `order` counts up from 1."""

    order: int
    sid: str
    sender: Sender
    to: str
    body: str
    parts: int
    created: datetime
    callback: str = ""
    by_service: bool = False
    file: Medium | None = None
    status: str = "queued"
    error_code: int | None = None
    sent: datetime | None = None
    updated: datetime | None = None

    @property
    def phone(self) -> str:
        """Return the number of the phone, whatever the channel."""
        return self.to.removeprefix(WHATSAPP)

    def advance(self, status: str, error_code: int | None, now: datetime) -> bool:
        """Move to `status` and return True, unless the message has already come further."""
        if _ORDER[status] <= _ORDER[self.status]:
            return False
        self.status, self.error_code, self.updated = status, error_code, now
        self.sent = self.sent or now
        return True


@dataclass(frozen=True, slots=True)
class Bubble:
    """One line of a phone's conversation; `kind` is "in" (to the phone), "out" (typed on it) or "note".

    `file` is the hash of what came with it, and `file_kind` what that is: image, audio, video or application. `keys`
    are the buttons below it. `name` is what its messenger calls the message, where it can be changed; `mark` says that
    it was. `looks` says which of the words are bold and the like.
    """

    order: int
    kind: Literal["in", "out", "note"]
    peer: str
    text: str
    at: datetime
    parts: int = 1
    channel: str = "sms"
    file: str = ""
    file_kind: str = ""
    keys: Keys = ()
    name: str = ""
    mark: Literal["", "edited", "deleted"] = ""
    looks: tuple[Span, ...] = ()


def read_sender(data: Mapping[str, object]) -> Sender:
    """Return the sender that a JSON object describes, or raise BadSender naming the wrong field."""
    known = {"number", "account_sid", "auth_token", "webhook_url", "rate", "opt_out_mode"} | {
        "messaging_service_sid",
        "name",
        "content",
    }
    for name in data:
        if name not in known:
            raise BadSender(name, f"is not known; use {', '.join(sorted(known))}")
    url = _text(data, "webhook_url")
    if url and not is_loopback(url):
        raise BadSender("webhook_url", f"{url!r} is not on this machine; use http://127.0.0.1:PORT/PATH")
    return Sender(
        number=_required(data, "number", "+12025550100"),
        account_sid=_required(data, "account_sid", "AC and 32 hexadecimal digits"),
        auth_token=_required(data, "auth_token", "a secret that the product knows too"),
        webhook_url=url,
        rate=_rate(data.get("rate")),
        opt_out_mode=_mode(data.get("opt_out_mode")),
        messaging_service_sid=_text(data, "messaging_service_sid"),
        name=_text(data, "name"),
        content=_content(data.get("content")),
    )


def is_loopback(url: str) -> bool:
    """Return whether `url` is an http(s) address on this very machine, told by its host alone (no look-up)."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and is_loopback_host(host)


def is_loopback_host(host: str) -> bool:
    """Return whether `host` is `localhost` or a loopback IP address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadSender(name, "must be a text")
    return value.strip()


def _required(data: Mapping[str, object], name: str, example: str) -> str:
    value = _text(data, name)
    if not value:
        raise BadSender(name, f"is missing; give {example}")
    return value


def _rate(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise BadSender("rate", "must be a number of messages a second above 0, or null for no limit")
    return float(value)


def _content(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping | None):
        raise BadSender("content", "must be an object of texts by ContentSid")
    found = value or {}
    if not all(isinstance(text, str) and str(sid).startswith("HX") for sid, text in found.items()):
        raise BadSender("content", "must be an object of texts; each ContentSid begins with HX")
    return dict(found)


def _mode(value: object) -> OptOutMode:
    for mode in OPT_OUT_MODES:
        if value == mode or (value is None and mode == "none"):
            return mode
    raise BadSender("opt_out_mode", f"must be one of {', '.join(OPT_OUT_MODES)}")
