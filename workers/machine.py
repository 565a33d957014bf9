"""Names this machine and the workers on it, so that only who can look a process up says whether it lives."""

import hashlib
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from workers.process import is_alive

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


def worker_name() -> str:
    """Name this process so that the clock on the same machine can tell whether it lives: host~identity:pid."""
    return f"{machine()}:{os.getpid()}"


def dead_here(workers: Iterable[str]) -> set[str]:
    """Those of the named workers that ran on this machine and are gone.

    Of other machines we know nothing, nor of a worker that an earlier version named host:pid: their leases run out.
    """
    return {name for name in workers if _ran_here(name) and not is_alive(int(name.rpartition(":")[2]))}


def _ran_here(name: str) -> bool:
    place, _, pid = name.rpartition(":")
    return place == machine() and pid.isdigit()


@cache
def machine() -> str:
    """Name the place in which this process's id has a meaning; the same for all processes that share it."""
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink(_PID_NAMESPACE)
    return place(socket.gethostname(), boot_id(), namespace)


def place(host: str, boot: str, pid_namespace: str) -> str:
    """Name a place: the host for people, and behind it what tells two containers of one name and one kernel apart.

    A container has process ids of its own, so that the same id is another process in the next one; it may share
    its host name (`hostname:` in a compose file that is scaled), and always shares the boot.
    """
    identity = hashlib.sha256("\n".join((boot, pid_namespace)).encode()).hexdigest()[:12]
    return f"{host}~{identity}"


def boot_id() -> str:
    """Name the running kernel; "" where that cannot be told, which is everywhere but on Linux."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
