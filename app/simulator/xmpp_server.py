"""A small XMPP server for components (XEP-0114): messages, receipts, corrections, and presence both ways.

The owner of +1 202 555 0143 is `12025550143@people.localhost`. Addresses whose digits end in 0202, 0403, 0404, 0429,
0500 or 0998 answer with an error.
"""

import hashlib
import hmac
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, tostring
from xml.sax.saxutils import escape, quoteattr

from app.simulator.chats import Chats
from app.simulator.later import Later
from app.simulator.limits import FaultPlan
from app.simulator.magic import OneTimeFaults, ending_of
from app.simulator.messengers import Account, Messenger, Told
from app.simulator.wire import Answer, CannotDeliver

DOMAIN: Final = "people.localhost"
_ACCEPT: Final = "{jabber:component:accept}"
_RECEIPTS: Final = "urn:xmpp:receipts"
_CORRECTS: Final = "urn:xmpp:message-correct:0"
_STANZAS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
_OPEN: Final = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' from={} id='{}'>"
)
# Conditions of RFC 6120, 8.3.3; the last is none of them.
_ERRORS: Final = {
    "0202": "service-unavailable",
    "0403": "forbidden",
    "0404": "item-not-found",
    "0998": "something-new",
}
_ONCE: Final = {"0429": "resource-constraint", "0456": "resource-constraint", "0500": "internal-server-error"}


class XmppMessenger(Messenger):
    """What people send reaches the component that is signed in for the account's domain."""

    channel = "xmpp"
    reaches_all = True

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    def id_of(self, number: str) -> str:
        """A person's address."""
        return f"{number.removeprefix('+')}@{DOMAIN}"

    def number_of(self, user_id: str) -> str:
        """The phone whose owner has this address."""
        return f"+{user_id.partition('@')[0]}"

    def opened(self, account: Account, number: str, scene: str, known: bool) -> Told:
        """Somebody adds us to their contacts, which asks for our presence."""
        return self._presence(account, number, "subscribe")

    def said(self, account: Account, number: str, text: str) -> Told:
        """A text."""
        return self.told(
            account,
            f"<message {self._ends(account, number)} id='{secrets.token_hex(6)}' type='chat'>"
            f"<body>{escape(text)}</body></message>",
        )

    def blocked(self, account: Account, number: str, blocked: bool) -> Told | None:
        """Somebody takes us off their contacts; of the end of a block nobody hears."""
        return self._presence(account, number, "unsubscribe") if blocked else None

    def received(self, account: Account, number: str, id_: str) -> Told:
        """The receipt for a message (XEP-0184)."""
        return self.told(
            account,
            f"<message {self._ends(account, number)}><received xmlns='{_RECEIPTS}' id={quoteattr(id_)}/></message>",
        )

    def failed(self, account: Account, number: str, id_: str, condition: str) -> Told:
        """An error about a message."""
        return self.told(
            account,
            f"<message {self._ends(account, number)} id={quoteattr(id_)} type='error'><error type='cancel'>"
            f"<{condition} xmlns='{_STANZAS}'/></error></message>",
        )

    def told(self, account: Account, stanza: str) -> Told:
        """Return what brings a stanza to the component."""
        return Told(b"", {}, carry=partial(self._carry, account.address, stanza))

    def _presence(self, account: Account, number: str, kind: str) -> Told:
        return self.told(account, f"<presence {self._ends(account, number)} type='{kind}'/>")

    def _ends(self, account: Account, number: str) -> str:
        return f"from={quoteattr(self.id_of(number) + '/phone')} to={quoteattr(account.address)}"

    def _carry(self, address: str, stanza: str) -> Answer:
        session = self.sessions.get(address)
        if session is None:
            raise CannotDeliver(f"no component is signed in for {address}")
        session.write(stanza)
        return Answer(200, b"")


