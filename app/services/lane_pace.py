"""How fast one lane may go: what it asks the shared throttle for, what it gives back, and who rests meanwhile."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, SendError
from app.domain.pace import Ask, Grant, PairLimit, Shared

OWN_PACE: Final = "own_pace"
"""The code of an error that no provider gave: we held a message up ourselves, for its person had one just now."""
RESTED: Final = "rested"
"""The word under which those are counted."""


class Throttle(Protocol):
    """Permits of senders, shared by all workers."""

    def take(self, ask: Ask) -> Grant:
        """Return how many of these messages may leave now, or seconds to wait when none may."""

    def pause(self, sender_id: int, seconds: float) -> None:
        """Let nothing out at this sender for a while."""


class LanePace:
    """The limits of one sender, for one worker."""

    def __init__(
        self,
        throttle: Throttle,
        sender_id: int,
        rate: float,
        shared: Sequence[Shared],
        pair: PairLimit | None,
    ) -> None:
        self._throttle, self._sender_id, self._rate = throttle, sender_id, rate
        self._shared, self._pair = tuple(shared), pair
        self._back = 0
        self._used = 0

    @property
    def rate(self) -> float:
        """The highest rate at which this lane can go."""
        return min([self._rate, *(one.rate for one in self._shared)])

    def ask(self, costs: Sequence[int], people: Sequence[int] = ()) -> Grant:
        """Ask for permits; `people` are the subscribers, where the provider's limit of each of them counts."""
        return self._take(costs, people, must=False)

    def answer(self, people: Sequence[int]) -> Mapping[int, float]:
        """Take permits for answers, which do not wait for any; returns who has to rest all the same, by place."""
        return self._take([1] * len(people), people, must=True).rests

    def rests(self, people: Sequence[int]) -> Mapping[int, float]:
        """Tell who of those that have their permits has to rest, by place."""
        return self._take([0] * len(people), people, must=True).rests if self._pair else {}

    def give_back(self, units: int) -> None:
        """Give permits back that nobody used; with the next question, so that it costs none of its own."""
        self._back += units
        self._used -= units

    def pause(self, seconds: float) -> None:
        """Let nothing out for a while, by any worker."""
        self._throttle.pause(self._sender_id, seconds)

    def counted(self) -> int:
        """Return the units used since this was asked last; what was given back is set against those that follow."""
        used = max(0, self._used)
        self._used -= used
        return used

    def close(self) -> None:
        """Give back what was left."""
        if self._back:
            self._take([], (), must=False)

    def _take(self, costs: Sequence[int], people: Sequence[int], *, must: bool) -> Grant:
        pair = self._pair if people else None
        back, self._back = self._back, 0
        grant = self._throttle.take(
            Ask(self._sender_id, self._rate, costs, self._shared, people if pair else (), pair, back, must)
        )
        self._used += sum(cost for at, cost in enumerate(costs[: grant.count]) if at not in grant.rests)
        return grant


def resting(ref: DeliveryRef, seconds: float) -> Outcome:
    """Return what is written of a delivery that waits for its person's own limit: this person alone, and no attempt."""
    return Outcome(ref, error=SendError(ErrorKind.PAIR_LIMITED, OWN_PACE, retry_after=seconds))
