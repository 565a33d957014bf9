"""XMPP: one address on a component of our own server (XEP-0114); subscribing to its presence is the way in.

What goes out and comes in are stanzas, as bytes; `app.gateways.xmpp_stream` carries them. A stanza's id holds the
delivery and a seal over it and the address, for anybody may send us a receipt (XEP-0184) for any id.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from app.domain.addresses import Address, BadAddress, canonical
from app.domain.in_place import changes_named
from app.domain.media.attached import Media
from app.domain.media.limits import media_of
from app.domain.messages import (
    Batch,
    DeliveryRef,
    ErrorKind,
    Event,
    EventKind,
    HookReply,
    HookRequest,
    InboundMessage,
    Outcome,
    PlatformEvent,
    PlatformSignal,
    Receipt,
    ReceiptStatus,
    Recipient,
    SendError,
)
from app.domain.styles import styles_named
from app.gateways.base import (
    BadSetting,
    BadSignature,
    Call,
    Capabilities,
    Proof,
    Reply,
    SettingSpec,
)
from app.gateways.common import TRIES_IF_UNLISTED, HttpGateway, by_status, for_all, in_marks, without_answer
from app.gateways.safe_xml import document

STANZA: Final = "STANZA"
NUMBER: Final = "x-stanza-number"
"""Header of a stanza that came in: unique for each, for not every client gives its messages an id."""

_RECEIPTS: Final = "urn:xmpp:receipts"
_CORRECTS: Final = "urn:xmpp:message-correct:0"
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SEAL_LENGTH: Final = 12

# Conditions of RFC 6120, 8.3.3. "service-unavailable" is said of blockers, of unknown people, and of those who are
# offline at a server that stores nothing: only the third time does it count as a dead address. So do the two
# that our own server says of a domain that it does not reach (Prosody: "not-allowed"): it may be away for a while.
_CONDITIONS: Final = {
    "service-unavailable": SendError(ErrorKind.INVALID, bounces_after=3),
    "item-not-found": SendError(ErrorKind.INVALID),
    "gone": SendError(ErrorKind.GONE),
    "jid-malformed": SendError(ErrorKind.INVALID),
    "forbidden": SendError(ErrorKind.BLOCKED),
    "not-allowed": SendError(ErrorKind.INVALID, bounces_after=3),
    "remote-server-not-found": SendError(ErrorKind.INVALID, bounces_after=3),
    "remote-server-timeout": SendError(ErrorKind.TEMPORARY),
    "not-acceptable": SendError(ErrorKind.CONTENT),
    "policy-violation": SendError(ErrorKind.CONTENT),
}


def _words(text: str, media: Media | None) -> str:
    """Clients that know no such links show the address below the words."""
    return text if media is None else f"{text}\n{media.url}"


def _link(media: Media | None) -> str:
    """The file as out-of-band data (XEP-0066), which clients fetch and show."""
    if media is None:
        return ""
    described = f"<desc>{escape(_NOT_XML.sub('', media.alt))}</desc>" if media.alt else ""
    return f"<x xmlns='jabber:x:oob'><url>{escape(media.url)}</url>{described}</x>"


class XmppGateway(HttpGateway):
    """One address of ours, such as `city@news.example.org`. A component carries one sender."""

    name = "xmpp"
    channel = "xmpp"
    settings = (
        SettingSpec("from", secret=False, example="city@news.example.org"),
        SettingSpec("host", secret=False, example="127.0.0.1"),
        SettingSpec("port", secret=False, example="5347", required=False),
        SettingSpec("secret", secret=True, example="the component's secret in the server's settings"),
    )

    def __init__(self, settings: Mapping[str, str], base_url: str | None = None) -> None:
        self._from, self._secret = settings["from"], settings["secret"]
        self.host, self.port = settings["host"], int(settings.get("port") or 5347)

    @property
    def domain(self) -> str:
        """The component's name."""
        return self._from.partition("@")[2]

    @property
    def secret(self) -> str:
        """What the component signs in with."""
        return self._secret

    @classmethod
    def check_settings(cls, settings: Mapping[str, str]) -> str:
        """Return the sender's address; raises `BadSetting` naming what is missing, wrong or unknown."""
        cls.complete(settings)
        if not (settings.get("port") or "5347").isdecimal():
            raise BadSetting("port is a number, such as 5347.")
        try:
            return canonical(cls.channel, settings["from"]).value
        except BadAddress as error:
            raise BadSetting(f"from is no XMPP address: {error}") from error

    @classmethod
    def capabilities(cls) -> Capabilities:
        """Our own server sets the pace; it stores messages for those who are away."""
        return Capabilities(
            channel=cls.channel,
            max_text=10_000,
            text_unit="chars",
            default_rate=200.0,
            rate_unit="message",
            receipts=frozenset({ReceiptStatus.DELIVERED, ReceiptStatus.FAILED}),
            signals=frozenset({PlatformSignal.LEFT}),
            proof=Proof.STORED,
            connection="stream",
            media=media_of(cls.name),
            changes=changes_named(cls.name),
            styles=styles_named(cls.name),
        )

    def encode(self, batch: Batch) -> Sequence[Call]:
        """One stanza a recipient, which asks for a receipt; other words name what they replace (XEP-0308).

        Clients read the marks themselves (XEP-0393 1.1.1): there one opens only behind a space.
        """
        people = in_marks(batch.recipients, opens_after_space=True)
        return [self._call(recipient, batch.media) for recipient in people]

    def _call(self, recipient: Recipient, media: Media | None) -> Call:
        to = recipient.address.value
        old = recipient.replaces
        replaces = f"<replace xmlns='{_CORRECTS}' id='{self._id(old.ref, to)}'/>" if old else ""
        words = escape(_NOT_XML.sub("", _words(recipient.text, media)))
        stanza = (
            f"<message from={quoteattr(self._from)} to={quoteattr(to)} id='{self._id(recipient.ref, to)}' "
            f"type='chat'><body>{words}</body>{_link(media)}{replaces}<request xmlns='{_RECEIPTS}'/></message>"
        )
        return Call(STANZA, f"xmpp://{self.host}:{self.port}", stanza.encode(), refs=(recipient.ref,))

    def decode(self, call: Call, reply: Reply) -> Sequence[Outcome]:
        """The stream says 200 when the server has worked off the stanza; what it could not do comes as a receipt."""
        if (error := without_answer(reply)) is not None:
            return for_all(call, error)
        return (
            for_all(call, None, str(call.refs[0])) if reply.status == 200 else for_all(call, by_status(reply))
        )

    def verify(self, request: HookRequest) -> None:
        """Only our own stream brings stanzas; what anybody posts over HTTP is none."""
        if request.method != STANZA:
            raise BadSignature("XMPP comes in over the component's own connection, never over HTTP.")

    def parse(self, request: HookRequest) -> Sequence[Event]:
        """Messages, presence, receipts, and errors about what we sent."""
        stanza = document(request.body, "The stanza")
        try:
            address = canonical(self.channel, stanza.get("from", ""))
        except BadAddress:  # a server speaks for itself
            return [Event(EventKind.IGNORED)]
        kind = (_name(stanza), stanza.get("type", ""))
        number = request.headers.get(NUMBER, "")
        if kind == ("presence", "subscribe"):
            message = InboundMessage(number, address, "", payload="start")
            return [Event(EventKind.MESSAGE, message=message)]
        if kind in (("presence", "unsubscribe"), ("presence", "unsubscribed")):
            event = PlatformEvent(number, address, PlatformSignal.LEFT, evidence={"presence": kind[1]})
            return [Event(EventKind.SIGNAL, signal=event)]
        if kind[0] != "message" or kind[1] == "groupchat":
            return [Event(EventKind.IGNORED)]
        return [self._message(stanza, address, number)]

    def _message(self, stanza: Element, address: Address, number: str) -> Event:
        if stanza.get("type") == "error":
            ref = self._opened(stanza.get("id", ""), address)
            return _receipt(ref, ReceiptStatus.FAILED, _failure(stanza))
        received = stanza.find(f"{{{_RECEIPTS}}}received")
        if received is not None:
            return _receipt(self._opened(received.get("id", ""), address), ReceiptStatus.DELIVERED)
        body = next((child.text or "" for child in stanza if _name(child) == "body"), "")
        if not body:  # typing notices, markers
            return Event(EventKind.IGNORED)
        return Event(EventKind.MESSAGE, message=InboundMessage(number, address, body))

    def acknowledge(self, request: HookRequest) -> HookReply:
        """Accept a subscription; nothing else needs an answer of the protocol."""
        stanza = document(request.body, "The stanza")
        answers = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}
        answer = answers.get(stanza.get("type", "")) if _name(stanza) == "presence" else None
        if answer is None:
            return HookReply(200)
        to = quoteattr(stanza.get("from", "").partition("/")[0])
        return HookReply(
            200, "application/xml", f"<presence from={quoteattr(self._from)} to={to} type='{answer}'/>"
        )

    def link(self, payload: str) -> str:
        """Opens the chat with the word written already (XEP-0147): a presence could not say which list is meant."""
        return f"xmpp:{self._from}?message;body={quote(payload)}"

    def _id(self, ref: DeliveryRef, to: str) -> str:
        return f"{ref}.{self._seal(str(ref), to)}"

    def _seal(self, ref: str, to: str) -> str:
        return hmac.new(self._secret.encode(), f"{ref}|{to}".encode(), hashlib.sha256).hexdigest()[
            :_SEAL_LENGTH
        ]

    def _opened(self, id_: str, address: Address) -> DeliveryRef | None:
        """Return the delivery that an id names, when we gave it to this very address."""
        ref, _, seal = id_.rpartition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(ref, address.value).encode()):
            return None
        return DeliveryRef.parse(ref)


def _receipt(ref: DeliveryRef | None, status: ReceiptStatus, error: SendError | None = None) -> Event:
    if ref is None:
        return Event(EventKind.IGNORED)
    return Event(EventKind.RECEIPT, receipt=Receipt(ref, str(ref), status, error))


def _failure(stanza: Element) -> SendError:
    conditions = [_name(child) for error in stanza if _name(error) == "error" for child in error]
    code = next((name for name in conditions if name != "text"), "undefined-condition")
    known = _CONDITIONS.get(code, SendError(ErrorKind.TEMPORARY, tries=TRIES_IF_UNLISTED))
    return replace(known, code=code)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
