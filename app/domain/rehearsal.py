"""A rehearsal of a broadcast: which faults the stand-in provider has, and what the report says afterwards."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

_MOST_SLOW_MS: Final = 2000


class BadFaults(ValueError):
    """These are no faults; the message says what is wrong and shows right ones."""


@dataclass(frozen=True)
class Faults:
    """Shares of the requests in per cent, and milliseconds before each answer.

    `throttle`: refused with 429 and a second to wait. `errors`: refused with 503. `cut`: the connection ends and
    nothing was taken. `lost`: taken, and the connection ends before the answer. `slow`: the milliseconds.
    """

    throttle: float = 3
    errors: float = 3
    cut: float = 1
    lost: float = 1
    slow: float = 5

    @classmethod
    def parse(cls, written: str) -> "Faults":
        """Read "throttle=5, errors=2, slow=20"; what is not named stays as it is by default. Raises `BadFaults`."""
        names = [one.name for one in fields(cls)]
        values: dict[str, float] = {}
        for part in filter(None, (one.strip() for one in written.split(","))):
            name, _, number = (piece.strip() for piece in part.partition("="))
            if name not in names:
                raise BadFaults(
                    f"“{name}” is no fault; there are {', '.join(names)}. Example: errors=5, slow=20"
                )
            if not number.replace(".", "", 1).isdecimal():
                raise BadFaults(f"“{number}” is no number for {name}. Example: errors=5, slow=20")
            values[name] = float(number)
        faults = cls(**values)
        if faults.throttle + faults.errors + faults.cut + faults.lost > 50 or faults.slow > _MOST_SLOW_MS:
            raise BadFaults(
                f"The faults are at most 50 per cent together, and an answer at most {_MOST_SLOW_MS} ms late."
            )
        return faults

    def for_simulator(self) -> dict[str, float]:
        """Return them as the simulator's control API takes them."""
        return {
            "throttle_rate": self.throttle / 100,
            "error_rate": self.errors / 100,
            "drop_rate": self.cut / 100,
            "lost_reply_rate": self.lost / 100,
            "latency_ms": self.slow,
        }


@dataclass(frozen=True)
class Report:
    """What a rehearsal found. Counts are people; `audience` is the whole, of whom `people` were rehearsed.

    `doubles` got more than one copy, `losses` none although the books say that they did, or the books say nothing of
    them. `unknown` left without an answer, as the books say; `unknown_arrived` of these were taken all the same.
    `skipped` and `failed` are by reason. `tries` are hand-overs, `refused` answers of the provider by code.
    `took` are the rehearsal's own seconds; `would_take` those at the senders' pace for the whole audience.
    `finished`: nobody waited any more when it ended. `last_at` is when the last one would go, for those who wait for a
    morning; "" when nobody does. `parts` of SMS and `files` beside texts arrived, reckoned for the whole audience.
    """

    audience: int
    people: int
    doubles: int
    losses: int
    sent: int
    unknown: int
    unknown_arrived: int
    waiting: int
    tries: int
    took: float
    would_take: float
    finished: bool
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    last_at: str = ""
    parts: int = 0
    files: int = 0

    @property
    def passed(self) -> bool:
        """Nobody twice, nobody lost, and an end."""
        return self.finished and not self.doubles and not self.losses

    @property
    def is_sample(self) -> bool:
        """Whether only a part of the audience was rehearsed."""
        return self.people < self.audience

    def as_json(self) -> dict[str, Any]:
        """Return it for a column of the database."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Report":
        """Read it back."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})
