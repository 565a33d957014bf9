"""The state machine: which event has an effect in which state, and the fold of a person's entries (consent.md 3.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from app.domain.consent.events import Act, EventType, Fact
from app.domain.consent.states import QUESTION_OPEN_FOR, Overlays, Standing, SubscriptionState

_UNKNOWN, _PENDING, _ACTIVE, _PAUSED, _STOPPED, _STALE = SubscriptionState
_EVERY: Final = frozenset(SubscriptionState)

# Which event has an effect on a subscription in which states. An event that is recorded elsewhere, or that reaches
# us late, changes nothing: late and repeated webhooks are harmless for this reason alone.
EFFECTIVE_FROM: Final[Mapping[EventType, frozenset[SubscriptionState]]] = MappingProxyType(
    {
        EventType.CONSENT_REQUESTED: _EVERY,
        EventType.REQUEST_EXPIRED: frozenset({_PENDING, _STOPPED}),
        EventType.CONSENT_GIVEN: _EVERY,
        EventType.CONSENT_REFUSED: _EVERY,
        EventType.CONSENT_WITHDRAWN: _EVERY,
        EventType.STOP_REPEATED: frozenset({_STOPPED}),
        EventType.CONSENT_REVOKED: _EVERY,
        EventType.CONSENT_INVALIDATED: _EVERY,
        EventType.ERASURE_REQUESTED: _EVERY,
        EventType.ERASED: _EVERY,
        EventType.PAUSED: frozenset({_ACTIVE, _PAUSED}),
        EventType.RESUMED: frozenset({_PAUSED}),
        EventType.CONSENT_EXPIRED: frozenset({_ACTIVE, _PAUSED}),
    }
)

# What opens a subscription that was left or ran out: the person's own act on this very address, nothing else.
_ANSWERS: Final = frozenset({Act.DOI_REPLY, Act.DOI_LINK})
OPENING_ACTS: Final = _ANSWERS | {Act.KEYWORD_EXACT, Act.BUTTON}
# A guess at what was meant is no consent, and to follow an account is none to its lists (section 0, decision 3).
_NO_CONSENT: Final = frozenset({Act.KEYWORD_FUZZY, Act.FOLLOW_EVENT})

_ENDS: Final = frozenset(
    {
        EventType.CONSENT_REFUSED,
        EventType.CONSENT_WITHDRAWN,
        EventType.CONSENT_REVOKED,
        EventType.CONSENT_INVALIDATED,
        EventType.ERASURE_REQUESTED,
        EventType.ERASED,
    }
)
_SUPPRESSES: Final = frozenset(
    {
        EventType.SUPPRESSION_ADDED,
        EventType.ERASURE_REQUESTED,
        EventType.ERASED,
        EventType.CONSENT_INVALIDATED,
    }
)
_LEAVES_EVERYTHING: Final = _ENDS | {EventType.STOP_REPEATED}


def may_follow(standing: Standing, event_type: EventType) -> bool:
    """Tell whether an event of this type can have an effect on a subscription that stands so."""
    return standing.state in EFFECTIVE_FROM.get(event_type, frozenset())


def apply(standing: Standing, fact: Fact, overlays: Overlays = Overlays()) -> Standing:  # noqa: B008  # frozen
    """Return the standing after `fact`; an event that may not change anything returns it unchanged.

    `overlays` are those of the person after this fact. A grant that happened before the last stop, though it
    reached us later, never reopens (consent.md 3.2 (d)).
    """
    if not may_follow(standing, fact.event_type):
        return standing
    if fact.event_type in _ENDS:
        return _ended(standing, fact)
    return _EFFECTS[fact.event_type](standing, fact, overlays)


def overlay(overlays: Overlays, fact: Fact) -> Overlays:
    """Return a person's overlays after `fact`. Only events that speak of the whole person change them."""
    if fact.list_id is not None:
        return overlays
    overlays = _with_marks(overlays, fact)
    if fact.event_type in _LEAVES_EVERYTHING:
        last = max(overlays.last_stop_at or fact.occurred_at, fact.occurred_at)
        overlays = replace(overlays, last_stop_at=last)
    if fact.blocks:
        overlays = replace(overlays, blocked_at=overlays.blocked_at or fact.occurred_at)
    return overlays


def fold_person(facts: Iterable[Fact], list_ids: Iterable[int]) -> tuple[Overlays, dict[int, Standing]]:
    """Fold one subscriber's facts, in ledger order, into the overlays and a standing for each list ever touched.

    A stop of scope all reaches every list in `list_ids` that has a standing, and none that the person never joined.
    """
    known = set(list_ids)
    overlays, standings = Overlays(), dict[int, Standing]()
    for fact in facts:
        overlays = overlay(overlays, fact)
        touched = [fact.list_id] if fact.list_id is not None else sorted(standings)
        for list_id in touched:
            before = standings.get(list_id, Standing())
            after = apply(before, fact, overlays)
            if list_id in known and after != before:
                standings[list_id] = after
    return overlays, standings


def fold(facts: Iterable[Fact], list_ids: Iterable[int]) -> dict[int, Standing]:
    """Return only the standings of `fold_person`."""
    return fold_person(facts, list_ids)[1]


