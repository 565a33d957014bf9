"""Permits of a sender: never more than the rate allows, hardly fewer, shared by all who ask."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import redis

from app.domain.pace import Ask, Grant
from app.throttle import RedisThrottle

SENDER = 7
BURST_SECONDS = 0.1


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def throttle(client: redis.Redis) -> RedisThrottle:
    return RedisThrottle(client, burst_seconds=BURST_SECONDS)


def asked(
    throttle: RedisThrottle, rate: float, costs: Sequence[int], sender: int = SENDER
) -> tuple[int, float]:
    """Ask once; returns how many may leave, and the seconds to wait."""
    grant = throttle.take(Ask(sender, rate, costs))
    return grant.count, grant.wait


def take_for(throttle: RedisThrottle, seconds: float, rate: float, costs: Sequence[int]) -> tuple[int, float]:
    """Ask as a lane does, again and again; returns the units that were granted and the seconds that it took."""
    began, granted = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        count, wait = asked(throttle, rate, costs)
        granted += sum(costs[:count])
        if not count:
            time.sleep(wait)
    return granted, time.monotonic() - began


def empty_the_bucket(throttle: RedisThrottle, rate: float) -> int:
    """Take at one moment all that may leave; returns how many that were."""
    count, _ = asked(throttle, rate, [1] * 1000)
    return count


@pytest.mark.parametrize("rate", [20, 500, 5000])
def test_never_more_than_the_rate_and_hardly_less(throttle: RedisThrottle, rate: float) -> None:
    granted, seconds = take_for(throttle, 1.5, rate, [1] * 64)

    burst = max(1.0, rate * BURST_SECONDS)
    assert granted <= rate * seconds + burst + 1
    assert granted >= 0.97 * rate * 1.5 - 1


def test_a_message_of_three_parts_costs_three(throttle: RedisThrottle) -> None:
    granted, seconds = take_for(throttle, 1.0, 300, [3] * 20)

    assert granted % 3 == 0
    assert 0.97 * 300 - 3 <= granted <= 300 * seconds + 30 + 1


def test_permits_are_given_from_the_first_message_on_in_one_call(throttle: RedisThrottle) -> None:
    granted, _ = asked(throttle, 100, [4, 4, 4, 4])

    assert granted == 2  # the burst is ten units


def test_a_message_dearer_than_the_burst_leaves_when_the_bucket_is_full_and_is_paid_back(
    throttle: RedisThrottle,
) -> None:
    first, _ = asked(throttle, 10, [5])
    second, wait = asked(throttle, 10, [1])

    assert (first, second) == (1, 0)
    assert wait == pytest.approx(0.5, rel=0.1)


def test_two_callers_share_one_limit(throttle: RedisThrottle) -> None:
    granted: list[tuple[int, float]] = []
    callers = [
        threading.Thread(target=lambda: granted.append(take_for(throttle, 1.0, 400, [1] * 16)))
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    total, longest = sum(count for count, _ in granted), max(seconds for _, seconds in granted)
    assert 0.97 * 400 - 1 <= total <= 400 * longest + 40 + 1


def test_senders_do_not_take_each_others_permits(throttle: RedisThrottle) -> None:
    empty_the_bucket(throttle, 1)

    assert asked(throttle, 1, [1])[0] == 0
    assert asked(throttle, 1, [1], sender=SENDER + 1)[0] == 1


def test_a_pause_lets_nothing_out_until_it_is_over(throttle: RedisThrottle) -> None:
    throttle.pause(SENDER, 0.4)
    began = time.monotonic()

    granted, wait = asked(throttle, 1000, [1])
    while not asked(throttle, 1000, [1])[0]:
        time.sleep(0.01)

    assert granted == 0
    assert 0 < wait <= 0.4
    assert 0.36 <= time.monotonic() - began <= 1.0


def test_the_wait_that_is_named_is_long_enough(throttle: RedisThrottle) -> None:
    empty_the_bucket(throttle, 50)
    granted, wait = asked(throttle, 50, [1])

    time.sleep(wait)

    assert granted == 0
    assert asked(throttle, 50, [1])[0] == 1


def test_an_emptied_redis_means_a_full_bucket_and_nothing_worse(
    throttle: RedisThrottle, client: redis.Redis
) -> None:
    full = empty_the_bucket(throttle, 200)
    client.flushall()

    assert empty_the_bucket(throttle, 200) == full == 20


def test_a_clock_that_is_put_back_stops_nobody_for_long(throttle: RedisThrottle, client: redis.Redis) -> None:
    asked(throttle, 100, [1])
    (key,) = [one for one in client.keys("*:tat")]
    client.set(key, int(client.get(key)) + 3_600_000_000)

    granted, wait = asked(throttle, 100, [1])

    assert granted == 0
    assert wait <= 0.32
    time.sleep(0.35)
    assert asked(throttle, 100, [1])[0] == 1


def test_the_script_is_sent_again_when_the_server_forgot_it(
    throttle: RedisThrottle, client: redis.Redis
) -> None:
    asked(throttle, 100, [1])
    client.script_flush()

    assert asked(throttle, 100, [1])[0] == 1


def test_nothing_is_left_behind_when_the_bucket_is_full_again(
    throttle: RedisThrottle, client: redis.Redis
) -> None:
    asked(throttle, 1000, [1] * 50)

    keys = client.keys()

    assert len(keys) == 1
    assert 0 < client.pttl(keys[0]) <= 1100


def test_asking_for_nothing_asks_nobody() -> None:
    with redis.Redis(host="127.0.0.1", port=1) as nobody:
        assert RedisThrottle(nobody).take(Ask(SENDER, 100, [])) == Grant(0)
