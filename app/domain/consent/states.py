"""The states of a subscription, and the overlays of a person that win over all of them (consent.md 3.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.consent.events import Act

QUESTION_OPEN_FOR: Final = timedelta(hours=72)
# A consent that was not used for so long has run out; two years, as German courts are likely to see it.
STALE_AFTER: Final = timedelta(days=730)


class SubscriptionState(StrEnum):
    """State of one subscriber on one list. Only ACTIVE may be sent broadcasts."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    STALE = "stale"


class Overlay(StrEnum):
    """What forbids every broadcast to a person, whatever the lists say; in the order in which the gate names them."""

    ERASED = "erased"
    SUPPRESSED = "suppressed"
    BLOCKED = "blocked"
    BOUNCED = "bounced"
    REVIEW_HOLD = "review_hold"


@dataclass(frozen=True)
class Standing:
    """Present state of one subscription and the entries that made it so.

    `granted_seq` is the grant in force, or the last one; `active_seq` the entry since which the subscription has
    been active without a break. `stopped_at` stays after a new grant. `requested_seq` is the open question, which
    a person who stopped may have, too: the state is then STOPPED until the answer.
    """

    state: SubscriptionState = SubscriptionState.UNKNOWN
    granted_seq: int | None = None
    granted_at: datetime | None = None
    active_seq: int | None = None
    stopped_seq: int | None = None
    stopped_at: datetime | None = None
    stopped_act: Act | None = None
    requested_seq: int | None = None
    requested_at: datetime | None = None
    expires_at: datetime | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True)
class Overlays:
    """What holds for all lists of one person. Each moment tells since when, None that it does not hold.

    `review_due_at` is when an undecided review counts as STOP; `last_stop_at` the last time that the person left
    everything, also one who was on no list: an older consent that reaches us later opens nothing.
    """

    erased_at: datetime | None = None
    suppressed_at: datetime | None = None
    blocked_at: datetime | None = None
    bounced_at: datetime | None = None
    review_opened_at: datetime | None = None
    review_due_at: datetime | None = None
    last_stop_at: datetime | None = None

    @property
    def present(self) -> dict[Overlay, datetime]:
        """Return the overlays that hold, each with since when."""
        moments = {
            Overlay.ERASED: self.erased_at,
            Overlay.SUPPRESSED: self.suppressed_at,
            Overlay.BLOCKED: self.blocked_at,
            Overlay.BOUNCED: self.bounced_at,
            Overlay.REVIEW_HOLD: self.review_opened_at,
        }
        return {name: at for name, at in moments.items() if at is not None}
