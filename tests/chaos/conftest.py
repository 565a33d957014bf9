"""A stack of real processes for each test, on a copy of a database with ten thousand people in it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.supervisor.guard import Guard
from app.supervisor.ports import free_ports
from tests.chaos.people import EVERYBODY, NUMBERS, SOME, SOME_NUMBERS, write_people
from tests.conftest import open_postgres
from tests.support.databases import Migrate, PostgresDatabases, SqliteDatabases
from tests.support.schema import upgrade_to_head
from tests.support.stack import ACCOUNT, NUMBER, SENDER, TOKEN, RedisServer, Site, Stack

RunningStack = Callable[..., Stack]


@dataclass(frozen=True)
class Ground:
    """What the stacks of one test session share: ports, because the sender's address is in the database."""

    home: Path
    web_port: int
    provider_port: int

    def site(self, home: Path, database_url: str, redis_url: str) -> Site:
        return Site(home, database_url, redis_url, self.web_port, self.provider_port)


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    web, provider = free_ports(2, start=21000 + os.getpid() % 2000)
    return Ground(tmp_path_factory.mktemp("ground"), web, provider)


@pytest.fixture(scope="session")
def furnish(ground: Ground) -> Migrate:
    """Bring an empty database to the schema, then make a newsroom in it by the commands that operators use."""

    def furnish(url: str) -> None:
        upgrade_to_head(url)
        site = ground.site(ground.home, url, "redis://127.0.0.1:1/0")  # nothing here needs Redis
        site.cli(
            "senders", "add", SENDER, "--gateway", "twilio", "--base-url", site.provider, "--rate", "3000",
            "--set", f"account_sid={ACCOUNT}", "--set", f"auth_token={TOKEN}", "--set", f"from={NUMBER}",
            "--set", "stop_answered_by=us",  # its simulated account answers nobody
        )  # fmt: skip
        for name, people in ((EVERYBODY, NUMBERS), (SOME, SOME_NUMBERS)):
            site.cli(
                "lists", "create", name, "--keyword", name, "--purpose", f"news for {name}",
                "--from-hour", "0", "--until-hour", "24", "--max-per-day", "50", "--any-hour", "tests",
            )  # fmt: skip
            file = ground.home / f"{name}.csv"
            write_people(file, people)
            report = site.cli("subscribers", "import", str(file), "--list", name)
            assert report["counts"]["imported"] == len(people), report

    return furnish


@pytest.fixture(scope="session")
def furnished_sqlite(tmp_path_factory: pytest.TempPathFactory, furnish: Migrate) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("furnished"), furnish)


@pytest.fixture(scope="session")
def furnished_postgres(pytestconfig: pytest.Config, furnish: Migrate) -> Iterator[PostgresDatabases]:
    yield from open_postgres(pytestconfig, furnish)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database with a newsroom and its people, the test's own. The test runs once for each engine."""
    fixture = "furnished_sqlite" if request.param == "sqlite" else "furnished_postgres"
    with request.getfixturevalue(fixture).fresh() as url:
        yield url


@pytest.fixture
def running(ground: Ground, database_url: str, tmp_path: Path) -> Iterator[RunningStack]:
    """Start a stack: `running("web", "worker", receipt_delay=600)`. All of it ends with the test."""
    with ExitStack() as tidy:
        guard = tidy.enter_context(Guard())
        redis = RedisServer(guard)
        tidy.callback(redis.remove)
        redis.start()

        def start(*names: str, receipt_delay: float = 0.05) -> Stack:
            stack = Stack(ground.site(tmp_path, database_url, redis.url), redis, guard, receipt_delay)
            tidy.callback(lambda: print(stack.last_words()))  # noqa: T201  (pytest shows it with a failure)
            tidy.callback(stack.close)
            stack.start("simulator", *names)
            return stack

        yield start
