"""Consent: what can happen, which states there are, and the fold from a person's ledger entries to the present."""

from app.domain.consent.events import BLOCKING, Act, EventType, Fact, Scope
from app.domain.consent.fold import (
    EFFECTIVE_FROM,
    OPENING_ACTS,
    apply,
    fold,
    fold_person,
    may_follow,
    overlay,
)
from app.domain.consent.states import (
    QUESTION_OPEN_FOR,
    STALE_AFTER,
    Overlay,
    Overlays,
    Standing,
    SubscriptionState,
)

__all__ = [
    "BLOCKING",
    "EFFECTIVE_FROM",
    "OPENING_ACTS",
    "QUESTION_OPEN_FOR",
    "STALE_AFTER",
    "Act",
    "EventType",
    "Fact",
    "Overlay",
    "Overlays",
    "Scope",
    "Standing",
    "SubscriptionState",
    "apply",
    "fold",
    "fold_person",
    "may_follow",
    "overlay",
]
