"""The clock's process: a database that is away is waited for, not died of."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from app.domain.statuses import BroadcastState
from app.storage.database import db
from app.storage.models import Broadcast
from tests.support.application import MASTER_KEY, SECRET_KEY
from tests.support.world import Newsroom

ROOT = Path(__file__).parents[2]


@contextmanager
def hidden(database_url: str) -> Iterator[None]:
    """Let nobody find the database for a while, as when its server is being restarted."""
    url = make_url(database_url)
    assert url.database is not None
    if url.drivername == "sqlite":
        path = Path(url.database)
        path.parent.rename(away := path.parent.with_name("away"))
        try:
            yield
        finally:
            away.rename(path.parent)
        return
    admin = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    names = sql.Identifier(url.database), sql.Identifier(f"{url.database}_away")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*reversed(names)))


@pytest.mark.slow
def test_a_clock_waits_for_a_database_that_is_away_and_ends_when_asked(
    newsroom: Newsroom, database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast_waiting()
    db.session.remove()
    db.engine.dispose()
    log = tmp_path / "clock.log"
    settings = {
        "PATH": os.environ.get("PATH", os.defpath),
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "SECRET_KEY": SECRET_KEY,
        "MASTER_KEY": MASTER_KEY,
        "PUBLIC_URL": "http://localhost",
        "TIDINGS_HOME": str(tmp_path),
    }

    with hidden(database_url):
        with log.open("wb") as words:
            process = subprocess.Popen(
                [sys.executable, "-m", "workers", "clock"], cwd=ROOT, env=settings, stdout=words, stderr=words
            )
        wait_for(log, "could not do its round")
    wait_for(log, f'"broadcast_id": {broadcast_id}')
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=10) == 0
    assert (
        db.session.get_one(Broadcast, broadcast_id).state == BroadcastState.EXPIRED
    )  # its noon lies long ago


def wait_for(log: Path, words: str) -> None:
    deadline = time.monotonic() + 20
    while words not in log.read_text():
        assert time.monotonic() < deadline, f"the clock never said {words!r}:\n{log.read_text()[-2000:]}"
        time.sleep(0.05)
