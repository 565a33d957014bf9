"""The real product as processes that a test may kill: Redis, web, workers, clock, and a simulated provider."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

from app.supervisor.guard import Guard, stop_sessions
from app.supervisor.processes import load_procfile
from app.supervisor.redis import embedded_redis
from tests.support.application import MASTER_KEY, SECRET_KEY

ROOT = Path(__file__).parents[2]
SENDER, NUMBER = "city-desk", "+12025550100"
ACCOUNT, TOKEN = "AC" + "3" * 32, "token-of-the-simulated-account"

_Found = TypeVar("_Found")


def until(fact: Callable[[], _Found], seconds: float, what: str, pause: float = 0.02) -> _Found:
    """Return the first true value of `fact()`; fails the test after `seconds`, saying `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(pause)
    return found


class RedisServer:
    """A server of its own that can be stopped and started again at the same address."""

    def __init__(self, guard: Guard) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="tidings-redis-"))  # short, for the socket's path
        self._guard, self._running = guard, ExitStack()
        self.url = f"unix://{self._home / 'redis.sock'}"

    def start(self) -> None:
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        url = self._running.enter_context(embedded_redis(self._home, env, self._guard))
        assert url == self.url

    def stop(self) -> None:
        self._running.close()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)


@dataclass(frozen=True)
class Site:
    """Where an installation lies: its settings, and the addresses of its desk and of its provider."""

    home: Path
    database_url: str
    redis_url: str
    web_port: int
    provider_port: int

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def provider(self) -> str:
        return f"http://127.0.0.1:{self.provider_port}"

    @property
    def hook(self) -> str:
        return f"{self.web}/hooks/{SENDER}"

    def environment(self) -> dict[str, str]:
        """Settings as an operator would export them, and nothing of the developer's own."""
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(self.home),
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": SECRET_KEY,
            "MASTER_KEY": MASTER_KEY,
            "PUBLIC_URL": self.web,
            "PORT": str(self.web_port),
            "TIDINGS_HOME": str(self.home),
            "TIDINGS_BRAND": "Riverside News",
        }

    def cli(self, *words: str) -> Any:
        """Run a command as an operator does, and return what it says as JSON."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *words, "--json"],
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)} said: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)


class Provider:
    """The simulator's control API: what really arrived, and phones that text."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, requests.Session()
        self._session.trust_env = False

    def introduce(self, hook: str) -> None:
        """Tell it which number is ours and where its webhooks go."""
        sender = {"number": NUMBER, "account_sid": ACCOUNT, "auth_token": TOKEN, "webhook_url": hook}
        self._ask("PUT", "/control/senders", json=sender)

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "/control/stats")
        return found

    def arrived(self) -> int:
        """How many messages it accepted so far."""
        return int(self.stats()["total"])

    def copies(self, body: str) -> Counter[str]:
        """How many messages of this text each number got."""
        found = self._ask("GET", "/control/messages", params={"limit": 200_000})["messages"]
        return Counter(message["to"] for message in found if message["body"] == body)

    def text(self, phone: str, body: str) -> int | None:
        """Text from a phone; returns the HTTP status that the product answered, None when it was not reached."""
        status: int | None = self._ask(
            "POST", "/control/inbound", json={"from": phone, "to": NUMBER, "body": body}
        )["webhook_status"]
        return status

    def close(self) -> None:
        self._session.close()

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self._session.request(method, self._url + path, timeout=30, **more)
        answer.raise_for_status()
        return answer.json()


@dataclass
class Stack:
    """The processes of one installation. Those in `COMMANDS` run as the Procfile says."""

    site: Site
    redis: RedisServer
    guard: Guard
    receipt_delay: float = 0.05
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _pids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provider = Provider(self.site.provider)

    def start(self, *names: str) -> None:
        """Start processes: `web`, `worker`, `replies`, `clock` of the Procfile, and `simulator`."""
        for name in names:
            with self._log(name).open("ab") as log:
                process = subprocess.Popen(
                    self._command(name),
                    env=self.site.environment(),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.guard.watch(process.pid)
            self._pids.append(process.pid)
            self._running[name] = process
        for name in names:
            self._wait_until_it_serves(name)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def worker(self) -> int | None:
        """RQ's worker below its keeper; None when it has just died."""
        return _first_child(self.pid("worker"))

    def horse(self) -> int | None:
        """The process that the worker forked for the job in its hands; None between two jobs."""
        worker = self.worker()
        return _first_child(worker) if worker else None

    def kill(self, name: str) -> None:
        """SIGKILL: the process gets no chance to tidy up."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> None:
        """SIGTERM, as a supervisor stops it."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def is_up(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def close(self) -> None:
        """End everything that was started, whoever is its parent now."""
        for process in self._running.values():
            process.terminate()
        stop_sessions(self._pids)
        for process in self._running.values():
            process.wait()
        self._running.clear()
        self.provider.close()

    def last_words(self, lines: int = 15) -> str:
        """The end of every log, for a test that failed."""
        logs = sorted(self.site.home.glob("*.log"))
        tails = [(log.stem, log.read_text(errors="replace").splitlines()[-lines:]) for log in logs]
        return "\n".join(f"--- {name}\n" + "\n".join(tail) for name, tail in tails)

    def broadcast(self, text: str, list_name: str) -> int:
        """Write a broadcast and send it now, by the command line; the clock opens it."""
        made = self.site.cli(
            "broadcasts", "create", "--title", text[:40], "--text", text, "--list", list_name
        )
        self.site.cli("broadcasts", "schedule", str(made["id"]), "--yes")
        return int(made["id"])

    def status(self, broadcast_id: int) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.site.cli("broadcasts", "status", str(broadcast_id))
        return found

    def finished(self, broadcast_id: int, seconds: float) -> Mapping[str, Any]:
        """Wait for the end of a broadcast and return its status."""

        def at_rest() -> Mapping[str, Any] | None:
            found = self.status(broadcast_id)
            return found if found["state"] == "finished" else None

        return until(at_rest, seconds, f"the end of broadcast {broadcast_id}", pause=0.3)

    def _command(self, name: str) -> list[str]:
        if name == "simulator":
            command = f"python -m app.simulator --port {self.site.provider_port}"
            command += f" --receipt-delay {self.receipt_delay:g}"
        else:
            command = load_procfile(ROOT / "Procfile")[name]
        program, *arguments = shlex.split(command)
        assert program == "python"
        return [sys.executable, *arguments]

    def _wait_until_it_serves(self, name: str) -> None:
        if name == "web":
            until(lambda: _listens(self.site.web_port), 20, "the web process answers")
        elif name == "simulator":
            until(lambda: _listens(self.site.provider_port), 20, "the simulator answers")
            self.provider.introduce(self.site.hook)

    def _log(self, name: str) -> Path:
        return self.site.home / f"{name}.log"


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def _first_child(pid: int) -> int | None:
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None
    return None


def kill(pid: int) -> None:
    """SIGKILL one process that is not our own child."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    """Tell whether a process runs no more; one that nobody has collected yet does nothing either."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"
