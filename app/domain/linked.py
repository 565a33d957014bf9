"""One person on several channels: on which of them a broadcast reaches them, so that they get it once and not twice.

It goes to the channel that they chose last, of those where the gate lets it through. Another channel takes over only
when that one has definitely failed; never while it may have arrived.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from app.domain.statuses import DeliveryStatus, SkipReason

# What is on its way, has arrived, or may have.
TAKEN: Final = frozenset(
    {
        DeliveryStatus.PENDING,
        DeliveryStatus.HANDING_OVER,
        DeliveryStatus.SENT,
        DeliveryStatus.DELIVERED,
        DeliveryStatus.UNKNOWN,
    }
)
# The moment or the editor forbade it: that holds for the person, whatever the channel.
_OF_THE_PERSON: Final = frozenset(
    {
        SkipReason.QUIET_HOURS,
        SkipReason.FREQUENCY_CAP,
        SkipReason.EXPIRED,
        SkipReason.CANCELED,
    }
)


@dataclass(frozen=True)
class Linked:
    """One of a person's addresses and a broadcast: whether the gate lets it through now, and what became of it so far.

    `status` is None while its slice has not been claimed.
    """

    subscriber_id: int
    person_id: int
    chosen_at: datetime
    open: bool
    status: DeliveryStatus | None = None
    reason: str | None = None

    @property
    def settles_it(self) -> bool:
        """Tell whether the person needs no other copy, or shall have none."""
        if self.status is DeliveryStatus.SKIPPED:
            return self.reason in _OF_THE_PERSON
        return self.status in TAKEN

    @property
    def stood_back(self) -> bool:
        """Tell whether it was left out for another channel's sake."""
        return self.status is DeliveryStatus.SKIPPED and self.reason == SkipReason.OTHER_CHANNEL


def passed_over(people: Iterable[Linked]) -> set[int]:
    """Return the subscribers, of those not claimed yet, who stand back for another channel of the same person."""
    found: set[int] = set()
    for _, group in groupby(sorted(people, key=lambda one: one.person_id), key=lambda one: one.person_id):
        found |= _stand_back(list(group))
    return found


def _stand_back(addresses: Sequence[Linked]) -> set[int]:
    fresh = [one for one in addresses if one.status is None]
    if any(one.settles_it for one in addresses):
        return {one.subscriber_id for one in fresh}
    # Whom the gate refuses anyway is refused for the gate's reason.
    able = in_order(one for one in fresh if one.open)
    return {one.subscriber_id for one in able[1:]}


def next_channels(addresses: Iterable[Linked]) -> list[Linked]:
    """Return which addresses may take over after a failure, the one to try first at the front; none: nobody may."""
    addresses = list(addresses)
    if any(one.settles_it for one in addresses):
        return []
    return in_order(one for one in addresses if one.stood_back)


def to_strike(addresses: Iterable[Linked]) -> set[int]:
    """Return whose copy has to stay here when addresses are linked while a broadcast is on its way to several of them.

    Who has it, or may have it, keeps it; of those who only wait, the one chosen last.
    """
    taken = [one for one in addresses if one.status in TAKEN]
    waiting = in_order(one for one in taken if one.status is DeliveryStatus.PENDING)
    keeps_one = len(waiting) == len(taken)
    return {one.subscriber_id for one in (waiting[1:] if keeps_one else waiting)}


def in_order(addresses: Iterable[Linked]) -> list[Linked]:
    """Sort by what the person chose last."""
    return sorted(addresses, key=lambda one: (one.chosen_at, one.subscriber_id), reverse=True)
