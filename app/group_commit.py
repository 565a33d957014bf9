"""Group commit: what several threads bring at the same time is written by one of them, in one transaction."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
_LOOK_AGAIN = 0.0005


class _Ticket(Generic[Item]):
    """One item on its way, what became of it, and the lock that its thread waits at."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.error: Exception | None = None
        self.news = threading.Lock()
        self.news.acquire()


class GroupCommit(Generic[Item]):
    """Calls `write(items)` for everybody who waits; `add` returns when the caller's own item is written.

    Whoever comes while a group is being written forms the next one, so groups grow with the load by themselves and a
    lone caller waits for nobody. The first of a group writes it; each of the others sleeps at a lock of its own, and
    wakes once. When `write` raises, each item of the group is tried alone, so that one bad item fails nobody else:
    `write` may be given an item twice.

    Where a group costs much and one more item little, `company` is worth it: for so many seconds at most, a group waits
    for those who were answered a moment ago and are likely to come again, as a provider's connections do. Otherwise a
    crowd falls apart into two halves that take turns. Whoever comes after a lone one waits for nobody, as before.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], object], limit: int = 500, company: float = 0.0
    ) -> None:
        self._write, self._limit, self._company = write, limit, company
        self._crowd = self._written = 0
        self._waiting: list[_Ticket[Item]] = []
        self._door = threading.Lock()  # guards the list and the next line, for moments
        self._someone_writes = False

    def add(self, item: Item) -> None:
        """Write `item`, together with others if there are any; raises what `write` raised for it."""
        ticket = _Ticket(item)
        with self._door:
            self._waiting.append(ticket)
            my_turn, self._someone_writes = not self._someone_writes, True
        if not my_turn:
            ticket.news.acquire()
        if not ticket.done:
            try:
                self._write_group()
            finally:
                self._pass_on()
        if ticket.error is not None:
            raise ticket.error

    def _write_group(self) -> None:
        """Write the oldest who wait; the one whose turn it is is among them."""
        self._gather()
        with self._door:
            group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            self._written = len(group)
        try:
            self._write_or_note(group)
        except BaseException:
            for ticket in group:  # the writing thread is being ended: nobody else waits for it for ever
                ticket.error = RuntimeError("The thread that wrote for several was ended.")
            raise
        finally:
            for ticket in group:
                ticket.done = True
                ticket.news.release()

    def _gather(self) -> None:
        """Wait a moment until as many are here as there were lately."""
        until = time.monotonic() + self._company
        while 1 < self._crowd > len(self._waiting) and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN)

    def _write_or_note(self, group: Sequence[_Ticket[Item]]) -> None:
        try:
            self._write([ticket.item for ticket in group])
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
            else:
                self._write_alone(group)

    def _pass_on(self) -> None:
        """Give the turn to the first of those who came meanwhile."""
        with self._door:
            self._crowd = min(len(self._waiting) + self._written, self._limit)
            if self._waiting:
                self._waiting[0].news.release()
            else:
                self._someone_writes = False

    def _write_alone(self, group: Sequence[_Ticket[Item]]) -> None:
        for ticket in group:
            try:
                self._write([ticket.item])
            except Exception as error:  # raised again in the thread that brought the item
                ticket.error = error
