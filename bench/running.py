"""Start a worker process, watch it work, measure it, end it: the same way for every contender."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from rq import Worker

from app.supervisor.guard import Guard
from bench import cpu
from bench.sink import Stats
from bench.tokens import fingerprint

ROOT = Path(__file__).parents[1]
POLL_SECONDS = 0.02
_MEMORY_EVERY = 0.2
START_SECONDS = 30.0


class RunFailed(Exception):
    """A contender did not do its work; the text ends with its last words."""


@dataclass(frozen=True)
class Run:
    """One measurement. `faults` says why it does not count; empty when it does."""

    messages: int
    seconds: float
    cpu_seconds: float
    faults: tuple[str, ...] = ()
    duplicates: int = 0
    lost: int = 0
    memory_mb: float = 0.0

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU for each message: worker, Redis and database together."""
        return self.cpu_seconds / self.messages * 1e6


def first_to_last(
    seen: Stats, people: Sequence[tuple[str, str]], *, cpu_seconds: float, memory_mb: float = 0.0
) -> Run:
    """Judge a run to `people` (number, token) by the sink alone, timed from the first arrival to the last."""
    return Run(
        messages=len(people),
        # From the first of n arrivals to the last there are n - 1 messages' worth of time.
        seconds=seen.seconds * len(people) / (len(people) - 1),
        cpu_seconds=cpu_seconds,
        faults=tuple(seen.faults(len(people), fingerprint(token for _, token in people))),
        duplicates=seen.duplicates,
        lost=seen.lost(len(people)),
        memory_mb=memory_mb,
    )


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker: nothing of the caller's but PATH, so no proxy comes in between."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/"), **extra}


@contextlib.contextmanager
def process(
    command: Sequence[str], *, env: Mapping[str, str], guard: Guard, log: Path, keep: Sequence[int] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command in a session of its own, its words into `log`; end it afterwards, politely first.

    `keep` are open files of ours that it has, too.
    """
    with log.open("wb") as words:
        running = subprocess.Popen(
            command,
            env=environment(env),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            pass_fds=keep,
        )
    guard.watch(running.pid)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextlib.contextmanager
def worker(
    arguments: Sequence[str], *, env: Mapping[str, str], client: redis.Redis, guard: Guard, log: Path
) -> Iterator[int]:
    """Run `python ARGUMENTS` until RQ knows it as a worker; yield its process id, and end it afterwards."""
    with process([sys.executable, *arguments], env=env, guard=guard, log=log) as running:
        wait_until(lambda: Worker.count(connection=client) > 0, START_SECONDS, running, log)
        yield running.pid


def wait_until(
    done: Callable[[], bool],
    seconds: float,
    process: "subprocess.Popen[bytes] | None" = None,
    log: Path | None = None,
) -> None:
    """Ask until `done`. Raises `RunFailed` after `seconds`, or when the process ended."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            last = log.read_text(errors="replace")[-2000:] if log else ""
            ended = process is not None and process.poll() is not None
            why = "The worker ended early." if ended else f"The work was not done after {seconds:.0f} s."
            raise RunFailed(f"{why} Is the machine busy? Load {os.getloadavg()[0]:.1f}. {last}".strip())
        time.sleep(POLL_SECONDS)


class CpuMeter:
    """CPU seconds that some processes and their descendants spend from now on."""

    def __init__(self, *pids: int | None) -> None:
        self._pids = [pid for pid in pids if pid is not None]
        self._before = self._now()

    def _now(self) -> float:
        return sum(cpu.tree_seconds(pid) for pid in self._pids)

    def spent(self) -> float:
        """Return what was spent so far."""
        return self._now() - self._before


class MemoryMeter:
    """Looks at the memory of some processes and their descendants while the body runs; `most` is in megabytes."""

    def __init__(self, *pids: int) -> None:
        self.most, self._pids, self._over = 0.0, pids, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_MEMORY_EVERY):
            self.most = max(self.most, sum(map(cpu.tree_megabytes, self._pids)))
