"""Figures that can be added: of one broadcast, of a day of broadcasts, of a list, of a channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

MICROS: Final = 1_000_000


@dataclass(frozen=True)
class Sums:
    """Counts of people, and what the messages cost.

    `sent_to` = delivered + open + failed + unknown: whom it was handed over for; `open` has no receipt yet.
    `receipted` are those of `sent_to` whose platform tells of the delivery. `read`
    opened it, of the `tells` who got it on channels that tell so. `left`, `answered`: within three days, it being the
    last that they had. `clicks`: how often links were opened. `parts` are
    those that a provider took, and `cost` is in millionths by currency; it leaves out senders without a price.
    """

    broadcasts: int = 0
    audience: int = 0
    sent_to: int = 0
    receipted: int = 0
    delivered: int = 0
    tells: int = 0
    read: int = 0
    open: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    left: int = 0
    answered: int = 0
    clicks: int = 0
    parts: int = 0
    cost: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Sums") -> "Sums":
        counts = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        costs = {
            name: self.cost.get(name, 0) + other.cost.get(name, 0) for name in {**self.cost, **other.cost}
        }
        return Sums(**counts, cost=costs)

    @property
    def money(self) -> str:
        """`12.30 EUR + 3.10 USD`; "" where no price is known."""
        return money(self.cost)

    def share(self, name: str, of: str = "sent_to") -> float | None:
        """Return a count in per cent of another; None of nobody."""
        whole = getattr(self, of)
        return 100 * getattr(self, name) / whole if whole else None


_COUNTS: Final = tuple(one.name for one in fields(Sums) if one.name != "cost")


def money(cost: Mapping[str, int]) -> str:
    """Write millionths by currency: `12.30 EUR + 3.10 USD`; "" where no price is known."""
    return " + ".join(f"{micros / MICROS:.2f} {name}" for name, micros in sorted(cost.items()))


def total(sums: Iterable[Sums]) -> Sums:
    """Add up."""
    first, *others = [*sums] or [Sums()]
    return sum(others, first)


def tenths(percent: float) -> float:
    """Round to one decimal, but nearly all is not all: 100 is said of everybody alone."""
    return min(round(percent, 1), 99.9) if percent < 100 else round(percent, 1)
