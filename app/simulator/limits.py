"""Rates and planned faults: how fast the provider takes messages, and how often it misbehaves on purpose."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import accumulate
from threading import Event, Lock
from typing import Literal, TypeAlias


class BadFaults(ValueError):
    """A description of faults cannot be used; the text says which field and why."""


class TokenBuckets:
    """One token bucket for each sender number, holding at most one second's worth of messages."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def take(self, number: str, rate: float, at: float) -> float:
        """Take one token at `at` (monotonic seconds); return 0, or the seconds until there is one again."""
        size = max(1.0, rate)
        with self._lock:
            level, since = self._levels.get(number, (size, at))
            level = min(size, level + (at - since) * rate)
            taken = level >= 1.0
            self._levels[number] = (level - 1.0 if taken else level, at)
        return 0.0 if taken else (1.0 - level) / rate

    def reset(self) -> None:
        """Fill every bucket."""
        with self._lock:
            self._levels.clear()


@dataclass(frozen=True, slots=True)
class Faults:
    """How the provider misbehaves. Rates are shares of the requests between 0 and 1; `seed` makes them repeat.

    `error_rate`: answered 503, not accepted. `throttle_rate`: answered 429 with a second to wait, not accepted.
    `drop_rate`: connection cut, not accepted. `lost_reply_rate`: accepted, then the connection is cut. `latency_ms`:
    wait before each answer.
    """

    latency_ms: float = 0.0
    error_rate: float = 0.0
    drop_rate: float = 0.0
    lost_reply_rate: float = 0.0
    throttle_rate: float = 0.0
    seed: int = 0

    @property
    def rates(self) -> tuple[float, ...]:
        """The shares, one for each fate but the ordinary one."""
        return (self.error_rate, self.drop_rate, self.lost_reply_rate, self.throttle_rate)


Fate: TypeAlias = Literal["serve", "error", "drop", "lose_reply", "throttle"]
_FATES: tuple[Fate, ...] = ("error", "drop", "lose_reply", "throttle")


class FaultPlan:
    """Draws the fate of each request from a seeded generator."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.plan(Faults())

    def plan(self, faults: Faults) -> None:
        """Misbehave like this from the next request on."""
        with self._lock:
            self.faults = faults
            self._random = random.Random(faults.seed)  # noqa: S311 (a repeatable test, not a secret)

    def draw(self) -> Fate:
        """Return what becomes of the next request."""
        rates = self.faults.rates
        if not any(rates):
            return "serve"
        with self._lock:
            number = self._random.random()
        for fate, until in zip(_FATES, accumulate(rates), strict=True):
            if number < until:
                return fate
        return "serve"

    def wait(self, stopping: Event) -> None:
        """Take as long as every answer takes now, unless the process stops."""
        if self.faults.latency_ms:
            stopping.wait(self.faults.latency_ms / 1000)

    def as_json(self) -> dict[str, float]:
        """Return the present plan with its field names."""
        return asdict(self.faults)


def read_faults(data: Mapping[str, object]) -> Faults:
    """Return the faults that a JSON object describes, or raise BadFaults saying what is wrong."""
    names = [each.name for each in fields(Faults)]
    values: dict[str, float] = {}
    for name, value in data.items():
        if name not in names:
            raise BadFaults(f"{name}: is not known; use {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 60_000_000:
            raise BadFaults(f"{name}: must be a number, 0 or more")
        values[name] = value
    faults = Faults(
        values.get("latency_ms", 0.0),
        values.get("error_rate", 0.0),
        values.get("drop_rate", 0.0),
        values.get("lost_reply_rate", 0.0),
        values.get("throttle_rate", 0.0),
        int(values.get("seed", 0)),
    )
    if sum(faults.rates) > 1:
        raise BadFaults(
            "error_rate, drop_rate, lost_reply_rate and throttle_rate together must not be more than 1"
        )
    if faults.latency_ms > 60_000:
        raise BadFaults("latency_ms: must be at most 60000 (one minute)")
    return faults
