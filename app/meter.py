"""What lanes have done, counted in Redis while they do it, for whoever reads the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import redis
import structlog

from app.throttle import KEY_PREFIX

_IN_FLIGHT = "in_flight:"
# A worker that died says nothing any more; what it had in flight then is not in flight now.
_BELIEVED_SECONDS = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LaneCounts:
    """A lane's counts since Redis began: messages by what came of them, permits; and how many are in flight now."""

    counts: Mapping[str, int] = field(default_factory=dict)
    in_flight: int = 0


class RedisMeter:
    """Counts hand-overs. Nothing here is a record: without Redis nothing is counted, and sending goes on."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def note(
        self, sender_id: int, worker: str, counts: Mapping[str, int], in_flight: int, now: datetime
    ) -> None:
        """Add `counts`, and say how many of this worker's messages wait for an answer."""
        key = _key(sender_id)
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for name, count in counts.items():
                    pipe.hincrby(key, name, count)
                if in_flight:
                    pipe.hset(key, f"{_IN_FLIGHT}{worker}", f"{in_flight}@{now.timestamp():.0f}")
                else:
                    pipe.hdel(key, f"{_IN_FLIGHT}{worker}")
                pipe.execute()
        except redis.RedisError as error:
            log.warning("could not count what the lane did", sender_id=sender_id, error=str(error)[:200])

    def read(self, sender_id: int, now: datetime) -> LaneCounts:
        """Return a lane's counts; raises `redis.RedisError` when Redis is away."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(_key(sender_id)))
        counts: dict[str, int] = {}
        in_flight = 0
        for raw, value in found.items():
            name = raw.decode()
            if not name.startswith(_IN_FLIGHT):
                counts[name] = int(value)
                continue
            number, _, at = value.decode().partition("@")
            in_flight += int(number) if now.timestamp() - float(at) < _BELIEVED_SECONDS else 0
        return LaneCounts(counts, in_flight)


def _key(sender_id: int) -> str:
    return f"{KEY_PREFIX}:{{sender:{sender_id}}}:meter"
