"""A small watchman that ends the watched processes when the supervisor dies without saying goodbye.

A supervisor that is killed with SIGKILL cannot clean up, and its children would go on sending. So it
starts this module as a process of its own and tells it the ids of the sessions it leads. When the supervisor
is gone, or closes the pipe, every process still alive in those sessions is asked to stop (SIGTERM) and after
`GRACE` seconds killed.

Standard library only, because it has to start in a few milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL, as long as honcho waits."""

_POLL = 0.2


class Guard:
    """The supervisor's side: a context manager holding the watchman's pipe."""

    def __enter__(self) -> Self:
        read_end, self._pipe = os.pipe()
        command = [sys.executable, "-I", str(Path(__file__).resolve()), str(os.getpid())]
        # Its own session, so that Ctrl-C at the terminal does not reach the watchman before its charges.
        self._process = subprocess.Popen(command, stdin=read_end, start_new_session=True)  # noqa: S603
        os.close(read_end)
        return self

    def watch(self, *session_ids: int) -> None:
        """Protect the sessions led by these process ids; those of a later call are stopped first."""
        with contextlib.suppress(BrokenPipeError):  # a watchman killed by hand must not bring the rest down
            os.write(self._pipe, " ".join(map(str, session_ids)).encode() + b"\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._pipe)
        self._process.wait()


def stop_sessions(session_ids: Iterable[int], *, grace: float = GRACE) -> None:
    """Stop every process in the sessions: SIGTERM, at most `grace` seconds of patience, SIGKILL."""
    wanted = set(session_ids)
    _signal_all(_members(wanted), signal.SIGTERM)
    deadline = time.monotonic() + grace
    while _members(wanted) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_all(_members(wanted), signal.SIGKILL)


def _members(session_ids: set[int]) -> list[int]:
    return [pid for pid in _all_pids() if _session_of(pid) in session_ids and not _is_zombie(pid)]


def _all_pids() -> list[int]:
    proc = Path("/proc")
    if proc.joinpath("self").exists():
        return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
    listing = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=False)  # noqa: S607
    return [int(word) for word in listing.stdout.split()]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:  # it ended between the listing and the question
        return None


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # no /proc on this system, or the process is gone; getsid() decides
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


def _signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _collect(supervisor: int) -> list[list[int]]:
    """Read session ids until the supervisor closes the pipe or is gone; one inner list for each line."""
    received = b""
    # The supervisor's forked children hold the pipe open too, so its end alone would not tell that it died.
    while os.getppid() == supervisor:
        if not select.select([0], [], [], _POLL)[0]:
            continue
        chunk = os.read(0, 4096)
        if not chunk:
            break
        received += chunk
    return [[int(word) for word in line.split()] for line in received.splitlines()]


def main() -> None:
    """Watch the process whose id is the first argument; session ids come as lines on standard input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for session_ids in reversed(_collect(int(sys.argv[1]))):
        stop_sessions(session_ids)


if __name__ == "__main__":
    main()
