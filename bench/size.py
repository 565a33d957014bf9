"""How large a scenario is run."""

from enum import StrEnum


class Size(StrEnum):
    """SMOKE takes seconds, NORMAL about a minute, FULL as long as it takes."""

    SMOKE = "smoke"
    NORMAL = "normal"
    FULL = "full"
