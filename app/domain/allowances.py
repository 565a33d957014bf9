"""What a provider says that a sender may still send: so many messages a month, or so many people in a moving day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(hours=24)


class Span(StrEnum):
    """Over what an allowance counts.

    MONTH: messages in a calendar month of the platform. MOVING_DAY: different people in any 24 hours, to whom the
    sender writes first; whoever wrote to it less than 24 hours ago does not count.
    """

    MONTH = "month"
    MOVING_DAY = "moving_day"


class Standing(StrEnum):
    """What people's reactions do to a sender in its platform's eyes; UNKNOWN where it does not tell."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = ""


@dataclass(frozen=True)
class Allowance:
    """`most` in a `span`; None: no limit. `used` is what the provider counted; None where it tells no such number.

    `zone` is where the platform's calendar month begins at midnight.
    """

    span: Span
    most: int | None
    used: int | None = None
    zone: str = "UTC"
    standing: Standing = Standing.UNKNOWN

    def resets_at(self, told_at: datetime) -> datetime | None:
        """Return when the month that it was told in ends; None for a moving day, which never starts anew."""
        if self.span is not Span.MONTH:
            return None
        start = told_at.astimezone(ZoneInfo(self.zone))
        start = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (start + timedelta(days=32)).replace(day=1)
