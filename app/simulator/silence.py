"""Answers that never come: the connection is held, then closed without a byte."""

from collections.abc import Callable, Iterator
from threading import Event, Semaphore

HOLD_SECONDS = 60.0


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
