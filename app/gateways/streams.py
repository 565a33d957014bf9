"""Which gateways keep a connection of their own, and how it is opened; a connector process works them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from app.domain.messages import HookRequest
from app.gateways.base import Gateway, Transport
from app.gateways.xmpp import XmppGateway
from app.gateways.xmpp_stream import StreamBroken, XmppStream

__all__ = ["Stream", "StreamBroken", "open_stream"]


class Stream(Transport, Protocol):
    """A transport on one long connection, which also brings what people send."""

    broken: str | None
    """Why it is of no more use, or None."""

    def received(self) -> Sequence[HookRequest]:
        """Return what came in since the last call."""

    def answer(self, stanza: str) -> None:
        """Write what the protocol wants as an answer to something that came in."""


def _xmpp(gateway: Any) -> Stream:
    return XmppStream(gateway.host, gateway.port, gateway.domain, gateway.secret)


_OPEN: dict[type[Gateway], Callable[[Any], Stream]] = {XmppGateway: _xmpp}


def open_stream(gateway: Gateway) -> Stream:
    """Connect and sign in. Raises `StreamBroken`."""
    return _OPEN[type(gateway)](gateway)
