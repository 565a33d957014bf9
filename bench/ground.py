"""Where a scenario happens: the product's processes, which may be killed, on servers that may be restarted."""

import contextlib
import csv
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from app.clock import utcnow
from app.gateways.registry import build
from app.queue import begin
from app.runtime import runtime
from app.services import manage_senders, reports
from app.storage.database import db
from app.supervisor.guard import Guard
from bench import stage
from bench.ceiling import Ceiling
from bench.ours import SENDER, Newsroom, newsroom
from bench.running import ROOT, RunFailed, environment, wait_until
from bench.sink import Account, Sink, running_sink

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


@dataclass
class Ground:
    """One newsroom and everything around it. `server` is None on SQLite."""

    directory: Path
    guard: Guard
    sink: Sink
    account: Account
    room: Newsroom
    server: URL | None
    redis: contextlib.ExitStack
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, *names: str, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None) -> None:
        """Start processes of `python -m workers`; a name is a command, and may have a number: worker2.

        `prefix` is a command that runs them elsewhere, `env` the settings that differ there.
        """
        for name in names:
            with (self.directory / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    [*prefix, sys.executable, "-m", "workers", name.rstrip("0123456789")],
                    env=environment({**self.room.env, **(env or {})}),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.guard.watch(self._running[name].pid)

    def ceiling(self, seconds: float = 1.0) -> tuple[float, str]:
        """How fast the sink can be driven at this moment, and by what; the sink forgets everything."""
        found = Ceiling(self.sink, self.account, self.directory, seconds)
        speed = found.per_second()
        self.sink.reset()
        return speed, found.kind

    def pid(self, name: str) -> int:
        """The id of a process that was started here."""
        return self._running[name].pid

    def worker(self, name: str) -> int | None:
        """RQ's worker below the keeper of this name; None when it has just died."""
        return _first_child(self.pid(name))

    def child(self, name: str) -> int | None:
        """The process that a worker forked for the job in its hands; None between two jobs."""
        worker = self.worker(name)
        return _first_child(worker) if worker else None

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """End everything that still runs, politely first."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def restart_redis(self) -> None:
        """Stop the server in an orderly way and start it again on its own data."""
        self.redis.close()
        self.redis.enter_context(stage.own_redis(self.directory, self.guard))

    def restart_database(self) -> bool:
        """Pull PostgreSQL's plug and start it again; False on SQLite, which has no server."""
        if self.server is None:
            return False
        stage.restart_postgres(self.server, self.guard)
        return True

    def pace(self, per_second: float, sender: str = SENDER) -> None:
        """Set a sender's rate."""
        with self.room.app.app_context():
            manage_senders.set_rate(
                sender,
                per_second,
                registry=build,
                by="bench",
                controller=runtime().controller,
                now=utcnow(),
            )

    def schedule(self, list_id: int | None = None) -> int:
        """Send a broadcast now to a list, without one the first, as the desk does; the sink forgets what was before."""
        self.sink.reset()
        with self.room.app.app_context():
            broadcast_id = self.room.schedule(list_id)
            begin(broadcast_id, utcnow())
            return broadcast_id

    def tally(self, broadcast_id: int) -> reports.Tally:
        """What the report says. A server that was restarted costs the connections, not the answer."""
        with self.room.app.app_context():
            db.session.remove()
            db.engine.dispose()
            return reports.tally(broadcast_id)

    def until_settled(self, broadcast_id: int, seconds: float) -> None:
        """Wait until the product says that nobody waits any more. Raises `RunFailed`."""

        def settled() -> bool:
            seen = self.tally(broadcast_id)
            time.sleep(0.1)
            return seen.audience > 0 and seen.settled == seen.audience

        try:
            wait_until(settled, seconds)
        except RunFailed as error:
            raise RunFailed(f"{error} {self.tally(broadcast_id)} {self.last_words()}") from error

    def until_arrived(self, count: int, seconds: float = 60.0) -> None:
        """Wait until the sink took so many messages. Raises `RunFailed`."""
        try:
            wait_until(lambda: self.sink.stats().total >= count, seconds)
        except RunFailed as error:
            raise RunFailed(f"{error} {self.sink.stats()} {self.last_words()}") from error

    def fates(self, broadcast_id: int) -> dict[str, str]:
        """What the product's report says became of each number."""
        with self.room.app.app_context():
            rows = csv.DictReader("".join(reports.deliveries_csv(broadcast_id)).splitlines())
            return {row["address"].lstrip("'"): row["status"] for row in rows}

    def last_words(self) -> str:
        """The ends of all logs, for a run that failed."""
        logs = sorted(self.directory.glob("*.log"))
        return "\n".join(f"{one.name}: {one.read_text(errors='replace')[-1200:]}" for one in logs)


def _first_child(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None
    return None


@contextlib.contextmanager
def ground(
    database: str, *, people: int, delay_ms: int = 0, address: str = "127.0.0.1", more: int = 0
) -> Iterator[Ground]:
    """Make a newsroom of `people` on a database (`SQLITE` or `POSTGRES`), and end everything afterwards.

    `more` is how many people come later, so that the sink has room for them.

    Raises `NoDatabase`, `RedisUnavailableError`.
    """
    account = Account("AC" + secrets.token_hex(16), secrets.token_hex(16), secrets.token_bytes(16))
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidings-bench-")))
        guard = stack.enter_context(Guard())
        redis = stack.enter_context(contextlib.ExitStack())
        redis_url = redis.enter_context(stage.own_redis(home, guard))
        sink = stack.enter_context(
            running_sink(home, account, delay_ms=delay_ms, guard=guard, address=address, people=people + more)
        )
        server = stack.enter_context(stage.own_postgres(guard)) if database == POSTGRES else None
        url = f"sqlite:///{home / 'bench.db'}"
        if server:
            name = f"tidings_bench_{os.getpid()}"
            made = stack.enter_context(stage.empty_database(server, name))
            url = made.render_as_string(hide_password=False)
        room = stack.enter_context(newsroom(url, redis_url, home, sink, account, people=people))
        found = Ground(home, guard, sink, account, room, server, redis)
        stack.callback(found.end)
        yield found
