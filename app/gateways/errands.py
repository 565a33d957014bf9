"""Makes the calls that belong to a webhook (`Errand`): few, one after another, and each not for long.

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


def short_transport() -> Transport:
    """Return a transport for one call at a time that gives up after five seconds."""
    return CurlTransport(connections=1, total_timeout_ms=CALL_MS)


def make(
    calls: Sequence[Call],
    open_transport: Callable[[], Transport] = short_transport,
    wait: Callable[[float], None] = time.sleep,
) -> Reply | None:
    """Make these calls in their order; returns the answer that ended it when one of them did not succeed, or None."""
    transport = open_transport()
    try:
        for call in calls:
            reply = _make(call, transport, wait)
            if not _is_yes(reply):
                return reply
    finally:
        transport.close()
    return None


def _make(call: Call, transport: Transport, wait: Callable[[float], None]) -> Reply:
    reply = _once(call, transport)
    for _ in range(ATTEMPTS - 1):
        if _is_yes(reply) or _is_no(reply):
            break
        wait(PAUSE)
        reply = _once(call, transport)
    return reply


def _once(call: Call, transport: Transport) -> Reply:
    transport.submit(call)
    while True:
        for _, reply in transport.poll(0.1):
            return reply


def _is_yes(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _is_no(reply: Reply) -> bool:
    """Tell whether asking again would get the same answer."""
    return 400 <= reply.status < 500 and reply.status not in (408, 429)