class Session(socketserver.BaseRequestHandler):
    """One component's stream."""

    server: "XmppServer"
    request: socket.socket

    def setup(self) -> None:
        """Begin without an account."""
        self.account: Account | None = None
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._id, self._depth, self._writing = secrets.token_hex(8), 0, threading.Lock()
        self._root: Element | None = None
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        """Serve stanzas until the stream ends, or brings what is no XML."""
        with suppress(OSError, ParseError, CannotDeliver):
            while received := self.request.recv(65536):
                self._parser.feed(received)
                for event, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                    if not self._see(event, element):
                        return

    def finish(self) -> None:
        """Be signed in no more."""
        sessions = self.server.messenger.sessions
        if self.account is not None and sessions.get(self.account.address) is self:
            del sessions[self.account.address]

    def write(self, stanza: str) -> None:
        """Write a stanza; raises `CannotDeliver`."""
        try:
            with self._writing:
                self.request.sendall(stanza.encode())
        except OSError as error:
            raise CannotDeliver(f"the stream ended: {error}") from error

    def cut(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    def _see(self, event: str, element: Element) -> bool:
        """Follow the stream; False at its end."""
        self._depth += 1 if event == "start" else -1
        if event == "start" and self._depth == 1:
            self._root = element
            self.write(_OPEN.format(quoteattr(element.get("to", "")), self._id))
        elif event == "end" and self._depth == 1 and self._root is not None:
            going_on = self._take(element)
            self._root.clear()  # a stream is one document: it would grow for ever
            return going_on
        return self._depth > 0

    def _take(self, stanza: Element) -> bool:
        if self.account is None:
            return self._sign_in(stanza)
        domain = self.account.address.partition("@")[2]
        if stanza.get("to") == domain:  # to itself: a component learns in this way how far we are
            self.write(tostring(stanza, encoding="unicode"))
        elif stanza.tag == f"{_ACCEPT}message" and stanza.get("type") != "error":
            return self.server.post.take(self, self.account, stanza)
        return True

    def _sign_in(self, stanza: Element) -> bool:
        domain = self._root.get("to", "") if self._root is not None else ""
        for account in self.server.chats.all():
            if account.channel != "xmpp" or account.address.partition("@")[2] != domain:
                continue
            secret = account.settings.get("secret", "")
            # XEP-0114 wants SHA-1 here.
            digest = hashlib.sha1((self._id + secret).encode(), usedforsecurity=False).hexdigest()
            if hmac.compare_digest((stanza.text or "").encode(), digest.encode()):
                self.account = account
                self.server.messenger.sessions[account.address] = self
                self.write("<handshake/>")
                return True
        ns = "urn:ietf:params:xml:ns:xmpp-streams"
        self.write(f"<stream:error><not-authorized xmlns='{ns}'/></stream:error></stream:stream>")
        return False


class XmppPost:
    """What becomes of messages; `later` runs receipts and errors."""

    def __init__(
        self,
        chats: Chats,
        messenger: XmppMessenger,
        later: Later,
        faults: FaultPlan,
        stopping: threading.Event,
    ) -> None:
        self._chats, self._messenger, self._later = chats, messenger, later
        self._plan, self._stopping = faults, stopping
        self._once = OneTimeFaults(chats.on_reset)

    def take(self, session: Session, account: Account, stanza: Element) -> bool:
        """Bring a message to its phone, or say why not; False when the stream was cut on purpose."""
        self._plan.wait(self._stopping)
        fate = self._plan.draw()
        if fate == "drop":
            session.cut()
            return False
        number = self._messenger.number_of(stanza.get("to", "").partition("/")[0])
        id_ = stanza.get("id", "")
        condition = self._condition(number, fate) or self._bring(account, number, stanza, id_)
        wants = stanza.find(f"{{{_RECEIPTS}}}request") is not None
        if condition:
            told = [self._messenger.failed(account, number, id_, condition)]
        else:
            copies = {"0504": 0, "0299": 2}.get(ending_of(number), 1)
            told = [self._messenger.received(account, number, id_)] * (copies if wants else 0)
        for one in told:
            self._later(partial(self._chats.report, account, one))
        if fate == "lose_reply":
            session.cut()
        return fate != "lose_reply"

    def _condition(self, number: str, fate: str) -> str:
        if fate in ("error", "throttle"):
            return "internal-server-error" if fate == "error" else "resource-constraint"
        if once := self._once.take(number):
            return _ONCE[once]
        return _ERRORS.get(ending_of(number), "")

    def _bring(self, account: Account, number: str, stanza: Element, id_: str) -> str:
        """Show a message, or other words for an older one; returns the condition where that cannot be."""
        text = stanza.findtext(f"{_ACCEPT}body") or ""
        replaces = stanza.find(f"{{{_CORRECTS}}}replace")
        user = self._messenger.id_of(number)
        if replaces is not None:
            # The corrected message is known by the first one's id (XEP-0308, business rules).
            fate = self._chats.change(account, user, replaces.get("id", ""), text)
            return (
                "item-not-found"
                if fate == "missing"
                else ("service-unavailable" if fate == "blocked" else "")
            )
        fate = self._chats.deliver(account, user, text, name=id_)
        return "" if fate == "deliver" else "service-unavailable"


class XmppServer(socketserver.ThreadingTCPServer):
    """Listens on `host` and `port` (0 takes a free one)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, port: int, chats: Chats, messenger: XmppMessenger, post: XmppPost) -> None:
        super().__init__((host, port), Session)
        self.chats, self.messenger, self.post = chats, messenger, post
        self.port: int = self.server_address[1]

    def start(self) -> None:
        """Serve from a thread of its own until `stop()`."""
        threading.Thread(target=self.serve_forever, args=(0.05,), name="xmpp", daemon=True).start()

    def stop(self) -> None:
        """Take no more connections and end those that are open."""
        self.shutdown()
        self.server_close()
        for session in list(self.messenger.sessions.values()):
            session.cut()
