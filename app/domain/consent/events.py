"""What can happen to a person's consent, by which act, and the little of it that decides the state."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """What happened (consent rules, 3.3). A kind is never renamed: it is part of what was hashed."""

    NOTICE_SHOWN = "notice_shown"
    SIGNUP_RECORDED = "signup_recorded"
    CONSENT_REQUESTED = "consent_requested"
    REQUEST_EXPIRED = "request_expired"
    CONSENT_GIVEN = "consent_given"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    STOP_REPEATED = "stop_repeated"
    CONSENT_REVOKED = "consent_revoked"
    CONSENT_INVALIDATED = "consent_invalidated"
    CONSENT_EXPIRED = "consent_expired"
    PAUSED = "paused"
    RESUMED = "resumed"
    REVIEW_OPENED = "review_opened"
    REVIEW_DECIDED = "review_decided"
    CONTACT_OPENED = "contact_opened"
    UNBLOCKED = "unblocked"
    ENDPOINT_BOUNCED = "endpoint_bounced"
    ENDPOINT_REVIVED = "endpoint_revived"
    ENDPOINT_CHANGED = "endpoint_changed"
    IMPORT_REJECTED = "import_rejected"
    ERASURE_REQUESTED = "erasure_requested"
    ERASED = "erased"
    SUPPRESSION_ADDED = "suppression_added"
    SUPPRESSION_LIFTED = "suppression_lifted"
    SEND_LOG_ROOT = "send_log_root"
    KEY_ROTATED = "key_rotated"
    TREE_HEAD = "tree_head"


class Act(StrEnum):
    """The affirmative act (or the signal) by which it happened; GDPR article 4(11) asks for one."""

    KEYWORD_EXACT = "keyword_exact"
    KEYWORD_FUZZY = "keyword_fuzzy"
    BUTTON = "button"
    FOLLOW_EVENT = "follow_event"
    WEB_CHECKBOX = "web_checkbox"
    DOI_REPLY = "doi_reply"
    DOI_LINK = "doi_link"
    AGENT_RECORDED = "agent_recorded"
    IMPORT_ATTESTED = "import_attested"
    PROVIDER_SIGNAL = "provider_signal"
    PLATFORM_PREFERENCE = "platform_preference"
    OPERATOR = "operator"


class Scope(StrEnum):
    """Whether an event speaks of one list or of every list of the controller."""

    LIST = "list"
    ALL = "all"


# Why nothing was answered, where the reason is that nothing can reach the person: the provider or the platform
# refuses, at the person's wish. An entry with such a reason blocks the address (consent.md 3.2, rows 24, 28, 30).
BLOCKING: Final = frozenset({"provider_opted_out", "platform_blocked", "carrier_blocked"})


@dataclass(frozen=True)
class Fact:
    """One ledger entry, reduced to what decides the state.

    `list_id` is None when the scope is all. `until` is when the entry's effect ends by itself: of a question, of a
    pause, of a hold. `blocks` tells that from now on nothing reaches the person.
    """

    seq: int
    event_type: EventType
    occurred_at: datetime
    list_id: int | None
    act: Act | None = None
    until: datetime | None = None
    blocks: bool = False
