"""Redis only wakes workers: emptied or away, nothing is lost and nothing is sent twice."""

import time

import pytest
import redis

from tests.chaos.conftest import RunningStack
from tests.chaos.people import SOME, SOME_NUMBERS
from tests.support.stack import SENDER, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

TEXT = "Riverside: the library opens on Sundays."


def test_a_broadcast_survives_an_emptied_and_a_restarted_redis(running: RunningStack) -> None:
    stack = running("web", "worker", "replies", "clock", receipt_delay=600)
    stack.site.cli("senders", "rate", SENDER, "400")
    broadcast_id = stack.broadcast(TEXT, SOME)

    for mark in (300, 900):
        until(lambda mark=mark: stack.provider.arrived() > mark, 30, f"{mark} have it")
        with redis.Redis.from_url(stack.redis.url) as client:
            client.flushall()
    until(lambda: stack.provider.arrived() > 1500, 30, "1,500 have it")
    stack.redis.stop()
    time.sleep(3)
    stack.redis.start()
    back = time.monotonic()
    at_return = stack.provider.arrived()
    until(lambda: stack.provider.arrived() > at_return, 60, "the broadcast goes on")
    print(f"messages arrive again {time.monotonic() - back:.1f} s after Redis came back")  # noqa: T201
    status = stack.finished(broadcast_id, 60)

    assert stack.provider.copies(TEXT) == dict.fromkeys(SOME_NUMBERS, 1)
    assert (status["tally"]["audience"], status["tally"]["sent"]) == (2500, 2500)
    assert all(stack.is_up(name) for name in ("web", "worker", "replies", "clock"))


def test_stop_is_answered_within_a_second_with_no_worker_and_no_redis(running: RunningStack) -> None:
    stack = running("web")
    stack.redis.stop()
    phones = SOME_NUMBERS[:5]
    stack.provider.text(SOME_NUMBERS[5], "HELP")  # the very first request pays for imports
    seconds = []

    for phone in phones:
        began = time.monotonic()
        assert stack.provider.text(phone, "STOP") == 200
        seconds.append(time.monotonic() - began)
    broadcast_id = stack.broadcast(TEXT, SOME)
    stack.redis.start()
    stack.start("worker", "replies", "clock")
    stack.finished(broadcast_id, 60)

    print(f"STOP answered in {max(seconds) * 1000:.0f} ms at most")  # noqa: T201
    assert max(seconds) < 1
    assert stack.provider.copies(TEXT) == dict.fromkeys(SOME_NUMBERS[5:], 1)
    until(lambda: stack.provider.arrived() == 2495 + 6, 20, "five confirmations and one HELP")
