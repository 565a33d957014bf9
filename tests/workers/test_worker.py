"""The worker's process: it waits for a Redis that is away, and ends when asked."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from app.supervisor.redis import embedded_redis
from tests.support.application import MASTER_KEY, SECRET_KEY
from tests.support.databases import SqliteDatabases

ROOT = Path(__file__).parents[2]


class Process:
    """`python -m workers worker` on a Redis at `url`, and what it says."""

    def __init__(self, home: Path, database_url: str, url: str) -> None:
        self._log = home / "worker.log"
        settings = {
            "PATH": os.environ.get("PATH", os.defpath),
            "DATABASE_URL": database_url,
            "REDIS_URL": url,
            "SECRET_KEY": SECRET_KEY,
            "MASTER_KEY": MASTER_KEY,
            "PUBLIC_URL": "http://localhost",
            "TIDINGS_HOME": str(home),
        }
        with self._log.open("wb") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers", "worker"],
                cwd=ROOT,
                env=settings,
                stdout=words,
                stderr=words,
            )

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while words not in self.said():
            assert time.monotonic() < deadline, f"it never said {words!r}:\n{self.said()[-2000:]}"
            time.sleep(0.02)

    def end(self) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)


@pytest.fixture
def tidy() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(sqlite_databases: SqliteDatabases, tidy: ExitStack, tmp_path: Path):
    def start(url: str) -> Process:
        worker = Process(tmp_path, tidy.enter_context(sqlite_databases.fresh()), url)
        tidy.callback(worker.process.wait)
        tidy.callback(worker.process.kill)
        return worker

    return start


def test_it_waits_for_a_redis_that_is_away_and_ends_when_asked(start) -> None:
    worker = start("redis://127.0.0.1:1/0")

    worker.wait_for("has lost Redis and begins anew")

    assert worker.process.poll() is None
    assert worker.end() == 0


@pytest.mark.slow
def test_it_beats_again_once_redis_is_back(start, tidy: ExitStack, tmp_path: Path) -> None:
    home = tmp_path / "r"
    with embedded_redis(home, {"PATH": os.environ.get("PATH", os.defpath)}) as url:
        worker = start(url)
        with redis.Redis.from_url(url) as client:
            wait_for_beat(client)
    worker.wait_for("could not connect to Redis")
    url = tidy.enter_context(embedded_redis(home, {"PATH": os.environ.get("PATH", os.defpath)}))

    with redis.Redis.from_url(url) as client:
        client.flushall()
        wait_for_beat(client)
    assert worker.end() == 0


def wait_for_beat(client) -> None:
    deadline = time.monotonic() + 30
    while not client.get("tidings:heartbeat:worker"):
        assert time.monotonic() < deadline, "no heartbeat came"
        time.sleep(0.05)
