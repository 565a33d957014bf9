"""How long each kind of personal data is kept, from when on, and why: the table that timers and reports read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Kept(StrEnum):
    """What is kept for a while."""

    MESSAGES = "messages"  # the words that people text us
    REPLIES = "replies"  # the words that we answered
    INBOX = "inbox"  # what readers find in the inbox on a site's pages
    REPEATS = "repeats"  # the provider's numbers of an erased person's texts
    WEBHOOKS = "webhooks"  # what providers posted, word for word
    EVENTS = "events"  # who was on nothing but live events that are over
    SIGNUPS = "signups"  # who was asked to confirm and never did
    STRANGERS = "strangers"  # who wrote to us and never signed up
    CLICKS = "clicks"  # which links somebody opened who agreed that it is kept
    DELIVERIES = "deliveries"  # who got which broadcast, one row each
    PROOF = "proof"  # the consent of whoever is on no list any more, with the person behind it
    AUDIT = "audit"  # who did what at the desk and on the command line


@dataclass(frozen=True, slots=True)
class Rule:
    """`days` by default, counted from the moment that the words of `app/services/rights` tell; `source` says why."""

    days: int
    source: str


RULES: Final[Mapping[Kept, Rule]] = {
    Kept.MESSAGES: Rule(90, "GDPR art. 5(1)(c), (e)"),
    Kept.REPLIES: Rule(90, "GDPR art. 5(1)(c), (e)"),
    Kept.INBOX: Rule(90, "GDPR art. 5(1)(c), (e)"),
    # A provider delivers a webhook again for hours, not for days; without the number a repeat would be a new text.
    Kept.REPEATS: Rule(3, "GDPR art. 17(1), 5(1)(d)"),
    # To read it again after a fault of ours was found and mended; that takes days, not weeks.
    Kept.WEBHOOKS: Rule(7, "GDPR art. 5(1)(d), (e), (f)"),
    # What an event promised counts, which may be another number; this is what a new one proposes.
    Kept.EVENTS: Rule(30, "GDPR art. 5(1)(e)"),
    Kept.SIGNUPS: Rule(30, "GDPR art. 5(1)(e)"),
    Kept.STRANGERS: Rule(90, "GDPR art. 5(1)(e)"),
    Kept.CLICKS: Rule(90, "GDPR art. 5(1)(c), (e), 6(1)(a)"),
    # As long as the proof of a consent, of which each delivery is a use. The daily logs of sends outlive the rows.
    Kept.DELIVERIES: Rule(1827, "GDPR art. 5(1)(e), 7(1); UWG § 7a"),
    # Section 7a of the German UWG: five years from the grant and after each use. The longest such rule we know.
    Kept.PROOF: Rule(1827, "GDPR art. 7(1), 17(3)(b), (e); UWG § 7a"),
    Kept.AUDIT: Rule(1096, "GDPR art. 5(2), 32"),
}


class BadPeriod(ValueError):
    """This is no period; the message says what is wrong and shows a right one."""


class Periods(dict[Kept, int]):
    """Days for each kind. Every kind is there."""

    def until(self, kind: Kept, since: datetime) -> datetime:
        """When what began at `since` goes."""
        return since + timedelta(days=self[kind])

    def cutoff(self, kind: Kept, now: datetime) -> datetime:
        """What is as old as this, or older, goes now."""
        return now - timedelta(days=self[kind])


def read_periods(written: str) -> Periods:
    """Return the table with the days that an installation chose: "messages=30, proof=3653". Raises BadPeriod."""
    periods = Periods({kind: rule.days for kind, rule in RULES.items()})
    for part in filter(None, (one.strip() for one in written.split(","))):
        name, _, days = (piece.strip() for piece in part.partition("="))
        if name not in list(Kept):
            raise BadPeriod(f"names “{name}”, which is none of {', '.join(Kept)}")
        if not days.isdecimal() or not 1 <= int(days) <= 36525:
            raise BadPeriod(f"gives “{days}” days for {name}; it must be a whole number from 1 to 36525")
        periods[Kept(name)] = int(days)
    return periods


@dataclass(frozen=True, slots=True)
class Traces:
    """What we hold of one person, as far as it decides how long.

    `used_at`: when a consent was last given or relied on; `heard_at`: the newest sign of the person, of any kind;
    `event_goes_at`: they were on nothing but live events, which promised to erase them then.
    """

    on_a_list: bool
    answered: bool  # agreed, refused or said stop at some time
    asked: bool
    used_at: datetime
    heard_at: datetime
    event_goes_at: datetime | None = None


def due(traces: Traces, periods: Periods, now: datetime) -> Kept | None:
    """Return the timer that has run out for this person, or None. Whoever is on a list is in use, not kept."""
    if traces.on_a_list:
        return None
    if traces.answered and traces.event_goes_at is not None and traces.event_goes_at <= now:
        return Kept.EVENTS
    kind = Kept.PROOF if traces.answered else Kept.SIGNUPS if traces.asked else Kept.STRANGERS
    since = traces.used_at if kind is Kept.PROOF else traces.heard_at
    return kind if periods.until(kind, since) <= now else None
