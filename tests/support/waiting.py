"""Wait on a PostgreSQL until somebody stands before a lock, so that a test of two writers needs no luck."""

import time

from sqlalchemy import text
from sqlalchemy.orm import Session

_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND pid IN "
    "(SELECT pid FROM pg_locks JOIN pg_database ON oid = database WHERE datname = current_database())"
)


def until_somebody_waits(session: Session) -> None:
    """Return when a transaction of this database waits for another; raises `AssertionError` after ten seconds."""
    for _ in range(500):
        if session.scalar(_WAITING):
            return
        time.sleep(0.02)
    raise AssertionError("nobody waited for the lock in ten seconds")
