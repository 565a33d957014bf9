"""Remembers what came in until the centre surely has our answer, so that a repeated unit is known again.

A centre sends again what was not answered, under another sequence number and perhaps in another session. A person who
texts the same words twice sends the same bytes, too. So equal bytes are a repeat only while we have not answered,
or when a session broke before the centre proved, by the answer to a later question of ours, that it had read ours.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.gateways.smpp_joining import Joining

REPEAT_SECONDS: Final = 600.0
"""How long after a session a repeat is expected."""
ANSWER_SECONDS: Final = 90.0
"""How long what came in may wait for us before the centre is told to try again later."""


@dataclass
class Memory:
    """What outlives a session: parts of texts, and what the centre may send again."""

    joining: Joining = field(default_factory=Joining)
    repeats: dict[bytes, str] = field(default_factory=dict)
    until: float = 0.0


class _Open(NamedTuple):
    print: bytes
    number: str
    until: float


class Inbox:
    """What came in during one session and wants an answer."""

    def __init__(self, memory: Memory, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory, self._clock = memory, clock
        self._session, self._count = secrets.token_hex(8), 0
        self._open: dict[int, _Open] = {}
        self._prints: dict[bytes, str] = {}
        self._answered: dict[bytes, str] = {}
        self._asked: dict[bytes, str] = {}

    def number(self) -> str:
        """Return a name for something that came in, which nothing else will ever have."""
        self._count += 1
        return f"{self._session}:{self._count}"

    def take_report(self, sequence: int) -> str:
        """Note a report: a repeated one changes nothing, so none is remembered."""
        return self._note(sequence, b"", self.number())

    def take(self, sequence: int, body: bytes) -> tuple[str, bool]:
        """Note a text; returns its name, which a repeat has from what it repeats, and whether it is one."""
        print_ = hashlib.sha256(body).digest()
        earlier = self._prints.get(print_) or self._from_last_session(print_)
        return self._note(sequence, print_, earlier or self.number()), earlier is not None

    def _note(self, sequence: int, print_: bytes, number: str) -> str:
        self._open[sequence] = _Open(print_, number, self._clock() + ANSWER_SECONDS)
        if print_:
            self._prints[print_] = number
        return number

    def _from_last_session(self, print_: bytes) -> str | None:
        found = self._memory.repeats.pop(print_, None)
        return found if self._clock() < self._memory.until else None

    def answered(self, sequence: int) -> bool:
        """Note that a unit is being answered; tells whether it waited for that."""
        one = self._open.pop(sequence, None)
        if one is not None and one.print:
            self._prints.pop(one.print, None)
            self._answered[one.print] = one.number
        return one is not None

    def forgotten(self) -> list[int]:
        """Return the units that nobody will answer any more."""
        found = [sequence for sequence, one in self._open.items() if one.until < self._clock()]
        for sequence in found:
            self._prints.pop(self._open.pop(sequence).print, None)
        return found

    def asking(self) -> None:
        """A question to the centre leaves: whoever answers it has read all answers of ours before."""
        self._asked |= self._answered
        self._answered = {}

    def proven(self) -> None:
        """The centre answered that question."""
        self._asked = {}

    def end(self) -> None:
        """The session is over: keep what the centre may send again in the next."""
        repeats = self._asked | self._answered | self._prints
        if self._clock() < self._memory.until:
            repeats = self._memory.repeats | repeats
        self._memory.repeats, self._memory.until = repeats, self._clock() + REPEAT_SECONDS
