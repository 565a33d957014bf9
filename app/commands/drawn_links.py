"""Links that only a provider can make: asked for here, while an operator waits."""

import time
from typing import Final

from app.gateways.base import Call, Gateway, LinkDrawer, Reply, Transport
from app.gateways.tokens import with_tokens
from app.gateways.transport import CurlTransport
from app.runtime import runtime
from app.services.controller import Refused

_SECONDS: Final = 60.0


def drawn_link(gateway: Gateway, payload: str) -> str | None:
    """Return the link that the gateway's provider makes; None where it makes none. Raises `Refused` with its reason."""
    if not isinstance(gateway, LinkDrawer):
        return None
    transport = with_tokens(gateway, CurlTransport(connections=1), runtime().token_keeper)
    try:
        reply = _answer(transport, gateway.drawn_link_call(payload))
    finally:
        transport.close()
    link = gateway.drawn_link_of(reply)
    if link is None:
        said = reply.body.decode("utf-8", "replace")[:300] or reply.reason or f"HTTP {reply.status}"
        raise Refused(f"The provider made no link: {said}")
    return link


def _answer(transport: Transport, call: Call) -> Reply:
    until = time.monotonic() + _SECONDS
    transport.submit(call)
    while time.monotonic() < until:
        for _, reply in transport.poll(0.2):
            return reply
    return Reply(0, reason="no_answer")
