"""Runs everything that Tidings needs on one machine, for `tidings demo` and `tidings up`, until Ctrl-C."""

import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from app.supervisor.guard import Guard
from app.supervisor.lock import hold_lock
from app.supervisor.processes import Processes
from app.supervisor.redis import embedded_redis

READY_SECONDS = 30.0
"""How long the web process may take until it answers (usual: 1 s)."""

Environment = Mapping[str, str]
OnReady = Callable[[str], int | None]
"""Called with the address once the web process answers. A number ends everything with that exit code."""


def serve(
    name: str,
    commands: Mapping[str, str],
    *,
    home: Path,
    env: Environment,
    ready_url: str,
    on_ready: OnReady,
    prepare: Callable[[Environment], None] | None = None,
    cwd: Path | None = None,
    output: TextIO | None = None,
    ready_seconds: float = READY_SECONDS,
) -> int:
    """Hold the lock `name`, start Redis, call `prepare`, start `commands`, wait for `ready_url`, call `on_ready`.

    `commands` are shell commands by name, run in `cwd` with `env` and the REDIS_URL that was found. `prepare`
    (migrations) gets that environment too. `on_ready` runs in a thread of its own. What the commands print goes
    to `output`; with None it is only shown when something fails.

    Returns the exit code: 0 after Ctrl-C or SIGTERM; what `on_ready` returned; 1 when a command ended by itself
    or the address did not answer within `ready_seconds`. Call it from the main thread. Raises
    `AlreadyRunningError` and `RedisUnavailableError`; what `prepare` or `on_ready` raise comes out after
    everything was stopped.
    """
    session = _Session(dict(commands), ready_url, on_ready, ready_seconds, output)
    before = signal.getsignal(signal.SIGINT)
    try:
        with hold_lock(home, name) as lock, Guard() as guard, embedded_redis(home, env, guard) as redis_url:
            try:
                environment = _with_own_programs(env) | {"REDIS_URL": redis_url}
                if prepare is not None:
                    prepare(environment)
                lock.announce(session.url)
                code = session.run(environment, cwd or Path.cwd(), guard)
            finally:
                signal.signal(
                    signal.SIGINT, signal.SIG_IGN
                )  # a second Ctrl-C must not disturb the tidying up
    except KeyboardInterrupt:
        code = 0
    finally:
        signal.signal(signal.SIGINT, before)
    if code == 0:
        print("stopped cleanly", flush=True)  # noqa: T201
    return code


@dataclass
class _Session:
    """The commands of one `serve`, and the thread that waits for them and calls `on_ready`."""

    commands: dict[str, str]
    ready_url: str
    on_ready: OnReady
    ready_seconds: float
    output: TextIO | None
    answer: int | None = None
    error: Exception | None = None
    failure: str = ""

    @property
    def url(self) -> str:
        """The address for people."""
        parts = urlsplit(self.ready_url)
        return f"{parts.scheme}://{parts.netloc}/"

    def run(self, env: Environment, cwd: Path, guard: Guard) -> int:
        companion = threading.Thread(target=self._accompany, daemon=True)
        self.processes = Processes(
            self.commands, env=env, cwd=cwd, guard=guard, on_started=companion.start, output=self.output
        )
        self.processes.run()
        companion.join(timeout=5)  # it may be in the middle of a long `on_ready`
        if self.error is not None:
            raise self.error
        return self._exit_code()

    def _exit_code(self) -> int:
        ended = self.processes.first_to_end
        if ended is not None:
            self.failure = (
                f"{ended.name} ended by itself with exit code {ended.exit_code}, so the rest was stopped."
            )
        if not self.failure:
            return self.answer or 0
        names = [ended.name] if ended is not None else list(self.commands)
        print(self.failure, *map(self._tail, names), sep="\n", file=sys.stderr, flush=True)  # noqa: T201
        return 1

    def _tail(self, name: str) -> str:
        lines = self.processes.last_lines(name) or ["(nothing)"]
        return "\n".join([f"The last that {name} printed:", *(f"  {line}" for line in lines)])

    def _accompany(self) -> None:
        try:
            if self._wait_until_ready():
                self.answer = self.on_ready(self.url)
        except Exception as error:  # re-raised in the main thread by run()
            self.error = error
        if self.answer is not None or self.error is not None or self.failure:
            self.processes.stop()

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + self.ready_seconds
        while not self.processes.stopping:
            if _answers(self.ready_url):
                return True
            if time.monotonic() > deadline:
                self.failure = f"{self.ready_url} did not answer within {self.ready_seconds:g} seconds."
                return False
            time.sleep(0.05)
        return False


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot see this machine
    try:
        with direct.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _with_own_programs(env: Environment) -> dict[str, str]:
    """`python` in a Procfile means that of the environment that runs us."""
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    return dict(env) | {"PATH": path, "PYTHONUNBUFFERED": "1"}
