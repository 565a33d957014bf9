"""In the middle of a broadcast: people say STOP, operators pause, resume and cancel."""

import time

import pytest

from tests.chaos.conftest import RunningStack
from tests.chaos.people import SOME, SOME_NUMBERS
from tests.support.stack import SENDER, Stack, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

TEXT = "Riverside: school starts an hour later tomorrow."
PATIENCE = 5.0


def a_slow_broadcast(running: RunningStack, per_second: int) -> tuple[Stack, int]:
    """Start everything and a broadcast that leaves time to act while it goes out."""
    stack = running("web", "worker", "replies", "clock", receipt_delay=600)
    stack.site.cli("senders", "rate", SENDER, str(per_second))
    broadcast_id = stack.broadcast(TEXT, SOME)
    until(lambda: stack.provider.arrived() > 200, 30, "the first have it")
    return stack, broadcast_id


def seconds_until_quiet(stack: Stack, *command: str) -> float:
    """Run a command; return the seconds from its end to the last message that still came, 0 when none did."""
    stack.site.cli(*command)
    began = last = time.monotonic()
    arrived = stack.provider.arrived()
    while time.monotonic() < max(began + PATIENCE, last) + 1:
        if (now := stack.provider.arrived()) > arrived:
            arrived, last = now, time.monotonic()
        time.sleep(0.05)
    print(f"{' '.join(command)}: the last message came {last - began:.1f} s later, {arrived} have it")  # noqa: T201
    return last - began


def test_t4_whoever_says_stop_before_their_turn_does_not_get_it(running: RunningStack) -> None:
    stack, broadcast_id = a_slow_broadcast(running, 80)
    quitters = SOME_NUMBERS[1500::20]

    answers = [stack.provider.text(phone, "STOP") for phone in quitters]
    said_by_then = stack.provider.arrived()
    stack.site.cli("senders", "rate", SENDER, "3000")
    status = stack.finished(broadcast_id, 60)

    assert said_by_then < 1500, "the test came too late to prove anything"
    assert answers == [200] * 50
    stayed = [number for number in SOME_NUMBERS if number not in quitters]
    assert stack.provider.copies(TEXT) == dict.fromkeys(stayed, 1)
    until(lambda: stack.provider.arrived() == 2500, 20, "2,450 broadcasts and 50 confirmations")
    assert stack.provider.stats()["distinct"] == 2500
    counts = status["tally"]
    assert (counts["audience"], counts["sent"], counts["skipped"]) == (2500, 2450, 50)
    assert counts["reasons"] == {"stopped": 50}


def test_a_pause_holds_within_five_seconds_and_resuming_finishes(running: RunningStack) -> None:
    stack, broadcast_id = a_slow_broadcast(running, 100)

    seconds = seconds_until_quiet(stack, "broadcasts", "pause", str(broadcast_id))
    held = stack.provider.arrived()
    stack.site.cli("senders", "rate", SENDER, "3000")
    stack.site.cli("broadcasts", "resume", str(broadcast_id))
    status = stack.finished(broadcast_id, 60)

    assert seconds <= PATIENCE
    assert held < 2500, "the test came too late to prove anything"
    assert stack.provider.copies(TEXT) == dict.fromkeys(SOME_NUMBERS, 1)
    assert status["tally"]["sent"] == 2500


def test_a_cancel_holds_within_five_seconds_for_good(running: RunningStack) -> None:
    stack, broadcast_id = a_slow_broadcast(running, 100)

    seconds = seconds_until_quiet(stack, "broadcasts", "cancel", str(broadcast_id))

    assert seconds <= PATIENCE
    copies, counts = stack.provider.copies(TEXT), stack.status(broadcast_id)["tally"]
    assert set(copies.values()) == {1}
    assert len(copies) < 2500, "the test came too late to prove anything"
    assert (counts["sent"], counts["skipped"]) == (len(copies), 2500 - len(copies))
    assert counts["reasons"] == {"canceled": 2500 - len(copies)}
