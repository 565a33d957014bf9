"""Limits that several senders keep together, and those of one person: exact, work-conserving, and fair."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import redis

from app.domain.pace import Ask, Grant, PairLimit, Shared
from app.throttle import RedisThrottle

BURST_SECONDS = 0.1
ACCOUNT = "account:twilio:AC1"
PAIR = PairLimit(6.0, burst=3)


USED = 0.6
"""So much of a limit is asked for at least, also where a machine is busy; how much is used, `bench` measures."""


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def throttle(client: redis.Redis) -> RedisThrottle:
    return RedisThrottle(client, burst_seconds=BURST_SECONDS)


@pytest.fixture
def slow(client: redis.Redis) -> RedisThrottle:
    """Buckets of a hundred seconds' worth: at rates of one in many seconds nothing comes in during a test."""
    return RedisThrottle(client, burst_seconds=100)


def at_once(throttle: RedisThrottle, sender: int, rate: float, shared: Sequence[Shared]) -> int:
    """Return how many messages may leave at this moment."""
    return throttle.take(Ask(sender, rate, [1] * 1000, shared)).count


@dataclass
class Callers:
    """Lanes that all begin at one moment; what each was granted, between two readings of the script's own clock."""

    client: redis.Redis
    throttle: RedisThrottle
    asks: Sequence[Ask]
    seconds: float = 2.0
    granted: dict[int, int] = field(default_factory=dict)
    took: float = 0.0

    def run(self) -> "Callers":
        began = _clock(self.client)
        threads = [threading.Thread(target=self._work, args=place) for place in enumerate(self.asks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.took = _clock(self.client) - began
        return self

    def _work(self, place: int, ask: Ask) -> None:
        until, units = time.monotonic() + self.seconds, 0
        while time.monotonic() < until:
            grant = self.throttle.take(ask)
            units += sum(ask.costs[: grant.count])
            if not grant.count:
                time.sleep(min(grant.wait, 0.05))  # as a lane does, which looks after its answers meanwhile
        self.granted[place] = units

    @property
    def total(self) -> int:
        return sum(self.granted.values())


def _clock(client: redis.Redis) -> float:
    seconds, micros = client.time()
    return float(seconds + micros / 1_000_000)


def test_the_tightest_of_all_limits_holds(slow: RedisThrottle) -> None:
    shared = (Shared(ACCOUNT, 0.02), Shared("channel:sms", 0.01))

    assert at_once(slow, 1, 1000, (Shared(ACCOUNT, 0.02), Shared("channel:push", 0.01))) == 1
    assert at_once(slow, 1, 1000, shared) == 1  # the account has room for two
    assert at_once(slow, 2, 1000, shared[1:]) == 0


def test_what_one_limit_refuses_takes_nothing_from_the_others(throttle: RedisThrottle) -> None:
    at_once(throttle, 1, 1000, (Shared(ACCOUNT, 10),))
    at_once(throttle, 2, 1000, (Shared(ACCOUNT, 10),))

    assert at_once(throttle, 2, 1000, ()) == 100


@pytest.mark.parametrize("callers", [2, 4])
@pytest.mark.parametrize("rate", [200.0, 2000.0])
def test_an_accounts_limit_is_exact_on_the_scripts_own_clock(
    client: redis.Redis, throttle: RedisThrottle, rate: float, callers: int
) -> None:
    asks = [Ask(one, 100_000, [1] * 64, (Shared(ACCOUNT, rate),)) for one in range(callers)]

    done = Callers(client, throttle, asks).run()

    assert done.total <= rate * (done.took + BURST_SECONDS) + 1
    assert done.total >= USED * rate * done.seconds


@pytest.mark.parametrize("rate", [50.0, 1000.0])
def test_two_senders_of_one_account_get_the_same_share(
    client: redis.Redis, throttle: RedisThrottle, rate: float
) -> None:
    asks = [Ask(one, 100_000, [1] * 64, (Shared(ACCOUNT, rate),)) for one in (1, 2)]

    done = Callers(client, throttle, asks, seconds=3.0).run()

    assert min(done.granted.values()) >= 0.3 * done.total


def test_a_sender_with_dear_messages_starves_neither(client: redis.Redis, throttle: RedisThrottle) -> None:
    shared = (Shared(ACCOUNT, 100.0),)
    asks = [Ask(1, 100_000, [1] * 64, shared), Ask(2, 100_000, [7] * 20, shared)]

    done = Callers(client, throttle, asks, seconds=3.0).run()

    assert min(done.granted.values()) >= 0.1 * done.total
    assert done.total >= USED * 100 * done.seconds - 7


def test_what_a_slow_sender_leaves_of_an_account_goes_to_the_other(
    client: redis.Redis, throttle: RedisThrottle
) -> None:
    shared = (Shared(ACCOUNT, 400.0),)
    asks = [Ask(1, 40.0, [1] * 64, shared), Ask(2, 100_000, [1] * 64, shared)]

    done = Callers(client, throttle, asks, seconds=2.0).run()

    assert USED * 40 * 2.0 <= done.granted[0] <= 40 * (done.took + BURST_SECONDS) + 1
    assert done.total >= USED * 400 * 2.0


def test_a_sender_that_stopped_asking_holds_nobody_up_for_long(throttle: RedisThrottle) -> None:
    shared = (Shared(ACCOUNT, 100.0),)
    at_once(throttle, 1, 1000, shared)
    at_once(throttle, 2, 1000, shared)  # promised a turn, and gone
    began = time.monotonic()

    while not at_once(throttle, 3, 1000, shared):
        time.sleep(0.005)

    assert time.monotonic() - began < 2.0


def test_whoever_waits_at_a_shared_limit_keeps_the_place(throttle: RedisThrottle) -> None:
    shared = (Shared(ACCOUNT, 1.0),)
    at_once(throttle, 1, 1000, shared)
    second = throttle.take(Ask(2, 1000, [1], shared))
    third = throttle.take(Ask(3, 1000, [1], shared))

    assert second.count == third.count == 0
    assert third.wait >= second.wait + 0.9  # behind the other's message
    time.sleep(second.wait)
    assert throttle.take(Ask(3, 1000, [1], shared)).count == 0
    assert throttle.take(Ask(2, 1000, [1], shared)).count == 1


@pytest.mark.parametrize("rate", [10.0, 500.0])
def test_units_given_back_may_be_used_by_another(throttle: RedisThrottle, rate: float) -> None:
    shared = (Shared(ACCOUNT, rate),)
    full = at_once(throttle, 1, 1000, shared)

    throttle.take(Ask(1, 1000, [], shared, back=full))

    assert at_once(throttle, 2, 1000, shared) == full


def test_giving_back_what_was_never_taken_fills_no_bucket_beyond_its_brim(throttle: RedisThrottle) -> None:
    throttle.take(Ask(1, 100, [], back=1000))

    assert at_once(throttle, 1, 100, ()) == 10


def test_answers_leave_without_permits_and_others_wait_for_them(throttle: RedisThrottle) -> None:
    shared = (Shared(ACCOUNT, 1.0),)
    at_once(throttle, 1, 1000, shared)

    answers = throttle.take(Ask(1, 1000, [1] * 5, shared, must=True))
    others = throttle.take(Ask(2, 1000, [1], shared))

    assert answers == Grant(5)
    assert others.count == 0
    assert others.wait == pytest.approx(6.0, abs=0.5)


def test_many_answers_block_the_others_only_for_a_moment(throttle: RedisThrottle) -> None:
    throttle.take(Ask(1, 100, [1] * 5000, must=True))

    assert throttle.take(Ask(1, 100, [1])).wait <= 0.35


def test_a_person_gets_one_message_of_broadcasts_in_an_interval(throttle: RedisThrottle) -> None:
    first = throttle.take(Ask(1, 1000, [1] * 3, people=[7, 8, 7], pair=PAIR))
    second = throttle.take(Ask(1, 1000, [1] * 2, people=[8, 9], pair=PAIR))

    assert first == Grant(3, rests={2: pytest.approx(6.0, abs=0.1)})
    assert second == Grant(2, rests={0: pytest.approx(6.0, abs=0.1)})


def test_answers_may_use_the_burst_of_a_pair_and_are_paid_back(throttle: RedisThrottle) -> None:
    answers = throttle.take(Ask(1, 1000, [1] * 4, people=[7] * 4, pair=PAIR, must=True))
    broadcast = throttle.take(Ask(1, 1000, [1], people=[7], pair=PAIR))

    assert answers == Grant(4, rests={3: pytest.approx(6.0, abs=0.1)})
    assert broadcast == Grant(1, rests={0: pytest.approx(18.0, abs=0.1)})


def test_whoever_has_to_rest_takes_no_permit(slow: RedisThrottle) -> None:
    slow.take(Ask(1, 0.1, [1] * 2, people=[1, 2], pair=PAIR))

    grant = slow.take(Ask(1, 0.1, [1] * 20, people=[1, 2, *range(10, 28)], pair=PAIR))

    assert sorted(grant.rests) == [0, 1]
    assert grant.count == 10  # eight permits were left of ten


def test_another_sender_does_not_know_the_person(throttle: RedisThrottle) -> None:
    throttle.take(Ask(1, 1000, [1], people=[7], pair=PAIR))

    assert throttle.take(Ask(2, 1000, [1], people=[7], pair=PAIR)) == Grant(1)


def test_two_callers_never_write_to_one_person_twice_in_an_interval(
    client: redis.Redis, throttle: RedisThrottle
) -> None:
    seen: list[int] = []

    def ask() -> None:
        for start in range(0, 200, 20):
            grant = throttle.take(
                Ask(1, 100_000, [1] * 20, people=range(start, start + 20), pair=PairLimit(60.0))
            )
            seen.extend(start + place for place in range(grant.count) if place not in grant.rests)

    _together([ask] * 4)

    assert sorted(seen) == list(range(200))


def _together(work: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_an_emptied_redis_means_full_buckets_and_nothing_worse(
    client: redis.Redis, throttle: RedisThrottle
) -> None:
    ask = Ask(1, 1000, [1] * 50, (Shared(ACCOUNT, 100.0),), people=range(50), pair=PAIR)
    before = throttle.take(ask)
    client.flushall()

    assert throttle.take(ask) == before == Grant(10)


def test_every_key_ends_by_itself(client: redis.Redis, throttle: RedisThrottle) -> None:
    for sender in (1, 2):
        throttle.take(Ask(sender, 1000, [1] * 50, (Shared(ACCOUNT, 100.0),), range(50), PAIR))

    times = [client.pttl(key) for key in client.scan_iter("*")]

    assert len(times) >= 13  # a sender, the account and its turns, ten people
    assert all(0 < one <= 7_100 for one in times)
