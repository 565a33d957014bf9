"""The databases and the Redis that the tests stand on."""

import json
import socket
import subprocess
import sys
import tempfile

import pytest
import redis
from sqlalchemy import create_engine, text

from tests.support import postgres
from tests.support.databases import SqliteDatabases


def make_one_table(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE guests (name VARCHAR(20))"))
    engine.dispose()


@pytest.fixture(scope="module")
def migrate():
    """These tests need a schema of their own, so that they say nothing about the product's."""
    return make_one_table


@pytest.fixture(scope="module")
def sqlite_databases(tmp_path_factory, migrate):
    return SqliteDatabases(tmp_path_factory.mktemp("own"), migrate)


@pytest.fixture(scope="module")
def postgres_databases(pytestconfig, migrate, request):
    from tests.conftest import open_postgres

    yield from open_postgres(pytestconfig, migrate)


@pytest.mark.parametrize("guest", ["Ada", "Grace"])
def test_each_test_gets_an_empty_database_of_its_own(database_url, guest):
    engine = create_engine(database_url)

    with engine.begin() as connection:
        before = connection.execute(text("SELECT count(*) FROM guests")).scalar_one()
        connection.execute(text("INSERT INTO guests VALUES (:name)"), {"name": guest})
    engine.dispose()

    assert before == 0


def test_the_template_is_made_once(tmp_path):
    calls = []

    def migrate(url: str) -> None:
        calls.append(url)
        make_one_table(url)

    databases = SqliteDatabases(tmp_path, migrate)
    with databases.fresh() as first, databases.fresh() as second:
        assert first != second

    assert len(calls) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["template.db"]


def test_without_a_server_the_reason_is_told_every_time(tmp_path):
    env = {"TEST_DATABASE_URL": "postgresql://tidings@127.0.0.1:1/nothing"}

    for _ in range(2):
        with pytest.raises(postgres.PostgresUnavailableError, match="refused"):
            postgres.shared_server(tmp_path, env)

    summary = postgres.report(tmp_path)
    assert summary is not None
    assert summary.startswith("PostgreSQL: not run, because connection failed")


def test_what_a_killed_session_left_is_removed_by_the_next(tmp_path, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    session, cluster = tmp_path / "tidings-tests-x", tmp_path / "tidings-pg-x"
    session.mkdir()
    cluster.mkdir()
    (session / "owner").write_text(str(ended.pid))
    (session / "cluster.json").write_text(json.dumps({"home": str(cluster), "bin": "/bin", "user": None}))
    (cluster / "session").symlink_to(session)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    postgres.sweep()

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_reported_when_no_test_asked_for_postgresql(tmp_path):
    assert postgres.report(tmp_path) is None


@pytest.mark.parametrize("key", ["first", "second"])
def test_each_test_gets_an_empty_redis(valkey_url, key):
    with redis.Redis.from_url(valkey_url) as client:
        assert client.dbsize() == 0
        client.set(key, 1)


def test_the_network_is_out_of_reach():
    with (
        pytest.warns(match="tried to use socket"),
        pytest.raises(RuntimeError, match=r'with host "192\.0\.2\.1"'),
    ):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
