"""Consent states in the words of the Data Privacy Vocabulary (DPV): what a ledger's events make of one list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.domain.consent import EventType, Fact


class Dpv(StrEnum):
    """The terms of DPV that our states correspond to (consent rules, 2.4)."""

    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    REFUSED = "ConsentRefused"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    WITHDRAWN = "ConsentWithdrawn"
    REVOKED = "ConsentRevoked"
    INVALIDATED = "ConsentInvalidated"
    EXPIRED = "ConsentExpired"


VALID_FOR_PROCESSING: Final = frozenset({Dpv.GIVEN, Dpv.RENEWED})

_TERMS: Final = {
    EventType.CONSENT_REQUESTED: Dpv.REQUESTED,
    EventType.REQUEST_EXPIRED: Dpv.UNKNOWN,
    EventType.CONSENT_GIVEN: Dpv.GIVEN,
    EventType.CONSENT_REFUSED: Dpv.REFUSED,
    EventType.CONSENT_WITHDRAWN: Dpv.WITHDRAWN,
    EventType.CONSENT_REVOKED: Dpv.REVOKED,
    EventType.CONSENT_INVALIDATED: Dpv.INVALIDATED,
    EventType.CONSENT_EXPIRED: Dpv.EXPIRED,
}
_ENDED: Final = frozenset({Dpv.WITHDRAWN, Dpv.REVOKED, Dpv.INVALIDATED, Dpv.EXPIRED, Dpv.REFUSED})


@dataclass(frozen=True)
class Step:
    """Ledger entry `seq` brought one list to a state."""

    seq: int
    at: datetime
    state: Dpv


def steps(facts: Iterable[Fact]) -> dict[int, tuple[Step, ...]]:
    """Return for each list how its state came about, from one person's facts in the order of the ledger.

    As in `app.domain.consent.fold`, an event of scope all reaches the lists that have a history, and a consent
    older than the last ending changes nothing.
    """
    histories: dict[int, list[Step]] = {}
    for fact in facts:
        term = _TERMS.get(fact.event_type)
        if term is None:
            continue
        for list_id in [fact.list_id] if fact.list_id is not None else list(histories):
            history = histories.setdefault(list_id, [])
            state = _after(history, term, fact.occurred_at)
            if state is not None:
                history.append(Step(fact.seq, fact.occurred_at, state))
    return {list_id: tuple(history) for list_id, history in histories.items() if history}


def _after(history: list[Step], term: Dpv, at: datetime) -> Dpv | None:
    last = history[-1].state if history else Dpv.UNKNOWN
    if term is Dpv.WITHDRAWN and last is Dpv.REQUESTED:
        return Dpv.REFUSED  # a STOP to the question itself
    if term is not Dpv.GIVEN:
        return term
    if any(at < step.at for step in history if step.state in _ENDED):
        return None
    before = any(step.state in VALID_FOR_PROCESSING for step in history)
    return Dpv.RENEWED if before and last in _ENDED else Dpv.GIVEN
