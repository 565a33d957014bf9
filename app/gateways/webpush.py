"""Web Push: messages to people's browsers, without any platform's account; encrypted for the browser alone.

Source: RFC 8030 (delivery), RFC 8291 (encryption), RFC 8292 (VAPID); w3.org/TR/push-api.

A subscriber's address is a name of ours; where it leads now (`Recipient.route`) is looked up before each hand-over.
Push services are chosen by strangers, so that what an unknown one says is believed of its own address only.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from app.clock import utcnow
from app.domain import base64url
from app.domain.buttons import Rich, as_text, limits_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Outcome,
    PlatformSignal,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.domain.push import PushRoute, origin_of
from app.gateways.base import (
    NOT_PUBLIC,
    BadSetting,
    Call,
    Capabilities,
    Reply,
    Routed,
    SettingSpec,
)
from app.gateways.browsers import BrowserGateway
from app.gateways.common import by_status, for_all, without_answer
from app.gateways.push_encryption import encrypt
from app.gateways.vapid import Vapid, new_private_key

# Bytes: what is left of the 3,993 after the line that goes before the text.
MAX_TEXT: Final = 3500
MAX_PLAIN: Final = 3993
DEFAULT_TTL: Final = "86400"
# RFC 8030 sets no end; Google's and Mozilla's services keep a message for four weeks at most.
LONGEST_TTL: Final = 28 * 86400
# The services of the browsers; a leading dot stands for any host below.
KNOWN_SERVICES: Final = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)
_NO_ROUTE: Final = SendError(
    ErrorKind.GONE, "no_route", "The browser has no subscription for the sender's key."
)


class WebPushGateway(BrowserGateway):
    """A key pair as a sender: browsers take messages signed with it, and from nobody else."""

    name = "webpush"
    channel = "webpush"
    settings = (
        SettingSpec("private_key", secret=True, example="left out, it is made by itself"),
        SettingSpec("subject", secret=False, example="mailto:desk@example.org"),
        SettingSpec("ttl", secret=False, example="86400", required=False),
    )

    def __init__(
        self,
        settings: Mapping[str, str],
        base_url: str | None = None,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        super().__init__(settings["private_key"])
        self._vapid = Vapid(settings["private_key"], settings["subject"], clock)
        self._ttl = settings.get("ttl") or DEFAULT_TTL
        self._base_url = base_url.rstrip("/") if base_url else None

    @classmethod
    def generated(cls) -> Mapping[str, str]:
        """A key pair: it is ours to make, and no provider hands it out."""
        return {"private_key": new_private_key()}

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address, its public key; raises `BadSetting` naming what is missing or wrong."""
        cls.complete(settings)
        ttl = settings.get("ttl") or DEFAULT_TTL
        if not settings["subject"].startswith(("mailto:", "https://")):
            raise BadSetting(
                "subject is how push services reach you: mailto: and an address, or an https:// page."
            )
        if not (ttl.isascii() and ttl.isdigit() and 0 < int(ttl) <= LONGEST_TTL):
            raise BadSetting(f"ttl is how many seconds a push service keeps a message, 1 to {LONGEST_TTL}.")
        try:
            return Vapid(settings["private_key"], settings["subject"], utcnow).public_key
        except ValueError as error:
            raise BadSetting("private_key is base64url of 32 bytes; leave it out and one is made.") from error

    @classmethod
    def capabilities(cls) -> Capabilities:
        """No pace is published; the service of a browser says 429 when it is too fast."""
        return Capabilities(
            channel=cls.channel,
            max_text=MAX_TEXT,
            text_unit="bytes",
            default_rate=200.0,
            rate_unit="message",
            buttons=limits_named(cls.name),
            receipts=frozenset({ReceiptStatus.DELIVERED}),
            signals=frozenset({PlatformSignal.LEFT}),
            routed=Routed.NAME,
            media=media_of(cls.name),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One request a browser. Whoever has no route any more gets a call to nowhere, which `decode` knows."""
        hook = urlsplit(batch.callback_url).path
        return [self._call(one, hook, batch) for one in batch.recipients]

    def _call(self, one: Recipient, hook: str, batch: Batch) -> Call:
        nowhere = Call("POST", "", b"", refs=(one.ref,))
        try:
            route = PushRoute.from_text(one.route)
            if route.server_key != self._vapid.public_key:
                return nowhere
            body = encrypt(
                self._plain(one, hook, batch.media),
                base64url.decode(route.p256dh),
                base64url.decode(route.auth),
            )
        except ValueError:
            return nowhere
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "Authorization": self._vapid.header(origin_of(route.endpoint)),
            "TTL": self._ttl,
            "Urgency": "normal",
            "Topic": _topic(one.ref, batch.callback_url),
        }
        url = self._url(route.endpoint)
        return Call("POST", url, body, headers, refs=(one.ref,), public_only=self._base_url is None)

    def _url(self, endpoint: str) -> str:
        """The endpoint itself; with a base URL, the same path there."""
        if self._base_url is None:
            return endpoint
        parts = urlsplit(endpoint)
        return f"{self._base_url}{parts.path}{'?' if parts.query else ''}{parts.query}"

    def _plain(self, one: Recipient, hook: str, media: Media | None) -> bytes:
        """A line for our script in the browser, then the text as it is: so its bytes are what they count."""
        address, ref = one.address.value, str(one.ref)
        line = {"to": address, "ref": ref, "hook": hook, "proof": self.proof(address, ref)}
        if media is not None:
            line["image"] = media.url
        plain = _lined({**line, **_actions(one.rich)}, one.text)
        if len(plain) <= MAX_PLAIN or one.rich is None:
            return plain
        # No room for the button: its words are shorter.
        return _lined(line, f"{one.text}\n{as_text(one.rich.buttons)}")

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """201 with the message's own address; the status says the rest."""
        if not call.url:
            return for_all(call, _NO_ROUTE)
        if reply.reason == NOT_PUBLIC:
            return for_all(
                call, SendError(ErrorKind.INVALID, NOT_PUBLIC, "The endpoint is not on the internet.")
            )
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        if reply.status == 201:
            return for_all(call, None, reply.headers.get("location", "")[-100:] or "201")
        error = _error(reply)
        return for_all(call, error if self._believes(call.url) else _of_one(error))

    def _believes(self, url: str) -> bool:
        """Tell whether this service may speak of us and not only of its own address."""
        host = urlsplit(url).hostname or ""
        known = any(host.endswith(one) if one.startswith(".") else host == one for one in KNOWN_SERVICES)
        return known or self._base_url is not None


def _actions(rich: Rich | None) -> dict[str, Any]:
    """What our script shows under the message: kind, label, and the id or the address."""
    if rich is None or not rich.buttons:
        return {}
    return {"buttons": [[one.kind.value, one.label, one.value] for one in rich.buttons]}


def _lined(line: Mapping[str, Any], text: str) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n" + text.encode()


def _topic(ref: DeliveryRef, callback_url: str) -> str:
    """32 letters at most (RFC 8030, section 5.4): the same delivery takes the place of its earlier copy."""
    return base64url.encode(hashlib.sha256(f"{callback_url} {ref}".encode()).digest()[:24])


def _error(reply: Reply) -> SendError:
    """The answers of RFC 8030 and 8292; what a service says in words is for the operator."""
    words = reply.body[:300].decode("utf-8", "replace")
    if reply.status in (404, 410):
        return SendError(ErrorKind.GONE, str(reply.status), words)
    if reply.status == 413:
        return SendError(ErrorKind.CONTENT, "413", words)
    return by_status(reply, words)


def _of_one(error: SendError) -> SendError:
    """What an unknown service says of us is taken as said of its address: a stranger must not stop a sender."""
    if error.kind is ErrorKind.RATE_LIMITED:
        return SendError(ErrorKind.TEMPORARY, error.code, error.detail)
    if error.kind is ErrorKind.AUTH:
        return SendError(ErrorKind.INVALID, error.code, error.detail, bounces_after=2)
    return error
