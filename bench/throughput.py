"""How many messages a second one worker process hands over, beside the naive baseline and the ceiling."""

import contextlib
import os
import platform
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pycurl
import redis

from app.clock import utcnow
from app.supervisor.guard import Guard
from bench import cpu, stage
from bench.ceiling import Ceiling
from bench.naive import FORKING, SIMPLE, Naive
from bench.ours import NUMBER, Newsroom, newsroom
from bench.report import NAIVE_FORK, NAIVE_SIMPLE, Report, Round
from bench.running import Run
from bench.running_all import commit
from bench.sink import Account, Sink, running_sink

Contenders = dict[str, Callable[[], Run]]
SQLITE, POSTGRES = "ours, SQLite", "ours, PostgreSQL"


@dataclass(frozen=True)
class Plan:
    """How much is measured. `postgres` is "" for none, "own" for a throw-away server, or a URL.

    After the first round none begins that would, going by the last one, end more than `seconds` after the start.
    """

    rounds: int
    recipients: int
    naive_fork: int
    naive_simple: int
    ceiling_seconds: float
    sqlite: bool = True
    postgres: str = ""
    judge_speed: bool = True
    compiler: str = "cc"
    seconds: float = 3600.0

    @property
    def ours(self) -> str:
        """The contender that short answers are about."""
        return POSTGRES if self.postgres else SQLITE


@dataclass
class Field:
    """Everything that stands ready for a round."""

    plan: Plan
    directory: Path
    redis_url: str
    sink: Sink
    account: Account
    guard: Guard
    load: float
    newsrooms: dict[str, Newsroom] = field(default_factory=dict)

    @property
    def ceiling(self) -> Ceiling:
        return Ceiling(self.sink, self.account, self.directory, self.plan.ceiling_seconds)

    @property
    def people(self) -> Sequence[tuple[str, str]]:
        """Whom every contender may reach: number and token."""
        return next(iter(self.newsrooms.values())).people

    def naive(self) -> Contenders:
        """The baselines that the plan asks for."""
        counts = {NAIVE_FORK: (FORKING, self.plan.naive_fork), NAIVE_SIMPLE: (SIMPLE, self.plan.naive_simple)}
        return {
            name: partial(self._naive, worker_class, self.people[:count])
            for name, (worker_class, count) in counts.items()
            if count
        }

    def ours(self) -> Contenders:
        """The product on each database."""
        log = self.directory / "worker.log"
        return {name: partial(room.measure, self.guard, log) for name, room in self.newsrooms.items()}

    def _naive(self, worker_class: str, people: Sequence[tuple[str, str]]) -> Run:
        baseline = Naive(
            worker_class, self.redis_url, self.sink, self.account, NUMBER, self.directory, self.guard
        )
        return baseline.measure(people)


def run(plan: Plan) -> Report:
    """Measure by `plan`, telling progress on stderr. Raises `RunFailed`, `NoDatabase`, `RedisUnavailableError`."""
    with ready(plan) as field:
        return rounds(field, {**field.naive(), **field.ours()})


def rounds(field: Field, contenders: Contenders, facts: Mapping[str, str] | None = None) -> Report:
    """Measure every contender once a round, each round between two measurements of the ceiling."""
    plan, done, began = field.plan, list[Round](), time.monotonic()
    before = field.ceiling.per_second()
    for number in range(1, plan.rounds + 1):
        round_began = time.monotonic()
        runs = {name: measure() for name, measure in contenders.items()}
        done.append(Round(before, field.ceiling.per_second(), runs))
        before = done[-1].after
        _tell(number, done[-1], plan)
        if 2 * time.monotonic() - round_began - began > plan.seconds:
            break
    field.sink.reset()
    return Report(
        {**_facts(field), **(facts or {})},
        done,
        field.ceiling.bare_per_second(),
        judge_speed=plan.judge_speed,
    )


@contextlib.contextmanager
def ready(plan: Plan) -> Iterator[Field]:
    """Start what all contenders need, with everybody on a list of ours in each database; end it afterwards."""
    load = os.getloadavg()[0]
    # Shorter than Twilio's: Kannel breaks an Authorization header of more than 57 bytes over two lines.
    account = Account("AC" + secrets.token_hex(16), secrets.token_hex(8), secrets.token_bytes(16))
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidings-bench-")))
        guard = stack.enter_context(Guard())
        redis_url = stack.enter_context(stage.own_redis(directory, guard))
        sink = stack.enter_context(running_sink(directory, account, compiler=plan.compiler, guard=guard))
        found = Field(plan, directory, redis_url, sink, account, guard, load)
        for name, url in _databases(plan, directory, guard, stack):
            say(f"{name}: {plan.recipients:,} subscribers are let onto the list")
            found.newsrooms[name] = stack.enter_context(
                newsroom(url, redis_url, directory, sink, account, people=plan.recipients)
            )
        yield found


def _databases(
    plan: Plan, directory: Path, guard: Guard, stack: contextlib.ExitStack
) -> Iterator[tuple[str, str]]:
    if plan.sqlite:
        yield SQLITE, f"sqlite:///{directory / 'bench.db'}"
    if plan.postgres:
        own = plan.postgres == "own"
        server = stack.enter_context(stage.own_postgres(guard)) if own else stage.server_url(plan.postgres)
        name = f"tidings_bench_{secrets.token_hex(4)}"
        url = stack.enter_context(stage.empty_database(server, name))
        yield POSTGRES, url.render_as_string(hide_password=False)


def _facts(ready: Field) -> dict[str, str]:
    with redis.Redis.from_url(ready.redis_url) as client:
        info = client.info("server")
    assert isinstance(info, dict)
    server = info.get("valkey_version") or info["redis_version"]
    packages = ("rq", "redis", "twilio", "SQLAlchemy", "psycopg")
    libraries = ", ".join(f"{name} {version(name)}" for name in packages)
    libcurl = pycurl.version_info()[1]
    return {
        "measured": f"{utcnow():%Y-%m-%d %H:%M} UTC, commit {commit()}, load {ready.load:.1f} before the start",
        "machine": f"{os.cpu_count()} × {cpu.model()}, {platform.system()}, loopback; all processes share it",
        "versions": f"Python {platform.python_version()}, {libraries}, libcurl {libcurl}",
        "databases": ", ".join(room.database for room in ready.newsrooms.values())
        + f"; {'Valkey' if 'valkey_version' in info else 'Redis'} {server}",
        "sink": ready.sink.kind,
        "ceiling": ready.ceiling.kind,
    }


def _tell(number: int, one: Round, plan: Plan) -> None:
    speeds = "; ".join(f"{name} {run.per_second:,.1f}/s" for name, run in one.runs.items())
    faults = one.faults(judge_speed=plan.judge_speed)
    verdict = f"  VOID: {'; '.join(faults)}" if faults else ""
    say(f"round {number} of {plan.rounds}: {speeds}; ceiling {one.ceiling:,.0f}/s{verdict}")


def say(words: str) -> str:
    """Tell progress on stderr; returns the words."""
    print(words, file=sys.stderr, flush=True)
    return words
