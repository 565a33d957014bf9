"""Whether somebody may be asked to confirm a sign-up: one question, no way around a STOP (consent.md 2.7)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.consent import Overlay, Overlays, Standing, SubscriptionState

# Questions to one address in 30 days, whatever list: a stranger's number must not be bombed with them.
MOST_QUESTIONS: Final = 3
QUESTIONS_PERIOD: Final = timedelta(days=30)
# So long after a STOP a form that the person filled in may lead to one question more (3.2, row 18).
REST_AFTER_STOP: Final = timedelta(days=30)
# Who acted so lately is awake and waits for the question: quiet hours do not hold it back (4.1).
ACTED_LATELY: Final = timedelta(minutes=10)


class Who(StrEnum):
    """By which way the wish reached us."""

    FORM = "form"
    OPERATOR = "operator"
    IMPORT = "import"
    # No wish of the person: we changed what the list is for, and ask who is on it (3.2, row 39).
    CHANGE = "change"


class WhyNot(StrEnum):
    """Why nobody is asked. The person at a web form is told none of these: it would tell who is subscribed."""

    SUPPRESSED = "suppressed"
    UNREACHABLE = "unreachable"
    HELD = "held"
    SUBSCRIBED = "subscribed"
    ASKED = "asked"
    STOPPED = "stopped"
    STALE = "stale"
    NOT_ON_IT = "not_on_it"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True)
class Known:
    """What we know of one address and one list.

    `suppressed` is what the suppression list says; `questions` counts those of the last 30 days, on any list;
    `asked_here_at` is the newest question about this list, `asked_at` the newest about any.
    """

    standing: Standing = field(default_factory=Standing)
    overlays: Overlays = field(default_factory=Overlays)
    suppressed: bool = False
    questions: int = 0
    asked_here_at: datetime | None = None
    asked_at: datetime | None = None


def why_not(known: Known, who: Who, now: datetime) -> WhyNot | None:
    """Return the first reason against asking, or None: then one question may go out."""
    standing, present = known.standing, known.overlays.present
    if known.suppressed or Overlay.SUPPRESSED in present or Overlay.ERASED in present:
        return WhyNot.SUPPRESSED
    if Overlay.BLOCKED in present or Overlay.BOUNCED in present:
        return WhyNot.UNREACHABLE
    if Overlay.REVIEW_HOLD in present:
        return WhyNot.HELD
    on_it = standing.state in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    if who is Who.CHANGE and not on_it:
        return WhyNot.NOT_ON_IT
    if who is not Who.CHANGE and on_it:
        return WhyNot.SUBSCRIBED
    if standing.expires_at is not None and standing.expires_at >= now:
        return WhyNot.ASKED
    if standing.state is SubscriptionState.STALE and who is not Who.FORM:
        return WhyNot.STALE
    if _stop_stands(known, who, now):
        return WhyNot.STOPPED
    return WhyNot.TOO_OFTEN if known.questions >= MOST_QUESTIONS else None


def left_at(known: Known) -> datetime | None:
    """Return when the person last left this list or everything, unless they came back since."""
    moments = [at for at in (known.standing.stopped_at, known.overlays.last_stop_at) if at is not None]
    left, back = max(moments, default=None), known.standing.granted_at
    stays = known.standing.state is SubscriptionState.STOPPED
    return left if stays or left is None or back is None or back <= left else None


def _stop_stands(known: Known, who: Who, now: datetime) -> bool:
    """Only the person undoes a STOP: by the form once, and not before thirty days have passed."""
    left = left_at(known)
    if left is None:
        return False
    asked = known.asked_at if left == known.overlays.last_stop_at else known.asked_here_at
    asked_since = asked is not None and asked > left
    return who is not Who.FORM or asked_since or now - left <= REST_AFTER_STOP
