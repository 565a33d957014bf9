"""How fast messages leave: one Lua script on Redis for all limits at once, permits in bulk, shared by all workers."""

from functools import cached_property
from importlib.resources import files
from itertools import groupby
from typing import Any

import redis

from app.domain.pace import Ask, Grant

KEY_PREFIX = "tidings"
_MICRO = 1_000_000


class RedisThrottle:
    """Hands out permits. Nothing here is a record: an empty Redis only means full buckets."""

    def __init__(self, client: redis.Redis, burst_seconds: float = 0.1) -> None:
        self._client = client
        self._burst_seconds = burst_seconds

    @cached_property
    def _script(self) -> Any:
        return self._client.register_script(files("app").joinpath("throttle.lua").read_text())

    def take(self, ask: Ask) -> Grant:
        """Ask whether messages may leave now; see `Ask` and `Grant`. What is given back counts at once.

        Units given back while others were granted some may leave beside those: a window more than the burst, and never
        more than the rate in the long run.
        """
        if not ask.costs and not ask.back:
            return Grant(0)
        rates = [ask.rate, *(one.rate for one in ask.shared)]
        bursts = [number for rate in rates for number in (rate, max(1.0, rate * self._burst_seconds))]
        runs = [number for cost, run in groupby(ask.costs) for number in (cost, len(list(run)))]
        head = (ask.sender_id, len(rates), ask.back, int(ask.must), *_pair(ask))
        granted, wait_us, *rests = self._script(keys=_keys(ask), args=[*head, *bursts, *runs])
        pauses = zip(rests[::2], rests[1::2], strict=True)
        return Grant(int(granted), int(wait_us) / _MICRO, {int(at): int(us) / _MICRO for at, us in pauses})

    def pause(self, sender_id: int, seconds: float) -> None:
        """Let nothing out at this sender for `seconds`, for the provider asked us to wait."""
        clock = self._client.time()
        until = clock[0] * _MICRO + clock[1] + int(seconds * _MICRO)
        self._client.set(f"{_sender(sender_id)}:paused", until, px=max(1, int(seconds * 1000)))


def _pair(ask: Ask) -> tuple[int, int, int]:
    """Return a person's interval, how far ahead of now these messages may get, and how far any may (microseconds)."""
    if ask.pair is None:
        return 0, 0, 0
    interval = int(ask.pair.seconds * _MICRO)
    most = interval * ask.pair.burst
    return interval, most if ask.must else interval, most


def _keys(ask: Ask) -> list[str]:
    """Return the keys in the script's order. A sender's own share a hash tag; limits of several senders cannot."""
    sender = _sender(ask.sender_id)
    keys = [f"{sender}:paused", f"{sender}:tat"]
    for one in ask.shared:
        keys += (f"{KEY_PREFIX}:{one.name}:tat", f"{KEY_PREFIX}:{one.name}:turns")
    if ask.pair is not None:
        keys += [f"{sender}:pair:{person}" for person in ask.people]
    return keys


def _sender(sender_id: int) -> str:
    return f"{KEY_PREFIX}:{{sender:{sender_id}}}"