def _with_marks(overlays: Overlays, fact: Fact) -> Overlays:
    at = fact.occurred_at
    if fact.event_type in _SUPPRESSES:
        overlays = replace(overlays, suppressed_at=overlays.suppressed_at or at)
    match fact.event_type:
        case EventType.ERASED:
            return replace(overlays, erased_at=overlays.erased_at or at)
        case EventType.SUPPRESSION_LIFTED:
            return replace(overlays, suppressed_at=None, erased_at=None)
        case EventType.UNBLOCKED:
            return replace(overlays, blocked_at=None)
        case EventType.ENDPOINT_BOUNCED if not fact.blocks:
            return replace(overlays, bounced_at=overlays.bounced_at or at)
        case EventType.ENDPOINT_REVIVED:
            return replace(overlays, bounced_at=None)
        case EventType.REVIEW_OPENED if overlays.review_opened_at is None:
            return replace(overlays, review_opened_at=at, review_due_at=fact.until)
        case EventType.REVIEW_DECIDED:
            return replace(overlays, review_opened_at=None, review_due_at=None)
    return overlays


def _granted(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    if not _opens(standing, fact, overlays):
        return standing
    still = standing.active_seq if standing.state is _ACTIVE else None
    return replace(
        _without_question(standing),
        state=_ACTIVE,
        granted_seq=fact.seq,
        granted_at=fact.occurred_at,
        active_seq=still or fact.seq,
        paused_until=None,
    )


def _opens(standing: Standing, fact: Fact, overlays: Overlays) -> bool:
    stops = [at for at in (standing.stopped_at, overlays.last_stop_at) if at is not None]
    if any(fact.occurred_at < at for at in stops):
        return False
    if fact.act in _ANSWERS:
        return standing.expires_at is not None and fact.occurred_at <= standing.expires_at
    if fact.act is Act.PLATFORM_PREFERENCE and standing.state is _STOPPED:
        # A platform's "resume" lifts the platform's "stop", never one that the person put into words (row 27).
        return standing.stopped_act is Act.PLATFORM_PREFERENCE
    if fact.act in _NO_CONSENT:
        return False
    return fact.act in OPENING_ACTS or standing.state in (_UNKNOWN, _ACTIVE)


def _ended(standing: Standing, fact: Fact) -> Standing:
    late = standing.stopped_at is not None and fact.occurred_at < standing.stopped_at
    weaker = standing.state is _STOPPED and fact.act is Act.PLATFORM_PREFERENCE
    ended = replace(_without_question(standing), state=_STOPPED, active_seq=None, paused_until=None)
    if late:
        return replace(ended, stopped_act=standing.stopped_act if weaker else fact.act)
    if weaker:
        return ended
    return replace(ended, stopped_seq=fact.seq, stopped_at=fact.occurred_at, stopped_act=fact.act)


def _stop_repeated(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    """It was left before; what counts is that now the person has said so in words, and that a question is answered."""
    act = fact.act if standing.stopped_act is Act.PLATFORM_PREFERENCE else standing.stopped_act
    return replace(_without_question(standing), stopped_act=act)


def _requested(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    """Ask. A subscription in force waits for the answer only when we changed what the list is for (row 39)."""
    in_force = standing.state in (_ACTIVE, _PAUSED)
    if in_force and fact.act is not Act.OPERATOR:
        return standing
    return replace(
        standing,
        state=_STOPPED if standing.state is _STOPPED else _PENDING,
        active_seq=None,
        requested_seq=fact.seq,
        requested_at=fact.occurred_at,
        expires_at=fact.until or fact.occurred_at + QUESTION_OPEN_FOR,
        paused_until=None,
    )


def _request_expired(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    if standing.expires_at is None or fact.occurred_at < standing.expires_at:
        return standing
    state = _STOPPED if standing.state is _STOPPED else _UNKNOWN
    return replace(_without_question(standing), state=state)


def _paused(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    if fact.until is None or (standing.granted_at is not None and fact.occurred_at < standing.granted_at):
        return standing
    return replace(standing, state=_PAUSED, active_seq=None, paused_until=fact.until)


def _resumed(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    """The person may resume at any time; the clock (no act) only when the day has come."""
    too_early = standing.paused_until is not None and fact.occurred_at < standing.paused_until
    if fact.act is None and too_early:
        return standing
    return replace(standing, state=_ACTIVE, active_seq=fact.seq, paused_until=None)


def _expired(standing: Standing, fact: Fact, overlays: Overlays) -> Standing:
    if standing.granted_at is not None and fact.occurred_at < standing.granted_at:
        return standing
    return replace(standing, state=_STALE, active_seq=None, paused_until=None)


def _without_question(standing: Standing) -> Standing:
    return replace(standing, requested_seq=None, requested_at=None, expires_at=None)


_EFFECTS: Final = {
    EventType.CONSENT_REQUESTED: _requested,
    EventType.REQUEST_EXPIRED: _request_expired,
    EventType.CONSENT_GIVEN: _granted,
    EventType.STOP_REPEATED: _stop_repeated,
    EventType.PAUSED: _paused,
    EventType.RESUMED: _resumed,
    EventType.CONSENT_EXPIRED: _expired,
}
