"""A peer: Celery with Redis, a task for each recipient, Twilio's SDK. It gets a Python of its own, made by pip here."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import redis

from app.supervisor.guard import Guard
from bench import fetched, sdk
from bench.running import (
    ROOT,
    CpuMeter,
    MemoryMeter,
    Run,
    RunFailed,
    environment,
    first_to_last,
    process,
    wait_until,
)
from bench.sink import Account, Sink
from bench.stage import redis_pid

# As many threads as the SDK's session keeps connections.
POOLS = {"prefork 2": ("prefork", "2"), "threads 10": ("threads", "10")}
_WANTED = "celery[redis]>=5.5,<6"
_SLOWEST_PER_SECOND = 20.0


@dataclass(frozen=True)
class CeleryPython:
    """A Python with Celery in a folder that is thrown away."""

    python: Path
    version: str


def install(folder: Path) -> CeleryPython:
    """Make a virtual environment in `folder` and let pip fetch Celery into it. Raises `NotInstalled`."""
    python = fetched.python_with(folder, _WANTED, f"twilio=={version('twilio')}")
    say = "from importlib.metadata import version as v; print(v('celery'))"
    return CeleryPython(python, fetched.run_command([str(python), "-c", say], "Celery").strip())


@dataclass(frozen=True)
class CeleryPeer:
    """One kind of pool against the sink."""

    pool: str
    size: str
    installed: CeleryPython
    redis_url: str
    sink: Sink
    account: Account
    number: str
    directory: Path
    guard: Guard

    def measure(self, people: Sequence[tuple[str, str]]) -> Run:
        """Send to `people` (number, token), and time it from the first arrival at the sink to the last.

        Neither queueing the tasks nor starting the worker counts, as for the naive baseline.
        """
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()
            self._enqueue(people)
            self.sink.reset()
            log = self.directory / "celery.log"
            with (
                process(self._command(), env=self._environment(), guard=self.guard, log=log) as running,
                MemoryMeter(running.pid) as memory,
            ):
                wait_until(lambda: self.sink.stats().total > 0, 60, running, log)
                late, meter = self.sink.stats().total, CpuMeter(running.pid, redis_pid(client))
                most = 30 + len(people) / _SLOWEST_PER_SECOND
                wait_until(lambda: self.sink.stats().total >= len(people), most, running, log)
                spent = meter.spent() * len(people) / max(1, len(people) - late)
        return first_to_last(self.sink.stats(), people, cpu_seconds=spent, memory_mb=memory.most)

    def _enqueue(self, people: Sequence[tuple[str, str]]) -> None:
        texts = json.dumps([(to, sdk.TEXT.format(token)) for to, token in people])
        done = subprocess.run(
            [str(self.installed.python), "-m", "bench.celery_tasks"],
            input=texts,
            env=environment(self._environment()),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60 + len(people) / _SLOWEST_PER_SECOND,
            check=False,
        )
        if done.returncode:
            raise RunFailed(f"Celery's tasks could not be queued. {done.stderr[-2000:]}")

    def _command(self) -> list[str]:
        options = ["-P", self.pool, "-c", self.size, "-l", "WARNING"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return [
            str(self.installed.python),
            "-m",
            "celery",
            "-A",
            "bench.celery_tasks",
            "worker",
            *options,
            *quiet,
        ]

    def _environment(self) -> dict[str, str]:
        wanted = sdk.settings(self.sink.url, self.account.sid, self.account.auth_token, self.number)
        # Celery has a name of its own for Redis on a Unix socket.
        return {**wanted, "BENCH_REDIS": self.redis_url.replace("unix://", "redis+socket://", 1)}
