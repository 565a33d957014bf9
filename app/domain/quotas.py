"""How many broadcasts a platform takes in a calendar day or month, and when the next may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class Period(StrEnum):
    """Over what a quota counts, on the platform's own calendar."""

    DAY = "day"
    MONTH = "month"


class Holder(StrEnum):
    """Whose quota it is: that of each person, whatever the others got, or that of the sender for all of them."""

    PERSON = "person"
    SENDER = "sender"


@dataclass(frozen=True)
class Quota:
    """`count` broadcasts in a `period` of the calendar in `zone`; one of them reaches `people` at most.

    Where the holder is the sender, one broadcast is one request: one text, for at most `people`, at one moment.
    """

    count: int
    period: Period
    holder: Holder
    people: int
    zone: str

    def span(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the first moment of the period that `at` lies in, and that of the next period."""
        zone = ZoneInfo(self.zone)
        start = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period is Period.DAY:
            return start, start + timedelta(days=1)
        start = start.replace(day=1)
        return start, (start + timedelta(days=32)).replace(day=1)


# What editors and the gate are told, by the gateway's name; the contract test holds each gateway to it. WeChat's rules
# are those of developers.weixin.qq.com, "Batch sends": a service account's follower gets at most four a calendar month,
# a subscription account has one mass send a day. A call takes 10,000 followers.
QUOTAS: Final[Mapping[str, Quota]] = {
    "wechat": Quota(4, Period.MONTH, Holder.PERSON, 10_000, "Asia/Shanghai"),
    "wechat_subscription": Quota(1, Period.DAY, Holder.SENDER, 10_000, "Asia/Shanghai"),
}
