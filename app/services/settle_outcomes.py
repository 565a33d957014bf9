"""Write what became of hand-overs, and do what each kind of failure asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, SendError
from app.domain.statuses import DeliveryStatus
from app.services.after_failures import CLOSES_SENDER, close_sender, follow, lock
from app.services.controller import Controller
from app.storage.database import transaction
from app.storage.models import Sender
from app.storage.outcomes import Settlement
from app.storage.outcomes import settle as write

FIRST_RETRY_S = 30
URGENT = CLOSES_SENDER | {ErrorKind.RATE_LIMITED, ErrorKind.QUOTA}
"""Errors about all that this sender would hand over next: they are written before anything else leaves."""
_NOT_OUR_TURN = URGENT | {ErrorKind.PAIR_LIMITED}
# Platforms cap how much marketing a person gets; Meta asks to wait a day at least.
CAP_RESTS = timedelta(hours=24)
_MINUTE_S = 60.0
# Meta on 131056: wait 4^n seconds after the n-th refusal. So it is done wherever a provider names no wait.
_PAIR_BASE_S, _PAIR_MOST_S = 4, 3600


@dataclass(frozen=True)
class Verdict:
    """What the lane must know: seconds to let the sender rest, and whether the sender was closed."""

    pause_seconds: float = 0.0
    sender_closed: bool = False


def settle(
    outcomes: Sequence[Outcome],
    attempts: Mapping[DeliveryRef, int],
    *,
    sender_id: int,
    controller: Controller,
    now: datetime,
) -> Verdict:
    """Write outcomes in one transaction, with the consent events and pauses that follow from them."""
    errors = [(outcome.ref, outcome.error) for outcome in outcomes if outcome.error]
    with transaction() as session:
        lock(session, errors, controller)
        settlements = [settlement(one, attempts.get(one.ref, 1), now) for one in outcomes]
        write(session, settlements, now)
        failed = [one.ref for one in settlements if one.status is DeliveryStatus.FAILED]
        closed = follow(session, errors, failed, sender_id=sender_id, controller=controller, now=now)
        rest = _rest(session, sender_id, errors, now)
    return Verdict(rest, closed)


def _rest(
    session: Session, sender_id: int, errors: Sequence[tuple[DeliveryRef, SendError]], now: datetime
) -> float:
    """Return for how many seconds the provider wants to hear nothing of this sender, and keep until when.

    In the database, for Redis may be emptied; a shorter wait that is told later does not end a longer one.
    """
    waits = [error.retry_after or 1.0 for _, error in errors if error.kind is ErrorKind.RATE_LIMITED]
    if not waits:
        return 0.0
    sender, until = session.get_one(Sender, sender_id), now + timedelta(seconds=max(waits))
    if sender.rests_until is None or sender.rests_until < until:
        sender.rests_until = until
    return max(waits)


def settlement(outcome: Outcome, attempt: int, now: datetime) -> Settlement:
    """Return what to write for one outcome of attempt number `attempt`."""
    error = outcome.error
    if error is None:
        return Settlement(outcome.ref, DeliveryStatus.SENT, outcome.provider_id)
    if error.kind is ErrorKind.UNKNOWN:
        return Settlement(outcome.ref, DeliveryStatus.UNKNOWN, reason=error.kind.value, error_code=error.code)
    if error.kind is ErrorKind.QUOTA and outcome.ref.inbound_id:
        return _answer_without_quota(outcome.ref, error, attempt, now)
    if error.kind in _NOT_OUR_TURN:
        return _not_our_turn(outcome.ref, error, attempt, now)
    if error.kind is ErrorKind.PREFERENCE_CAP and attempt < error.tries:
        rest = max(CAP_RESTS, timedelta(seconds=error.retry_after or 0.0))
        return Settlement(outcome.ref, DeliveryStatus.PENDING, error_code=error.code, due_at=now + rest)
    if error.kind is ErrorKind.TEMPORARY and attempt < error.tries:
        return Settlement(
            outcome.ref,
            DeliveryStatus.PENDING,
            error_code=error.code,
            due_at=now if error.other_way else now + _backoff(outcome.ref, attempt),
        )
    return Settlement(outcome.ref, DeliveryStatus.FAILED, reason=error.kind.value, error_code=error.code)


def _not_our_turn(ref: DeliveryRef, error: SendError, attempt: int, now: datetime) -> Settlement:
    """Wait as long as the provider says, and count nothing; where it names no wait for a person, n must be counted."""
    wait = error.retry_after or (1.0 if error.kind is ErrorKind.RATE_LIMITED else 0.0)
    counts = error.kind is ErrorKind.PAIR_LIMITED and not wait
    if counts:
        wait = min(_PAIR_MOST_S, _PAIR_BASE_S ** min(attempt, 10))
    due = now + timedelta(seconds=wait)
    return Settlement(ref, DeliveryStatus.PENDING, error_code=error.code, due_at=due, attempt_counts=counts)


def _answer_without_quota(ref: DeliveryRef, error: SendError, attempt: int, now: datetime) -> Settlement:
    """Wait 1, 2, 4, 8 minutes, then drop it: nobody can pause answers, and a quota may be gone for a month."""
    if attempt >= error.tries:
        return Settlement(ref, DeliveryStatus.FAILED, reason=error.kind.value, error_code=error.code)
    wait = max(_MINUTE_S * 2 ** (attempt - 1), error.retry_after or 0.0)
    return Settlement(
        ref, DeliveryStatus.PENDING, error_code=error.code, due_at=now + timedelta(seconds=wait)
    )


def _backoff(ref: DeliveryRef, attempt: int) -> timedelta:
    """30 s, 1, 2, 4 minutes, spread by up to a tenth so that a burst of failures does not come back as a burst."""
    seconds: float = FIRST_RETRY_S * 2 ** (attempt - 1) * (1 + ref.subscriber_id % 100 / 1000)
    return timedelta(seconds=seconds)


def close_refused(sender_id: int, error: SendError, now: datetime) -> bool:
    """Pause a sender whom its provider would not let in, for asking again and again may lock the account.

    Tells whether the error was of that sort.
    """
    with transaction() as session:
        return close_sender(session, sender_id, [error], now)
