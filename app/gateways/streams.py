"""Which gateways keep a connection of their own, and how it is opened; a connector process works them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from app.domain.messages import HookRequest
from app.gateways.base import Gateway, Transport
from app.gateways.connection import StreamBroken, StreamRefused
from app.gateways.signal import SignalGateway
from app.gateways.signal_stream import SignalStream
from app.gateways.smpp import SmppGateway
from app.gateways.smpp_stream import SmppStream
from app.gateways.xmpp import XmppGateway
from app.gateways.xmpp_stream import XmppStream

__all__ = ["Stream", "StreamBroken", "StreamRefused", "open_stream"]


class Stream(Transport, Protocol):
    """A transport on one long connection, which also brings what people send."""

    broken: str | None
    """Why it is of no more use, or None."""

    def received(self) -> Sequence[HookRequest]:
        """Return what came in since the last call."""

    def answer(self, text: str) -> None:
        """Write what the protocol wants as an answer to something that came in: the body of the acknowledgement."""


def _xmpp(gateway: Any, before: Stream | None) -> Stream:
    return XmppStream(gateway.host, gateway.port, gateway.domain, gateway.secret)


def _smpp(gateway: Any, before: Stream | None) -> Stream:
    return SmppStream(gateway.account, before.memory if isinstance(before, SmppStream) else None)


def _signal(gateway: Any, before: Stream | None) -> Stream:
    return SignalStream(gateway, before.last_id if isinstance(before, SignalStream) else "")


_OPEN: dict[type[Gateway], Callable[[Any, Stream | None], Stream]] = {
    SignalGateway: _signal,
    SmppGateway: _smpp,
    XmppGateway: _xmpp,
}


def open_stream(gateway: Gateway, before: Stream | None) -> Stream:
    """Connect and sign in; `before` is this sender's connection that ended. Raises `StreamBroken`."""
    return _OPEN[type(gateway)](gateway, before)
