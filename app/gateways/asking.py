"""Asks a provider one question that may be repeated, over a transport that does one thing at a time."""

import time
from collections.abc import Callable
from typing import Final

from app.gateways.base import Call, Reply, Transport

ATTEMPTS: Final = 3
PAUSE: Final = 2.0


def ask(call: Call, transport: Transport, wait: Callable[[float], None] = time.sleep) -> Reply:
    """Return the answer; what passes by itself (no answer, 429, 5xx) is asked again after a pause, twice."""
    reply = _once(call, transport)
    for _ in range(ATTEMPTS - 1):
        if not passes(reply):
            break
        wait(PAUSE)
        reply = _once(call, transport)
    return reply


def passes(reply: Reply) -> bool:
    """Tell whether the same question may get another answer soon."""
    return reply.status == 0 or reply.status == 429 or reply.status >= 500


def _once(call: Call, transport: Transport) -> Reply:
    transport.submit(call)
    while True:
        for _, reply in transport.poll(0.1):
            return reply
