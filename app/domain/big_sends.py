"""A large send goes only when somebody has typed how many people get it."""

from typing import Final

NEAR_PERCENT: Final = 1
"""Lists grow and shrink while somebody reads: so far off may be what they were shown."""


def is_big(people: int, threshold: int) -> bool:
    """Tell whether the number is asked for; a `threshold` of 0 never asks."""
    return 0 < threshold <= people


def is_near(number: int, people: int) -> bool:
    """Tell whether a number that was seen a moment ago is still about that of the people there are."""
    return abs(number - people) * 100 <= people * NEAR_PERCENT


def is_typed(typed: str, people: int, shown: int | None = None) -> bool:
    """Tell whether the number `shown` was typed, and is near to the `people` there are; separators do not matter.

    Without `shown` it is the number of the people there are now.
    """
    wanted = people if shown is None else shown
    return "".join(filter(str.isdecimal, typed)) == str(wanted) and is_near(wanted, people)
