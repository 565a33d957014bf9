"""The provider of a benchmark and its only witness: started here, asked here what it saw."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from app.supervisor.guard import Guard

SOURCE = Path(__file__).with_name("sink.c")
C_KIND, PYTHON_KIND = "C, epoll", "Python, asyncio"


@dataclass(frozen=True)
class Account:
    """What the sink checks: the credentials of every request, and the key (16 bytes) of people's tokens."""

    sid: str
    auth_token: str
    key: bytes

    @property
    def basic(self) -> str:
        """The value of `Authorization` behind the word Basic."""
        return base64.b64encode(f"{self.sid}:{self.auth_token}".encode()).decode()

    @property
    def bot(self) -> str:
        """The token of the account's bot on Telegram."""
        return f"123456:{self.auth_token}"


@dataclass(frozen=True)
class Stats:
    """What arrived since the last reset. `sum` fingerprints the set of numbers; times are monotonic nanoseconds."""

    total: int
    unique: int
    bad_auth: int
    bad_token: int
    bad_request: int
    sum: str
    first_ns: int
    last_ns: int

    @property
    def duplicates(self) -> int:
        """Messages to a number that had one already."""
        return self.total - self.unique

    @property
    def seconds(self) -> float:
        """From the first message to the last."""
        return (self.last_ns - self.first_ns) / 1e9

    def lost(self, eligible: int) -> int:
        """How many of the eligible got nothing."""
        return max(0, eligible - self.unique)

    def faults(self, eligible: int, fingerprint: str) -> list[str]:
        """Why a run to `eligible` people with this fingerprint does not count; empty when it does."""
        counts = {
            f"{self.unique} numbers were reached instead of {eligible}": self.unique != eligible,
            f"{self.duplicates} messages were second copies": self.duplicates,
            f"{self.bad_auth} requests had wrong credentials": self.bad_auth,
            f"{self.bad_token} texts did not carry their person's token": self.bad_token,
            f"{self.bad_request} requests made no sense": self.bad_request,
            "the numbers reached are not those of the database": self.sum != fingerprint,
        }
        return [words for words, found in counts.items() if found]


@dataclass(frozen=True)
class Arrival:
    """One message that the sink took: numbers in E.164, or ids of a chat and a bot; monotonic nanoseconds."""

    to: str
    sender: str
    at_ns: int


@dataclass(frozen=True)
class Given:
    """What came since an answer was given: requests, and the bytes of their targets and bodies."""

    requests: int
    bytes: int


class Sink:
    """A running sink, asked over one kept-alive connection. Not for several threads."""

    def __init__(self, address: str, port: int, pid: int, kind: str, log: Path) -> None:
        self.url, self.pid, self.kind = f"http://{address}:{port}", pid, kind
        self._log = log
        self._connection = http.client.HTTPConnection(address, port, timeout=10)

    def stats(self) -> Stats:
        """Ask what arrived."""
        return Stats(**self._ask("GET", "/stats"))

    def reset(self) -> None:
        """Let the sink forget everything."""
        self._ask("POST", "/reset")

    def arrivals(self) -> list[Arrival]:
        """Every message with its person's token that was taken since the last reset, in order."""
        self._ask("POST", "/arrivals")
        lines = (line.split() for line in self._log.read_text().splitlines())
        return [Arrival(to, sender, int(at)) for to, sender, at in lines]

    def trouble(self, *, busy: int = 0, broken: int = 0, cut_after: int = 0, cut_before: int = 0) -> None:
        """Let so many of a thousand requests meet a 429, a 503, a cut after or before the message was taken."""
        self._ask("POST", f"/trouble/{busy}/{broken}/{cut_after}/{cut_before}")

    def give(self, answer: bytes) -> None:
        """Let every request from now on get this answer, head and body, whatever it says; `reset` ends that.

        Raises `RuntimeError` when the answer is longer than 32 KiB (2 KiB for a sink that answers late).
        """
        self._ask("POST", "/given", answer)

    def given(self) -> Given:
        """Ask what came since `give`."""
        return Given(**self._ask("GET", "/given"))

    def close(self) -> None:
        """Close our connection; the process goes on."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        self._connection.request(method, path, body, headers={"Content-Length": str(len(body))})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != HTTPStatus.OK:
            raise RuntimeError(f"The sink answered {response.status} to {method} {path}.")
        found: dict[str, Any] = json.loads(answer)
        return found


@contextlib.contextmanager
def running_sink(
    directory: Path,
    account: Account,
    *,
    delay_ms: int = 0,
    compiler: str = "cc",
    guard: Guard | None = None,
    address: str = "127.0.0.1",
    people: int = 0,
) -> Iterator[Sink]:
    """Start the C sink, or the Python one where there is no compiler or no epoll; end it afterwards.

    `directory` takes the compiled program; `guard` ends it when this process is killed; `people` sizes its table, which
    holds some 49,000 by itself. Raises `RuntimeError` when neither starts.
    """
    program = compiled(directory, compiler)
    command = [str(program)] if program else [sys.executable, "-m", "bench.sink.fallback"]
    environment = {
        "SINK_AUTH": account.basic,
        "SINK_BOT": account.bot,
        "SINK_ADDRESS": address,
        "SINK_KEY": account.key.hex(),
        "SINK_ARRIVALS": str(directory / "arrivals"),
        "PATH": os.environ.get("PATH", ""),
    }
    process = subprocess.Popen(
        [*command, str(delay_ms), str(people)],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    try:
        if guard is not None:
            guard.watch(process.pid)
        sink = Sink(
            address, _port(process), process.pid, C_KIND if program else PYTHON_KIND, directory / "arrivals"
        )
        yield sink
        sink.close()
    finally:
        process.terminate()
        process.communicate(timeout=10)


def compiled(directory: Path, compiler: str = "cc") -> Path | None:
    """Compile the sink into `directory`; None when this machine cannot."""
    found = shutil.which(compiler)
    if found is None or not sys.platform.startswith("linux"):
        return None
    program = directory / "sink"
    done = subprocess.run([found, "-O2", "-o", str(program), str(SOURCE)], capture_output=True, check=False)
    return program if done.returncode == 0 else None


def _port(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"The sink ended at once with exit code {process.wait()}.")
    return int(line)
