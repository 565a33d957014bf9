"""Fixtures shared by all tests: a database of one's own on each engine, a Redis, and no network."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.engine import make_url

from app.storage.database import db
from tests.support import postgres
from tests.support.application import settings_for
from tests.support.databases import Migrate, PostgresDatabases, SqliteDatabases
from tests.support.engines import SharedEngines
from tests.support.routes import compile_routes_once
from tests.support.schema import upgrade_to_head
from tests.support.valkey import running_valkey
from tests.support.world import Newsroom

_SERVICES = pytest.StashKey[Path]()
"""Folder of this test session, shared by its processes."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.option.allow_hosts = config.option.allow_hosts or ",".join(_hosts_in_reach())
    config.option.allow_unix_socket = True
    compile_routes_once()
    given = getattr(config, "workerinput", {}).get("services")
    config.stash[_SERVICES] = Path(given) if given else Path(tempfile.mkdtemp(prefix="tidings-tests-"))
    if not given:
        (config.stash[_SERVICES] / "owner").write_text(str(os.getpid()))


def _hosts_in_reach() -> list[str]:
    """This machine, and the server that somebody chose for the tests."""
    hosts = ["127.0.0.1", "::1", "localhost"]
    given = os.environ.get("TEST_DATABASE_URL")
    chosen = make_url(given).host if given else None
    return [*hosts, chosen] if chosen else hosts


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where the services of the session are."""
    node.workerinput["services"] = str(node.config.stash[_SERVICES])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    line = postgres.report(config.stash[_SERVICES])
    if line:
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    directory = config.stash.get(_SERVICES, None)
    if directory and not hasattr(config, "workerinput"):
        postgres.stop_server(directory)
        shutil.rmtree(directory, ignore_errors=True)


# What these do to the database is put together by SQLAlchemy and is the same on both engines; the second one is for
# `.ci/run`.
_ONE_ENGINE_WILL_DO = (
    "tests/cli/",
    "tests/desk/",
    "tests/public/",
    "tests/services/",
    "tests/simulator/",
    "tests/webhooks/",
    "tests/house/test_metrics",
    "tests/workers/",
)
# Here it matters who waits for whose lock, or a message could go twice or to somebody who left.
_BOTH_ENGINES_MATTER = tuple(
    f"tests/services/{name}"
    for name in (
        "figures/test_figures.py",
        "rights/test_erasure.py",
        "test_beside.py",
        "test_end_canceled.py",
        "test_found_by_id.py",
        "test_gate_at_the_door.py",
        "test_hold_back.py",
        "test_receive_message.py",
        "test_receive_messages.py",
        "test_recover_slices.py",
        "test_second_look.py",
        "test_send_deliveries.py",
        "test_served.py",
        "test_tallies.py",
    )
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        engine = getattr(item, "callspec", None) and item.callspec.params.get("database_url")  # type: ignore[attr-defined]
        one_will_do = item.nodeid.startswith(_ONE_ENGINE_WILL_DO)
        if engine == "postgresql" and one_will_do and not item.nodeid.startswith(_BOTH_ENGINES_MATTER):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def migrate() -> Migrate:
    """Bring an empty database to the schema under test; called once for each engine and process."""
    return upgrade_to_head


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory, migrate: Migrate) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"), migrate)


@pytest.fixture(scope="session")
def postgres_databases(pytestconfig: pytest.Config, migrate: Migrate) -> Iterator[PostgresDatabases]:
    yield from open_postgres(pytestconfig, migrate)


def open_postgres(pytestconfig: pytest.Config, migrate: Migrate) -> Iterator[PostgresDatabases]:
    """Databases of the schema that `migrate` makes; skips, with the reason, where there is no PostgreSQL."""
    try:
        server = postgres.shared_server(pytestconfig.stash[_SERVICES], os.environ)
    except postgres.PostgresUnavailableError as error:
        pytest.skip(f"no PostgreSQL: {error}")
    databases = PostgresDatabases(server, f"tidings_{secrets.token_hex(4)}", migrate)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty database of the newest schema, the test's own. The test runs once for each engine."""
    fixture = "sqlite_databases" if request.param == "sqlite" else "postgres_databases"
    with request.getfixturevalue(fixture).fresh() as url:
        yield url


@pytest.fixture(scope="session")
def _valkey() -> Iterator[str]:
    with running_valkey() as url:
        yield url


@pytest.fixture
def valkey_url(_valkey: str) -> str:
    """URL of a real, empty server that speaks the Redis protocol."""
    with redis.Redis.from_url(_valkey) as client:
        client.flushall()
    return _valkey


_ENGINES = SharedEngines()


@pytest.fixture(scope="session")
def compiled_pages(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once in a session and not once in each test."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("pages")))


@pytest.fixture
def app(
    database_url: str, valkey_url: str, tmp_path: Path, compiled_pages: FileSystemBytecodeCache
) -> Iterator[Flask]:
    """The web application on an empty database and an empty Redis; no context is open."""
    from app.factory import create_app  # not for tests that need no database

    app = create_app(settings_for(database_url, valkey_url, tmp_path))
    app.jinja_env.bytecode_cache = compiled_pages
    yield from on_a_shared_engine(app, database_url)


def on_a_shared_engine(app: Flask, database_url: str) -> Iterator[Flask]:
    """Yield the application, whose statements are compiled once in a session and not once in each test."""
    app.config["TESTING"] = True
    with app.app_context():
        _ENGINES.use(database_url)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def newsroom(app: Flask) -> Iterator[Newsroom]:
    """A sender, a list and a provider made of Python, inside the application's context."""
    with app.app_context():
        yield Newsroom(app)
