"""When a broadcast stops by itself: a jump of opt-outs, blocks or failures since it began or was let go on."""

import re
from dataclasses import asdict, dataclass, fields
from typing import Final

_SETTING: Final = re.compile(r"\s*(failures|optouts|blocks)\s*=\s*(\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Sample:
    """What came of a broadcast so far, in people.

    `taken`: the provider took it; `failed` for good; `optouts`: those who had it and left in words or by a button;
    `blocks`: those who blocked us, or had opted out at the provider. `refused`: those who failed as the provider
    refused the text.
    """

    taken: int = 0
    failed: int = 0
    optouts: int = 0
    blocks: int = 0
    refused: int = 0

    def since(self, base: "Sample") -> "Sample":
        """Return what came after `base`; a receipt may have moved somebody from one count to another."""
        pairs = [(one.name, getattr(self, one.name) - getattr(base, one.name)) for one in fields(self)]
        return Sample(**{name: max(0, count) for name, count in pairs})

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as they are stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Brakes:
    """Per cent of those handed over at which a broadcast stops; 0 never stops it."""

    failures: float = 20.0
    optouts: float = 3.0
    blocks: float = 3.0

    @classmethod
    def parse(cls, text: str) -> "Brakes":
        """Read `failures=20, optouts=3, blocks=3`; what is not named keeps its default. Raises ValueError."""
        found: dict[str, float] = {}
        for part in text.split(","):
            if not part.strip():
                continue
            match = _SETTING.fullmatch(part)
            if match is None or float(match[2]) > 100:
                raise ValueError("must be per cent by name, such as failures=20, optouts=3, blocks=3")
            found[match[1]] = float(match[2])
        return cls(**found)


# Fewer people than these are no jump: of the first ten, one who leaves would be ten per cent.
_LEAST: Final = {"failures": 20, "optouts": 10, "blocks": 10}

# A text that is refused for one is refused for all, whoever they are; a provider's filter may err about a few.
_LEAST_REFUSED: Final = 5


def pulled(seen: Sample, brakes: Brakes) -> str | None:
    """Say in words why a broadcast of which `seen` came must stop; None: it may go on."""
    handed_over = seen.taken + seen.failed
    share = 100 * seen.refused / handed_over if handed_over else 0.0
    if brakes.failures and seen.refused >= _LEAST_REFUSED and share >= brakes.failures:
        return (
            f"Stopped by itself: the provider refused the text for {seen.refused} of {handed_over} people. "
            "It will for the rest, too: look at the text, and at the template if it has one."
        )
    for name, count, limit, what in (
        ("failures", seen.failed, brakes.failures, "could not be reached"),
        ("blocks", seen.blocks, brakes.blocks, "have blocked us"),
        ("optouts", seen.optouts, brakes.optouts, "have opted out"),
    ):
        share = 100 * count / handed_over if handed_over else 0.0
        if limit and count >= _LEAST[name] and share >= limit:
            return (
                f"Stopped by itself: {count} of {handed_over} people {what}, "
                f"{share:.1f} per cent; the limit is {limit:g}."
            )
    return None
