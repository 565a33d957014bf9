"""Heartbeats in Redis, so that `tidings doctor` and the health page can tell who is at work."""

from datetime import datetime

from app.runtime import runtime
from app.throttle import KEY_PREFIX

TTL_SECONDS = 90


def beat(role: str, now: datetime) -> None:
    """Say that a `role` (worker, replies, clock) was alive at `now`."""
    runtime().redis.set(f"{KEY_PREFIX}:heartbeat:{role}", now.isoformat(), ex=TTL_SECONDS)
