"""Messages per second per sender: one Lua script on Redis, permits taken in bulk, shared by all workers."""

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from itertools import groupby
from typing import Any

import redis

KEY_PREFIX = "tidings"


class RedisThrottle:
    """Hands out permits. Nothing here is a record: an empty Redis only means a full bucket."""

    def __init__(self, client: redis.Redis, burst_seconds: float = 0.1) -> None:
        self._client = client
        self._burst_seconds = burst_seconds

    @cached_property
    def _script(self) -> Any:
        return self._client.register_script(files("app").joinpath("throttle.lua").read_text())

    def take(self, sender_id: int, rate: float, costs: Sequence[int]) -> tuple[int, float]:
        """Ask to send messages that cost `costs` units each (SMS: parts) at `rate` units a second.

        Returns how many of them, from the first on, may leave now, and seconds to wait when none may.
        """
        if not costs:
            return 0, 0.0
        burst = max(1.0, rate * self._burst_seconds)
        runs = [number for cost, run in groupby(costs) for number in (cost, len(list(run)))]
        granted, wait_us = self._script(keys=list(self._keys(sender_id)), args=[rate, burst, *runs])
        return int(granted), int(wait_us) / 1_000_000

    def pause(self, sender_id: int, seconds: float) -> None:
        """Let nothing out at this sender for `seconds`, for the provider asked us to wait."""
        clock = self._client.time()
        until = clock[0] * 1_000_000 + clock[1] + int(seconds * 1_000_000)
        self._client.set(self._keys(sender_id)[1], until, px=max(1, int(seconds * 1000)))

    def _keys(self, sender_id: int) -> tuple[str, str]:
        # One hash tag for each sender, so that both keys live on one node of a cluster.
        return f"{KEY_PREFIX}:{{sender:{sender_id}}}:tat", f"{KEY_PREFIX}:{{sender:{sender_id}}}:paused"
