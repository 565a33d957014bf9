"""What a process must do about its parent and about what it inherited in a fork."""

import ctypes
import os
import signal
import sys
from pathlib import Path

from app.storage.database import db

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies; without it a killed worker's child goes on sending.

    Linux only. Elsewhere leases and epochs still keep two processes from sending the same slice.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def fresh_connections() -> None:
    """Forget the database connections of the process we were forked from, without closing them for it."""
    db.engine.dispose(close=False)


def is_alive(pid: int) -> bool:
    """Tell whether a process of this machine runs.

    One that has ended but was not collected (a zombie: the first process of many containers collects nobody)
    does nothing any more and counts as dead. That can be told on Linux only.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # no /proc on this system, or the process has just ended
        return False
    # The name, in parentheses, may hold anything; the state is the first word behind it.
    return stat.rpartition(")")[2].split()[0] == "Z"
