"""When a platform's list of followers is believed, and what readings come to."""

from enum import StrEnum
from typing import Final

LEAST: Final = 50
MOST_PER_CENT: Final = 20


class Outcome(StrEnum):
    """What became of the newest reading.

    READ: those who were not among the followers have left. HELD: so many were not that nothing was changed. REFUSED:
    the platform shows this account no such list. FAILED: it could not be read to its end.
    """

    READ = "read"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"


def is_plausible(followers: int, ours: int, missing: int) -> bool:
    """Tell whether `missing` of `ours` may have left a sender that has so many followers.

    An empty list is more likely a fault than the end of everybody's patience; so is a fifth of fifty people in a night.
    """
    if not missing:
        return True
    return followers > 0 and (ours < LEAST or missing * 100 <= ours * MOST_PER_CENT)
