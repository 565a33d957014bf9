"""Which word does what, and what each message does whatever its words are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from app.domain.addresses import is_toll_free
from app.domain.consent import Act, EventType, Scope, SubscriptionState
from app.domain.keywords import Outcome
from app.domain.messages import ProviderSignal
from app.domain.policy.business_days import business_day_after
from app.domain.replies import ReplyKind, day_words
from app.services.words import joining, leaving
from app.services.words.case import IN_FORCE, Answer, Case

PAUSE_DAYS: Final = 30
LONGEST_PAUSE_DAYS: Final = 90
# A number that was dead for so long may have a new owner (consent.md 3.2, row 34).
REASSIGNED_AFTER: Final = timedelta(days=45)

STARTS: Final = frozenset({Outcome.START, Outcome.START_LIST})
# Words so clear that no human need decide any more what an earlier text meant.
_CLEAR: Final = STARTS | {Outcome.STOP, Outcome.STOP_FUZZY, Outcome.ERASE, Outcome.WRONG_NUMBER}


def act_on(case: Case) -> Answer | None:
    """Record what the message means for consent; returns what to say, or None to stay silent."""
    _revive(case)
    if case.decision.outcome in _CLEAR and case.person.review_opened_at is not None:
        case.record(case.event(EventType.REVIEW_DECIDED, scope=Scope.ALL))
    return _ACTIONS[case.decision.outcome](case)


def _revive(case: Case) -> None:
    """Whoever writes to us can be reached again; whoever says START has lifted the block."""
    person = case.person
    if person.bounced_at is not None:
        dead_for = case.now - person.bounced_at
        case.record(case.event(EventType.ENDPOINT_REVIVED, scope=Scope.ALL))
        if dead_for >= REASSIGNED_AFTER:
            case.record(case.event(EventType.CONSENT_EXPIRED, scope=Scope.ALL))
    starts = case.decision.outcome in STARTS or case.message.signal is ProviderSignal.START
    if person.blocked_at is not None and starts:
        case.record(case.event(EventType.UNBLOCKED, scope=Scope.ALL, act=Act.PROVIDER_SIGNAL))


def _pause(case: Case) -> Answer | None:
    """Rest for 1 to 90 days (row 12); who gets nothing anyway is not answered."""
    if not case.lists_in(SubscriptionState.ACTIVE, SubscriptionState.PAUSED):
        return None
    days = min(max(case.decision.days or PAUSE_DAYS, 1), LONGEST_PAUSE_DAYS)
    until = case.now + timedelta(days=days)
    case.record(
        case.event(
            EventType.PAUSED,
            act=case.act(Act.KEYWORD_EXACT),
            scope=Scope.ALL,
            until=until,
            reply_template=ReplyKind.PAUSED.value,
            reply_skipped_reason=case.silence,
        )
    )
    return case.answer(ReplyKind.PAUSED, until=day_words(case.person.language, until.date()))


def _review(case: Case) -> None:
    """Hold everything until a human has decided; after a business day it counts as STOP (rows 14 and 15)."""
    if case.person.review_opened_at is not None:
        return
    zone = next((offer.list.zone for offer in case.offers.values()), "UTC")
    due = business_day_after(case.now, zone, case.controller.region)
    case.record(case.event(EventType.REVIEW_OPENED, scope=Scope.ALL, until=due))


def _decline(case: Case) -> None:
    if not joining.decline(case):
        _review(case)


def _help(case: Case) -> Answer | None:
    """Explain (row 7); a toll-free network lets nothing through to whoever said STOP (consent.md 3.2, loop guard)."""
    left = case.person.last_stop_at is not None and not case.lists_in(*IN_FORCE)
    if left and is_toll_free(case.sender.address):
        case.silence = case.silence or "toll_free"
        return None
    return case.answer(ReplyKind.HELP, case.default())


def _keep(case: Case) -> None:
    """Anything else is kept and shown at the desk (rows 8 and 17)."""


_ACTIONS: Final[dict[Outcome, Callable[[Case], Answer | None]]] = {
    Outcome.STOP: leaving.stop,
    Outcome.STOP_FUZZY: leaving.stop,
    Outcome.STOP_LIST: leaving.stop_list,
    Outcome.ERASE: leaving.erase,
    Outcome.WRONG_NUMBER: leaving.wrong_number,
    Outcome.HELP: _help,
    Outcome.CONFIRM: joining.confirm,
    Outcome.DECLINE: _decline,
    Outcome.START: joining.start,
    Outcome.START_LIST: joining.start,
    Outcome.PAUSE: _pause,
    Outcome.REVIEW: _review,
    Outcome.NONE: _keep,
}
