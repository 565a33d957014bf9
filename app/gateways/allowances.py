"""What a gateway offers whose provider tells how much a sender may still send, and how it is asked."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from app.domain.allowances import Allowance
from app.gateways.asking import ask
from app.gateways.base import Call, GatewayError, Reply, Transport


class CannotSay(GatewayError):
    """The provider did not tell; the text says what it said instead."""


@runtime_checkable
class TellsAllowance(Protocol):
    """A gateway whose provider can be asked. It translates, as always: the questions, and the answers to them."""

    def allowance_calls(self) -> Sequence[Call]:
        """Return the questions; each may be repeated and costs nothing."""

    def allowance_of(self, replies: Sequence[Reply]) -> Allowance:
        """Return what the answers say, one to each question in their order; raises `CannotSay`."""


def ask_allowance(
    gateway: TellsAllowance, transport: Transport, wait: Callable[[float], None] = time.sleep
) -> Allowance:
    """Ask over a transport that does one thing at a time; raises `CannotSay`, after the first answer that is a no."""
    replies = []
    for call in gateway.allowance_calls():
        reply = ask(call, transport, wait)
        check_yes(reply)
        replies.append(reply)
    return gateway.allowance_of(replies)


def check_yes(reply: Reply) -> None:
    """Raise `CannotSay` unless this is an answer."""
    if reply.status == 0:
        raise CannotSay(f"there was no answer ({reply.reason})")
    if reply.status != 200:
        raise CannotSay(f"the provider answered HTTP {reply.status}")
