"""The keeper of access tokens in Redis: sealed, gone when they run out, one process at a time behind its lock."""

import threading
import time
from collections.abc import Iterator
from copy import copy

import pytest
import redis

from app.domain.sealing import KeyRing
from app.gateways.base import Token
from app.gateways.tokens import Kept, with_tokens
from app.token_keeper import REST_SECONDS, RedisKeeper
from tests.gateways.test_tokens import Provider, answer, error_of, gateway, run

ACCOUNT = "wechat:wxappid000000000"


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def keeper(client: redis.Redis) -> RedisKeeper:
    return RedisKeeper(client, KeyRing(b"k" * 32), ACCOUNT)


def ms_left(client: redis.Redis, ending: str) -> int:
    (key,) = client.keys(f"*:{ending}")
    return client.pttl(key)


def test_a_token_is_kept_sealed_and_the_next_is_due_five_minutes_before_it_runs_out(
    client: redis.Redis, keeper: RedisKeeper
) -> None:
    assert keeper.token() is None

    keeper.keep(Token("a-secret-token", 7200))

    assert keeper.token() == Kept("a-secret-token", True)
    assert 7190_000 < ms_left(client, "token") <= 7200_000
    assert 6890_000 < ms_left(client, "fresh") <= 6900_000
    assert all(b"a-secret-token" not in (client.get(key) or b"") for key in client.keys("*"))


def test_a_token_in_its_last_minutes_still_counts_but_the_next_is_due_after_half_a_minute(
    client: redis.Redis, keeper: RedisKeeper
) -> None:
    keeper.keep(Token("old", 200))

    assert REST_SECONDS * 1000 - 1000 < ms_left(client, "fresh") <= REST_SECONDS * 1000
    client.delete(*client.keys("*:fresh"))
    assert keeper.token() == Kept("old", False)
    keeper.rest()
    assert keeper.token() == Kept("old", True)


def test_a_token_that_ran_out_is_none(keeper: RedisKeeper) -> None:
    keeper.keep(Token("brief", 0.05))
    time.sleep(0.1)

    assert keeper.token() is None


def test_another_master_key_or_another_account_sees_nothing(client: redis.Redis, keeper: RedisKeeper) -> None:
    keeper.keep(Token("t", 7200))

    assert RedisKeeper(client, KeyRing(b"x" * 32), ACCOUNT).token() is None
    assert RedisKeeper(client, KeyRing(b"k" * 32), "wechat:another").token() is None


def test_of_many_who_ask_one_gets_the_lock_and_after_it_another(keeper: RedisKeeper) -> None:
    with keeper.lock() as first, keeper.lock() as second:
        assert (first, second) == (True, False)
    with keeper.lock() as third:
        assert third


def test_of_twenty_lanes_whose_token_is_refused_one_asks_for_another(client: redis.Redis) -> None:
    RedisKeeper(client, KeyRing(b"k" * 32), ACCOUNT).keep(Token("retired", 7200))
    provider, ended, start = Provider(), [], threading.Barrier(20)

    def lane(number: int) -> None:
        wire = copy(provider)  # a connection of its own to the same provider
        wire.slots, wire._ended = 8, []
        transport = with_tokens(
            gateway(), wire, lambda account: RedisKeeper(client, KeyRing(b"k" * 32), account)
        )
        start.wait()
        ended.extend(run(transport, answer(number)))

    threads = [threading.Thread(target=lane, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [error_of(*one) for one in ended] == [None] * 20
    assert provider.questions == [True]
    assert len(provider.taken) == 20
