"""A real Redis-protocol server for the tests of one process, started as the product starts it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.supervisor.guard import Guard
from app.supervisor.redis import embedded_redis


@contextlib.contextmanager
def running_valkey() -> Iterator[str]:
    """Yield the URL of a server of its own; `REDIS_URL` of the developer's machine is left alone."""
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    home = Path(tempfile.mkdtemp(prefix="tidings-redis-"))  # short, for the socket's path
    try:
        with Guard() as guard, embedded_redis(home, env, guard) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)
