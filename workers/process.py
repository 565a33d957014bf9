"""What a process must do about what it inherited in a fork, and how to tell whether another is alive."""

import os
from pathlib import Path

from app.storage.database import db


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
