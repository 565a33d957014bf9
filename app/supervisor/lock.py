"""One supervisor of a name per state directory; the file that locks the others out tells them who runs, and where."""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: its process id and the address it answers on, empty while it is starting."""

    pid: int
    url: str


class AlreadyRunningError(Exception):
    """Another process holds the lock; `holder` says which."""

    def __init__(self, name: str, holder: Holder) -> None:
        self.holder = holder
        super().__init__(f"`tidings {name}` is already running{_where(holder)}. {_advice(holder)}")


def _where(holder: Holder) -> str:
    address = f" at {holder.url}" if holder.url else ""
    return f"{address} (process {holder.pid})" if holder.pid else address


def _advice(holder: Holder) -> str:
    if not holder.pid:
        return "It is just starting or stopping: try again in a few seconds."
    if not _alive(holder.pid):
        return "It was killed, and what it left is being stopped: try again in a few seconds."
    return f"Stop it with Ctrl-C there or with `kill {holder.pid}`, or set TIDINGS_HOME to another directory."


class Lock:
    """A held lock."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.announce("")

    def announce(self, url: str) -> None:
        """Write down who we are and where we answer, for whoever comes second."""
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid(), "url": url}, self._file)
        self._file.flush()


@contextlib.contextmanager
def hold_lock(home: Path, name: str) -> Iterator[Lock]:
    """Hold `<home>/<name>.lock`. Raises `AlreadyRunningError`; a lock whose holder died is free again by itself."""
    home.mkdir(parents=True, exist_ok=True)
    with _path(home, name).open("a+") as file:
        if not _try_lock(file):
            raise AlreadyRunningError(name, _read(file))
        try:
            yield Lock(file)
        finally:
            # Forked children share the lock, so closing our file alone would not give it back.
            file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def running(home: Path, name: str) -> Holder | None:
    """Tell who holds `<home>/<name>.lock` now; None when nobody does."""
    path = _path(home, name)
    if not path.exists():
        return None
    with path.open("a+") as file:
        if _try_lock(file):
            return None
        return _read(file)


def stop_running(home: Path, name: str, *, patience: float = 20.0) -> Holder | None:
    """Ask the holder to stop and wait for it, at most `patience` seconds; None when nobody ran.

    Raises `AlreadyRunningError` when it still runs after that.
    """
    holder = running(home, name)
    if holder is None:
        return None
    if holder.pid:  # to the id 0, the signal would go to ourselves
        with contextlib.suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while running(home, name) is not None:
        if time.monotonic() > deadline:
            raise AlreadyRunningError(name, holder)
        time.sleep(0.05)
    return holder


def _path(home: Path, name: str) -> Path:
    return home / f"{name}.lock"


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> Holder:
    file.seek(0)
    try:
        words = json.loads(file.read())
        return Holder(int(words["pid"]), str(words["url"]))
    except (ValueError, KeyError):  # it is about to write, or has just wiped, its note
        return Holder(0, "")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # alive, and another user's
        return True
    return True
