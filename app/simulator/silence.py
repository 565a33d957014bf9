"""Answers that never come: the connection is held, then closed without a byte; and those that come late.

Whoever brings a message to a phone whose number asks for one of these says so with `ask_for`, and whoever answers the
request looks at `asked_for`: between the two lies the provider's own code, which knows nothing of it.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from threading import Event, Semaphore

HOLD_SECONDS = 60.0
LATE, NEVER = "0408", "0504"
"""Endings of numbers."""
asked_for: ContextVar[str] = ContextVar("asked_for", default="")


def ask_for(number: str) -> None:
    """Remember, for the request that this thread is answering, that a message went to such a number."""
    if number[-4:] in (LATE, NEVER):
        asked_for.set(number[-4:])


class NeverAnswered(ConnectionError):
    """The server must close this connection without a reply."""


class Silence(Iterator[bytes]):
    """A reply that never comes: waits, then ends the connection before its first byte."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self._wait = wait

    def __next__(self) -> bytes:
        """Wait, then raise NeverAnswered."""
        self._wait()
        raise NeverAnswered


def at_once() -> None:
    """Wait for nothing."""


def held(places: Semaphore, stopping: Event) -> Silence:
    """Hold a connection for a minute, or until the process stops; with no place left, cut it now."""
    if not places.acquire(blocking=False):
        return Silence(at_once)

    def wait() -> None:
        try:
            stopping.wait(HOLD_SECONDS)
        finally:
            places.release()

    return Silence(wait)
