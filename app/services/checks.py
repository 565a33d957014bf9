"""What the doctor's checks come to."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check went: `warn` works but wants attention, `fail` does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, how it is, and what to do unless it is well."""

    name: str
    health: Health
    found: str
    advice: str = ""
