"""Group commit: what several threads bring at the same time is written by one of them, in one transaction."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(eq=False)
class _Ticket(Generic[Item]):
    """One item on its way, and what became of it."""

    item: Item
    done: bool = False
    error: Exception | None = None


class GroupCommit(Generic[Item]):
    """Calls `write(items)` for everybody who waits; `add` returns when the caller's own item is written.

    Whoever comes while a group is being written forms the next one, so groups grow with the load by themselves and a
    lone caller waits for nobody. When `write` raises, each item of the group is tried alone, so that one bad item fails
    nobody else: `write` may be given an item twice.
    """

    def __init__(self, write: Callable[[Sequence[Item]], object], limit: int = 500) -> None:
        self._write, self._limit = write, limit
        self._waiting: list[_Ticket[Item]] = []
        self._door = threading.Lock()  # guards the list, for moments
        self._turn = threading.Lock()  # held by the one who writes

    def add(self, item: Item) -> None:
        """Write `item`, together with others if there are any; raises what `write` raised for it."""
        ticket = _Ticket(item)
        with self._door:
            self._waiting.append(ticket)
        with self._turn:
            while not ticket.done:  # another may have written it while we waited for the turn
                self._write_group()
        if ticket.error is not None:
            raise ticket.error

    def _write_group(self) -> None:
        with self._door:
            group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
        try:
            self._write([ticket.item for ticket in group])
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
            else:
                self._write_alone(group)
        for ticket in group:
            ticket.done = True

    def _write_alone(self, group: Sequence[_Ticket[Item]]) -> None:
        for ticket in group:
            try:
                self._write([ticket.item])
            except Exception as error:  # raised again in the thread that brought the item
                ticket.error = error
