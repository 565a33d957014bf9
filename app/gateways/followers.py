"""Who follows an account: what a gateway offers whose platform lists them, and how such a list is read page by page."""

import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol, runtime_checkable

from app.gateways.asking import ask
from app.gateways.base import Call, GatewayError, Reply, Transport

MOST_PAGES: Final = 20_000
"""A list that does not end by then never will."""


class CannotList(GatewayError):
    """The list cannot be had now; the text says why."""


class NotOffered(CannotList):
    """The platform shows this account no such list; to ask again soon is of no use."""


class Page(NamedTuple):
    """Some followers, as our addresses are spelt, and where the list goes on; "" where it ends."""

    addresses: tuple[str, ...]
    next: str = ""


@runtime_checkable
class ListsFollowers(Protocol):
    """A gateway whose platform can be asked who follows the sender. It translates, as always."""

    def followers_call(self, start: str) -> Call:
        """Return the question for the page that begins at `start`; "" is the first."""

    def followers_of(self, reply: Reply) -> Page:
        """Return what came back; raises `CannotList` and `NotOffered`."""


def pages_of(
    gateway: ListsFollowers, transport: Transport, wait: Callable[[float], None] = time.sleep
) -> Iterator[tuple[str, ...]]:
    """Yield the followers page by page; only whoever reads to the end knows who is not among them.

    Raises `CannotList`, which may be in the midst.
    """
    start, been = "", set[str]()
    while start not in been and len(been) < MOST_PAGES:
        been.add(start)
        reply = ask(gateway.followers_call(start), transport, wait)
        if reply.status == 0:
            raise CannotList(f"there was no answer ({reply.reason})")
        addresses, start = gateway.followers_of(reply)
        yield addresses
        if not start:
            return
    raise CannotList("the list has no end")
