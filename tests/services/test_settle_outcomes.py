"""What is written for each kind of refusal, and how long whom it concerns waits."""

from datetime import timedelta

import pytest

from app.domain.messages import DeliveryRef, ErrorKind, Outcome, SendError
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Reply
from app.services.settle_outcomes import settlement
from app.storage.outcomes import Settlement
from tests.support.world import NOON, Newsroom

BROADCAST, ANSWER, OWN = DeliveryRef(1, 2), DeliveryRef(1, 2, 3), DeliveryRef(1, 2, -3)
USED_UP = Reply(400, b'{"code": 63038, "message": "daily limit"}')


def settled(kind: ErrorKind, ref: DeliveryRef, attempt: int = 1, wait: float | None = None) -> Settlement:
    return settlement(Outcome(ref, error=SendError(kind, "7", retry_after=wait)), attempt, NOON)


def waits(kind: ErrorKind, ref: DeliveryRef, attempts: range) -> list[float]:
    due = [settled(kind, ref, one).due_at for one in attempts]
    return [(one - NOON).total_seconds() for one in due if one]


@pytest.mark.parametrize("ref", [ANSWER, OWN])
def test_an_answer_without_quota_waits_minutes_that_grow_and_is_dropped_in_the_end(ref: DeliveryRef) -> None:
    first, last = settled(ErrorKind.QUOTA, ref), settled(ErrorKind.QUOTA, ref, 5)

    assert waits(ErrorKind.QUOTA, ref, range(1, 5)) == [60, 120, 240, 480]
    assert first.attempt_counts
    assert (last.status, last.reason) == (DeliveryStatus.FAILED, "quota_exhausted")


def test_a_broadcast_without_quota_is_paused_and_costs_nobody_an_attempt() -> None:
    held = settled(ErrorKind.QUOTA, BROADCAST, 9)

    assert (held.status, held.due_at, held.attempt_counts) == (DeliveryStatus.PENDING, NOON, False)


def test_a_pair_limit_that_names_no_wait_backs_off_up_to_an_hour() -> None:
    assert waits(ErrorKind.PAIR_LIMITED, BROADCAST, range(1, 8)) == [4, 16, 64, 256, 1024, 3600, 3600]
    assert settled(ErrorKind.PAIR_LIMITED, BROADCAST).attempt_counts
    assert not settled(ErrorKind.PAIR_LIMITED, BROADCAST, wait=9.0).attempt_counts


def test_a_rate_limit_that_names_no_wait_is_a_second() -> None:
    assert waits(ErrorKind.RATE_LIMITED, ANSWER, range(1, 3)) == [1, 1]


def test_an_answer_that_meets_an_empty_quota_does_not_spin(newsroom: Newsroom) -> None:
    newsroom.provider.answer = lambda to, body: USED_UP
    newsroom.text("HELP")

    for _ in range(3):
        newsroom.send_replies()
    at_once = len(newsroom.provider.arrived)
    newsroom.now += timedelta(seconds=61)
    newsroom.send_replies()

    assert (at_once, len(newsroom.provider.arrived)) == (1, 2)
