"""Numbers that their owners gave back to the carriers: what a gateway offers whose provider lists them for each day,
and how such a list is read, a part at a time however long it is."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final, Protocol, runtime_checkable

from app.gateways.asking import ask
from app.gateways.base import Call, GatewayError, Reply, Transport
from app.gateways.feed_fetch import is_loopback
from app.gateways.public_hosts import is_public
from app.gateways.transport import CurlTransport

SETTING: Final = "deactivations"
"""The setting of a sender, yes or no, that lets its provider be asked once a day."""
PART: Final = 64 * 1024
"""Bytes that are asked for at once: some 5,000 numbers."""
LARGEST: Final = 64 * 1024 * 1024
_WHOLE: Final = 8 * 1024 * 1024
"""Bytes of a file whose server sends it in one piece only."""
_LONGEST_LINE: Final = 200
_OUT_OF: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class CannotRead(GatewayError):
    """The list cannot be had now; the text says why."""


class NoSuchDay(CannotRead):
    """The provider has no list of this day."""


@runtime_checkable
class ListsGivenBack(Protocol):
    """A gateway whose provider can be asked. It translates, as always."""

    def given_back_call(self, day: date) -> Call:
        """Return the call that asks where the list of a day lies."""

    def given_back_file(self, reply: Reply) -> str:
        """Return the address of the list, https; raises `CannotRead` and `NoSuchDay`."""


def open_transport() -> Transport:
    """Return a transport for one list: its file may lie on the public internet, or with a simulator beside us."""
    return CurlTransport(
        connections=1,
        may_reach=lambda host: is_public(host) or is_loopback(host),
        most_of_a_stranger=_WHOLE,
    )


def lines_of(
    gateway: ListsGivenBack, day: date, transport: Transport, wait: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """Yield the lines of a day's list; raises `CannotRead`, which may be in its midst.

    It is read in ranges (RFC 9110, section 14), all of one version of the file. The access to the provider's account
    goes to the provider alone, not to where it sends us.
    """
    address = gateway.given_back_file(_asked(gateway.given_back_call(day), transport, wait))
    rest = b""
    for part in _parts(address, transport, wait):
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise CannotRead("The file is no list of numbers: its lines have no end.")
        yield from (line.decode("ascii", "replace").strip() for line in whole)
    yield rest.decode("ascii", "replace").strip()


def _parts(address: str, transport: Transport, wait: Callable[[float], None]) -> Iterator[bytes]:
    at, size, same = 0, 1, dict[str, str]()
    while at < size:
        headers = {"Range": f"bytes={at}-{at + PART - 1}", **same}
        reply = _asked(Call("GET", address, b"", headers, public_only=True), transport, wait)
        if reply.status == 416 and at == 0:
            return  # an empty file has no first byte
        if reply.status == 200 and at == 0:
            yield reply.body
            return
        at, size = _next(reply, at)
        same = {"If-Match": reply.headers["etag"]} if "etag" in reply.headers else {}
        yield reply.body


def _next(reply: Reply, at: int) -> tuple[int, int]:
    """Return where the next part begins, and how large the file is."""
    found = _OUT_OF.fullmatch(reply.headers.get("content-range", ""))
    if reply.status != 206 or found is None:
        raise CannotRead(f"Where the file lies answered {reply.status}.")
    first, last, size = (int(one) for one in found.groups())
    if first != at or last - first + 1 != len(reply.body) or not reply.body:
        raise CannotRead("Where the file lies sent another part than was asked for.")
    if size > LARGEST:
        raise CannotRead(f"The file has {size} bytes, and a list of numbers has fewer than {LARGEST}.")
    return last + 1, size


def _asked(call: Call, transport: Transport, wait: Callable[[float], None]) -> Reply:
    """Return the answer; raises `CannotRead` where none came."""
    reply = ask(call, transport, wait)
    if reply.status == 0:
        raise CannotRead(f"There was no answer ({reply.reason}).")
    return reply
