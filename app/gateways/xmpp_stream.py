"""Carries stanzas between a component and its server (XEP-0114), both ways.

A server does not say that it has taken a stanza. It works off a stream in order, though, so after each window we send
a stanza to ourselves: when that comes back, everything before it was worked off. Whatever was written and not yet
confirmed when a stream breaks may have arrived, and is *unknown*.
"""

import hashlib
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, tostring
from xml.sax.saxutils import quoteattr

from app.domain.messages import HookRequest
from app.gateways.base import Call, Reply
from app.gateways.connection import StreamBroken
from app.gateways.xmpp import NUMBER, STANZA

WINDOW = 128
"""Stanzas that may wait for their confirmation."""

_CONNECT_SECONDS = 5.0
_CONFIRM_SECONDS = 15.0
_ECHO = "tidings-echo-"


class XmppStream:
    """A signed-in component. Not for several threads. Once `broken` says why, it is of no more use."""

    def __init__(self, host: str, port: int, domain: str, secret: str) -> None:
        self._domain = domain
        self._unconfirmed: deque[Call] = deque()
        self._echoes: deque[tuple[str, int]] = deque()
        self._since_echo = 0
        self._confirmed: list[tuple[Call, Reply]] = []
        self._received: deque[HookRequest] = deque()
        self._count = 0
        self._oldest = 0.0
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._depth = 0
        self._root: Element | None = None
        self._signed_in = False
        self.broken: str | None = None
        self._socket = _connect(host, port)
        try:
            self._stream_id = self._sign_in(secret)
        except BaseException:
            self._socket.close()
            raise

    @property
    def free(self) -> int:
        """How many more stanzas may be written before the server confirms some."""
        return 0 if self.broken else WINDOW - len(self._unconfirmed)

    @property
    def in_flight(self) -> int:
        """How many stanzas wait for their confirmation."""
        return len(self._unconfirmed) + len(self._confirmed)

    def submit(self, call: Call) -> None:
        """Write a stanza; only when `free` is positive."""
        if not self._unconfirmed:
            self._oldest = time.monotonic()
        self._unconfirmed.append(call)
        self._since_echo += 1
        try:
            self._write(call.body)
        except StreamBroken as error:
            self._lose(str(error))

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Read for at most `timeout` seconds and return the stanzas that were confirmed, or lost with the stream."""
        try:
            if self._since_echo:
                self._ask_for_echo()
            if not self.broken:
                self._read(0.0 if self._confirmed else timeout)
        except StreamBroken as error:
            self._lose(str(error))
        if self._unconfirmed and time.monotonic() - self._oldest > _CONFIRM_SECONDS:
            self._lose("The server has confirmed nothing for 15 seconds.")
        done, self._confirmed = self._confirmed, []
        return done

    def received(self) -> Sequence[HookRequest]:
        """Return what people sent since the last call, each as a webhook would bring it."""
        found = list(self._received)
        self._received.clear()
        return found

    def answer(self, stanza: str) -> None:
        """Write a stanza that belongs to no delivery, such as the answer to a subscription."""
        try:
            self._write(stanza.encode())
        except StreamBroken as error:
            self._lose(str(error))

    def close(self) -> None:
        """End the stream. What is unconfirmed is lost to us."""
        with suppress(OSError):
            self._socket.sendall(b"</stream:stream>")
        self._socket.close()

    def _sign_in(self, secret: str) -> str:
        self._write(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
            f"xmlns:stream='http://etherx.jabber.org/streams' to={quoteattr(self._domain)}>".encode()
        )
        self._read_until(lambda: self._root is not None, "The server sent no beginning of a stream.")
        stream_id = self._root.get("id", "") if self._root is not None else ""
        # XEP-0114 wants SHA-1 here; what protects the secret is that the connection stays on our own machine.
        digest = hashlib.sha1((stream_id + secret).encode(), usedforsecurity=False).hexdigest()
        self._write(f"<handshake>{digest}</handshake>".encode())
        self._read_until(lambda: self._signed_in, "The server did not take the component's secret.")
        return stream_id

    def _read_until(self, fact: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + _CONNECT_SECONDS
        while not fact():
            if time.monotonic() > deadline:
                raise StreamBroken(complaint)
            self._read(0.2)

    def _ask_for_echo(self) -> None:
        self._count += 1
        id_ = f"{_ECHO}{self._count}"
        self._echoes.append((id_, self._since_echo))
        self._since_echo = 0
        here = quoteattr(self._domain)
        self._write(f"<message from={here} to={here} id='{id_}' type='headline'/>".encode())

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise StreamBroken(f"The stream broke while writing: {error}.") from error

    def _read(self, timeout: float) -> None:
        ready, _, _ = select.select([self._socket], [], [], timeout)
        while ready:
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise StreamBroken(f"The stream broke while reading: {error}.") from error
            if not data:
                raise StreamBroken("The server closed the stream.")
            self._feed(data)
            ready, _, _ = select.select([self._socket], [], [], 0.0)

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
            for event, element in cast("Iterator[tuple[str, Element]]", self._parser.read_events()):
                self._depth += 1 if event == "start" else -1
                if event == "start" and self._depth == 1:
                    self._root = element
                elif event == "end" and self._depth == 1:
                    self._take(element)
                    if self._root is not None:
                        self._root.clear()  # a stream is one document: it would grow for ever
                elif event == "end" and self._depth == 0:
                    raise StreamBroken("The server ended the stream.")
        except ParseError as error:
            raise StreamBroken(f"The server sent what is no XML: {error}.") from error

    def _take(self, element: Element) -> None:
        name = element.tag.rpartition("}")[2]
        if name == "handshake":
            self._signed_in = True
        elif name == "error":
            why = ", ".join(child.tag.rpartition("}")[2] for child in element)
            raise StreamBroken(f"The server ended the stream: {why}.")
        elif element.get("id", "").startswith(_ECHO) and element.get("from") == self._domain:
            self._confirm(element.get("id", ""))
        else:
            self._count += 1
            headers = {NUMBER: f"{self._stream_id}:{self._count}"}
            self._received.append(HookRequest(STANZA, "", headers, tostring(element)))

    def _confirm(self, id_: str) -> None:
        while self._echoes:
            asked, covered = self._echoes.popleft()
            self._confirmed += [(self._unconfirmed.popleft(), Reply(200)) for _ in range(covered)]
            if asked == id_:
                break
        self._oldest = time.monotonic()

    def _lose(self, reason: str) -> None:
        self._confirmed += [(call, Reply(0, left=True, reason="stream_broken")) for call in self._unconfirmed]
        self._unconfirmed.clear()
        self._echoes.clear()
        self._since_echo = 0
        self.broken = self.broken or reason


def _connect(host: str, port: int) -> socket.socket:
    try:
        found = socket.create_connection((host, port), _CONNECT_SECONDS)
    except OSError as error:
        raise StreamBroken(f"No XMPP server answers at {host}:{port}: {error}.") from error
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found
