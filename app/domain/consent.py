"""Consent events, and the fold that turns a person's events into the present state of a subscription."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


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


class SubscriptionState(StrEnum):
    """State of one subscriber on one list."""

    UNKNOWN = "unknown"
    ACTIVE = "active"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Fact:
    """One ledger entry, reduced to what decides the state. `list_id` is None when the scope is all."""

    seq: int
    event_type: EventType
    occurred_at: datetime
    list_id: int | None


@dataclass(frozen=True)
class Standing:
    """Present state of one subscription and the entries that made it so.

    `granted_seq` is the grant in force, or the last one; `stopped_at` stays after a new grant.
    """

    state: SubscriptionState = SubscriptionState.UNKNOWN
    granted_seq: int | None = None
    granted_at: datetime | None = None
    stopped_seq: int | None = None
    stopped_at: datetime | None = None


_ENDS = frozenset({EventType.CONSENT_WITHDRAWN, EventType.CONSENT_REVOKED})


def apply(standing: Standing, fact: Fact) -> Standing:
    """Return the standing after `fact`; an event that may not change anything returns it unchanged.

    A grant that happened before the last stop, though it reached us later, never reopens (consent.md 3.2 (d)).
    """
    if fact.event_type is EventType.CONSENT_GIVEN:
        if standing.stopped_at is not None and fact.occurred_at < standing.stopped_at:
            return standing
        return replace(
            standing, state=SubscriptionState.ACTIVE, granted_seq=fact.seq, granted_at=fact.occurred_at
        )
    if fact.event_type in _ENDS:
        return replace(
            standing, state=SubscriptionState.STOPPED, stopped_seq=fact.seq, stopped_at=fact.occurred_at
        )
    return standing


def fold(facts: Iterable[Fact], list_ids: Iterable[int]) -> dict[int, Standing]:
    """Fold one subscriber's facts, in ledger order, into a standing for each list the person was ever on.

    A stop of scope all reaches every list in `list_ids` that has a standing, and none that the person never joined.
    """
    known = set(list_ids)
    standings: dict[int, Standing] = {}
    for fact in facts:
        touched = [fact.list_id] if fact.list_id is not None else sorted(standings)
        for list_id in touched:
            if list_id in known:
                standings[list_id] = apply(standings.get(list_id, Standing()), fact)
    return standings
