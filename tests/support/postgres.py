"""A PostgreSQL server for the tests: the one `TEST_DATABASE_URL` names, or a throw-away one made with initdb."""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.support.locks import locked

_DURABILITY_OFF = "fsync=off full_page_writes=off synchronous_commit=off wal_level=minimal max_wal_senders=0"
"""A test database need not outlive a power cut."""


class PostgresUnavailableError(Exception):
    """No PostgreSQL to test on; the message says why."""


@dataclass(frozen=True)
class Server:
    """A running server: the URL of a database to give orders from, and its version for the summary."""

    admin_url: URL
    version: str


def shared_server(directory: Path, env: Mapping[str, str]) -> Server:
    """The one server of this test session, started by the first test that asks, in whichever process.

    `directory` belongs to the session. Raises `PostgresUnavailableError`, every time with the same words.
    """
    note = directory / "postgres.json"
    with locked(directory / "postgres.lock"):
        if not note.exists():
            note.write_text(json.dumps(_find_or_start(directory, env)))
    found = json.loads(note.read_text())
    if "why" in found:
        raise PostgresUnavailableError(found["why"])
    return Server(make_url(found["url"]), found["version"])


def report(directory: Path) -> str | None:
    """One line for the terminal summary; None when no test asked for PostgreSQL."""
    note = directory / "postgres.json"
    if not note.exists():
        return None
    found = json.loads(note.read_text())
    return (
        f"PostgreSQL: not run, because {found['why']}"
        if "why" in found
        else f"PostgreSQL: {found['version']}"
    )


def stop_server(directory: Path) -> None:
    """Stop the throw-away server of the session, if there is one."""
    cluster = directory / "cluster.json"
    if cluster.exists():
        found = json.loads(cluster.read_text())
        with contextlib.suppress(PostgresUnavailableError, OSError):  # it ended by itself, or never came up
            _as_owner(found, "pg_ctl", "-D", f"{found['home']}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(found["home"], ignore_errors=True)
        cluster.unlink()


@contextlib.contextmanager
def fresh_database(server: Server, name: str, template: str) -> Iterator[URL]:
    """Yield the URL of a new database `name`, a copy of the database `template`; dropped afterwards."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with _admin(server) as admin:
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield server.admin_url.set(database=name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def create_empty_database(server: Server, name: str) -> URL:
    """Make an empty database, replacing one of that name that an earlier run left behind."""
    with _admin(server) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return server.admin_url.set(database=name)


def drop_database(server: Server, name: str) -> None:
    """Remove a database together with whatever still uses it."""
    with _admin(server) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def _admin(server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(_libpq(server.admin_url), autocommit=True) as connection:
        yield connection


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _find_or_start(directory: Path, env: Mapping[str, str]) -> dict[str, str]:
    try:
        given = env.get("TEST_DATABASE_URL")
        url = make_url(given) if given else _start_cluster(directory, env)
        url = url.set(drivername="postgresql+psycopg")
        with psycopg.connect(_libpq(url), connect_timeout=10) as connection:
            version = connection.execute("SHOW server_version").fetchone()
    except (PostgresUnavailableError, OSError, psycopg.Error, ValueError) as error:
        return {"why": " ".join(str(error).split())}
    return {"url": url.render_as_string(hide_password=False), "version": str(version and version[0])}


def _start_cluster(directory: Path, env: Mapping[str, str]) -> URL:
    binaries = _binaries(env)
    sweep()
    # Directly under the temporary directory: the socket's path has to stay under 108 bytes.
    home = Path(tempfile.mkdtemp(prefix="tidings-pg-"))
    owner = _unprivileged_user()
    cluster = {"home": str(home), "bin": str(binaries), "user": owner}
    (directory / "cluster.json").write_text(json.dumps(cluster))
    (home / "session").symlink_to(directory)
    if owner:
        account = pwd.getpwnam(owner)
        os.chown(home, account.pw_uid, account.pw_gid)
    initdb = ("initdb", "-D", f"{home}/data", "-U", "tidings", "--auth=trust", "--no-sync")
    _as_owner(cluster, *initdb, "--encoding=UTF8", "--locale=C")
    options = [f"-c {option}" for option in _DURABILITY_OFF.split()]
    options += ["-c listen_addresses=''", f"-c unix_socket_directories='{home}'", "-c max_connections=200"]
    options += ["-c shared_buffers=64MB"]
    _as_owner(
        cluster, "pg_ctl", "-D", f"{home}/data", "-l", f"{home}/log", "-w", "start", "-o", " ".join(options)
    )
    return URL.create("postgresql", username="tidings", database="postgres", query={"host": str(home)})


def _binaries(env: Mapping[str, str]) -> Path:
    """The folder with the server's programs, the newest version first."""
    on_path = shutil.which("initdb", path=env.get("PATH"))
    candidates = [Path(on_path).resolve().parent] if on_path else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(versions, key=lambda folder: _number(folder.parent.name), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise PostgresUnavailableError(
        "initdb and pg_ctl are neither on PATH nor under /usr/lib/postgresql. "
        "Install a PostgreSQL server (15 or newer), or set TEST_DATABASE_URL"
    )


def sweep() -> None:
    """Stop the servers of sessions that were killed before they could."""
    for mark in Path(tempfile.gettempdir()).glob("tidings-pg-*/session"):
        session = mark.readlink()
        if (session / "owner").exists() and not _alive(int((session / "owner").read_text())):
            stop_server(session)
            shutil.rmtree(session, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # alive, and somebody else's
        return True
    return True


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to be run by root; any other user runs it himself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresUnavailableError(
        "the tests run as root and there is no user 'postgres' or 'nobody' to run it"
    )


def _as_owner(cluster: Mapping[str, str | None], program: str, *arguments: str) -> None:
    command = [f"{cluster['bin']}/{program}", *arguments]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    user = cluster["user"]
    account = pwd.getpwnam(user) if user else None
    # pg_ctl's child keeps its output open for ever, so the words go to a file and not to a pipe.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cluster["home"],
            env=environment,
            timeout=60,
            check=False,
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        words = output.read().decode(errors="replace").strip()
    if done.returncode:
        raise PostgresUnavailableError(f"{program} failed: {words[-500:]}")
