"""What Redis tells of itself and of our processes, for the doctor and the page on health."""

from redis import Redis
from redis.exceptions import RedisError

from app.throttle import KEY_PREFIX


class RedisPulse:
    """Answers the doctor's questions about Redis."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    def version(self) -> tuple[int, ...]:
        """Return the version of the protocol's server; raises OSError when it does not answer."""
        try:
            written = str(self._client.info("server")["redis_version"])
        except RedisError as error:
            raise OSError(str(error)) from error
        return tuple(int(part) for part in written.split(".") if part.isdigit())

    def heartbeat(self, process: str) -> str | None:
        """Return when a kind of process was last alive; raises OSError when Redis does not answer."""
        try:
            beat = self._client.get(f"{KEY_PREFIX}:heartbeat:{process}")
        except RedisError as error:
            raise OSError(str(error)) from error
        return beat.decode() if isinstance(beat, bytes) else None
