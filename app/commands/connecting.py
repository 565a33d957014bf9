"""Carries on a conversation with a provider about a sender, while an operator waits."""

from collections.abc import Generator
from typing import TypeVar

from app.clock import utcnow
from app.commands.output import operator
from app.gateways.asking import ask
from app.gateways.base import Call, Reply, Transport
from app.gateways.connect import CannotConnect, Connected, Conversation
from app.gateways.registry import gateway_class
from app.gateways.transport import CurlTransport
from app.services import connect_senders
from app.services.controller import Refused

_End = TypeVar("_End")

_CALL_MS = 30_000
_ELSEWHERE = {
    "stream": "It needs no webhook: a connector process holds the connection. Run: python -m workers connector {name}",
    "store": "It needs no webhook: what people write comes from our own pages.",
}


def carry_on(talk: Generator[Call, Reply, _End], transport: Transport | None = None) -> _End:
    """Make the calls one after another, and return the end. Raises `Refused` with what the provider said."""
    line = transport or CurlTransport(connections=1, total_timeout_ms=_CALL_MS)
    try:
        call = next(talk)
        while True:
            call = talk.send(ask(call, line))
    except StopIteration as end:
        last: _End = end.value
        return last
    except CannotConnect as error:
        raise Refused(str(error)) from error
    finally:
        line.close()


def register(name: str, talk: Conversation, hook: str) -> Connected:
    """Carry on with a registration, and note how it ended. Raises `Refused` with what the provider said."""
    refused = True
    try:
        found = carry_on(talk)
        refused = False
    finally:
        connect_senders.note_end(name, hook, refused=refused, by=operator(), now=utcnow())
    return found


def by_hand(name: str, gateway: str, hook: str) -> Connected:
    """Say what to enter at a provider that has no API for it."""
    kind = gateway_class(gateway)
    elsewhere = _ELSEWHERE.get(kind.capabilities().connection)
    if elsewhere is not None:
        return Connected((elsewhere.format(name=name),))
    secret = any(spec.name == "hook_secret" for spec in kind.settings)
    query = (
        "?key= and the sender's hook_secret behind it" if secret else "POST as the method, if it asks for one"
    )
    return Connected(
        (), (f"{gateway} has no API for it that we know: enter {hook} as the webhook there, with {query}.",)
    )
