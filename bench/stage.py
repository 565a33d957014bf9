"""What a benchmark runs on: a Redis of its own, a PostgreSQL of its own with the durability of a real one."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import redis
from sqlalchemy.engine import URL, make_url

from app.supervisor.guard import Guard
from app.supervisor.redis import embedded_redis
from bench import cpu


class NoDatabase(Exception):
    """There is no PostgreSQL to measure on; the text says why and what to do."""


@contextlib.contextmanager
def own_redis(home: Path, guard: Guard) -> Iterator[str]:
    """Yield the URL of a fresh Redis-protocol server, started as the product starts it."""
    with embedded_redis(home, {"PATH": os.environ.get("PATH", os.defpath)}, guard) as url:
        yield url


def redis_pid(client: redis.Redis) -> int:
    """Return the server's process id."""
    info = client.info("server")
    assert isinstance(info, dict)
    return int(info["process_id"])


@contextlib.contextmanager
def own_postgres(guard: Guard) -> Iterator[URL]:
    """Yield the URL of a throw-away server with PostgreSQL's own settings: every commit waits for the disk.

    Raises `NoDatabase`.
    """
    binaries, user = _binaries(), _unprivileged_user()
    home = Path(
        tempfile.mkdtemp(prefix="tidings-bench-pg-")
    )  # short: the socket's path has to stay under 108 bytes
    if user:
        shutil.chown(home, user)
    try:
        _run(
            user,
            home,
            binaries / "initdb",
            "-D",
            home / "data",
            "-U",
            "tidings",
            "--auth=trust",
            "--encoding=UTF8",
        )
        options = f"-c listen_addresses='' -c unix_socket_directories='{home}'"
        start = ("-D", home / "data", "-l", home / "log", "-w", "-o", options, "start")
        _run(user, home, binaries / "pg_ctl", *start)
        guard.watch(int((home / "data" / "postmaster.pid").read_text().split()[0]))
        try:
            yield URL.create("postgresql", username="tidings", database="postgres", query={"host": str(home)})
        finally:
            _run(user, home, binaries / "pg_ctl", "-D", home / "data", "-m", "fast", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def restart_postgres(server: URL, guard: Guard) -> None:
    """Pull the plug of a server from `own_postgres` and start it again: nothing is written in an orderly way."""
    home = Path(str(server.query["host"]))
    command = ("-D", home / "data", "-l", home / "log", "-m", "immediate", "-w", "restart")
    _run(_unprivileged_user(), home, _binaries() / "pg_ctl", *command)
    guard.watch(int((home / "data" / "postmaster.pid").read_text().split()[0]))


@contextlib.contextmanager
def empty_database(server: URL, name: str) -> Iterator[URL]:
    """Yield the URL of a new database on a server; it is dropped afterwards. Raises `NoDatabase`."""
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield server.set(database=name)
    finally:
        _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(server: URL, statement: str) -> None:
    try:
        # A connection for each: the server may be restarted in between.
        with psycopg.connect(_libpq(server), autocommit=True, connect_timeout=10) as admin:
            admin.execute(statement.encode())
    except psycopg.OperationalError as error:
        raise NoDatabase(f"PostgreSQL at {server.host or 'its socket'} does not answer: {error}") from error


def postgres_pid(url: URL) -> int | None:
    """Return the process id of the server's parent process; None when it runs on another machine."""
    with psycopg.connect(_libpq(url)) as connection:
        pid = cpu.parent_of(connection.info.backend_pid)
        return pid if cpu.name_of(pid).startswith("postgres") else None


def server_url(text: str) -> URL:
    """Read a PostgreSQL URL as an operator writes it. Raises `ValueError`."""
    return make_url(text).set(drivername="postgresql")


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _binaries() -> Path:
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NoDatabase(
        "initdb and pg_ctl are neither on PATH nor under /usr/lib/postgresql. Install a PostgreSQL server, or "
        "name one: --postgres postgresql://user@localhost/postgres"
    )


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoDatabase("You are root, whom PostgreSQL refuses, and there is no user 'postgres' or 'nobody'.")


def _run(user: str | None, home: Path, program: Path, *arguments: "str | Path") -> None:
    # pg_ctl's child keeps its output open, so the words go to a file and not to a pipe.
    with tempfile.TemporaryFile() as words:
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            cwd=home,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            timeout=60,
            check=False,
        )
        words.seek(0)
        if done.returncode:
            raise NoDatabase(f"{program.name} failed: {words.read().decode(errors='replace').strip()[-500:]}")
