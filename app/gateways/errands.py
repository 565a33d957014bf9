"""Makes the calls that belong to a webhook (`Errand`): few, one after another, and not for long.

A webhook waits for them, and behind it whatever its provider posts next, STOPs included. So what does not work within
three attempts is given up: whoever invited us into a room that nobody can enter invites us once more.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from app.gateways.base import Call, Reply, Transport
from app.gateways.transport import CurlTransport

ATTEMPTS: Final = 3
PAUSE: Final = 1.0
CALL_MS: Final = 5_000
SECONDS: Final = 15.0
"""After so long the errands of one webhook are over: a stranger can invite us into a hundred rooms at once."""
NO_TIME: Final = Reply(0, left=False, reason="no_time")


def short_transport() -> Transport:
    """Return a transport for one call at a time that gives up after five seconds."""
    return CurlTransport(connections=1, total_timeout_ms=CALL_MS)


class Errands:
    """The errands of one webhook. The transport is opened for the first of them; close this after the last."""

    def __init__(
        self,
        open_transport: Callable[[], Transport] = short_transport,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._wait, self._clock = open_transport, wait, clock
        self._transport: Transport | None = None
        self._until = clock() + SECONDS

    def make(self, calls: Sequence[Call]) -> Reply | None:
        """Make these calls in their order; returns the answer of the one that did not succeed, or None."""
        for call in calls:
            reply = self._make(call)
            if not _is_yes(reply):
                return reply
        return None

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.close()

    def _make(self, call: Call) -> Reply:
        reply = self._once(call)
        for _ in range(ATTEMPTS - 1):
            if _is_yes(reply) or _is_no(reply) or reply is NO_TIME:
                break
            self._wait(PAUSE)
            reply = self._once(call)
        return reply

    def _once(self, call: Call) -> Reply:
        if self._clock() >= self._until:
            return NO_TIME
        self._transport = self._transport or self._open()
        self._transport.submit(call)
        while True:
            for _, reply in self._transport.poll(0.1):
                return reply


def _is_yes(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _is_no(reply: Reply) -> bool:
    """Tell whether asking again would get the same answer."""
    return 400 <= reply.status < 500 and reply.status not in (408, 429)
