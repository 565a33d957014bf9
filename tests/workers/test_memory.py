"""A backup in the place of the database: the clock and each new worker notice, and nothing goes out twice."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from app.runtime import runtime
from app.services import manage_senders
from app.storage.database import db
from app.storage.models import Sender
from tests.support.world import Newsroom
from workers.clock import tick
from workers.take_over import take_over


@pytest.fixture
def backup(newsroom: Newsroom, tmp_path: Path) -> Path:
    """A backup in which a broadcast waits that has gone out since."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("a file is restored quickly; what is asked is the same on both")
    newsroom.join(3)
    newsroom.broadcast_waiting()
    path = tmp_path / "backup.db"
    with closing(sqlite3.connect(of_the_test())) as there, closing(sqlite3.connect(path)) as copy:
        there.backup(copy)
    tick(newsroom.now)
    newsroom.send()
    assert len(newsroom.provider.arrived) == 3
    newsroom.later(seconds=1)
    tick(newsroom.now)
    return path


def of_the_test() -> str:
    return str(db.session.connection().exec_driver_sql("PRAGMA database_list").first()[2])  # type: ignore[index]


def restore(path: Path) -> None:
    place = of_the_test()
    db.session.remove()
    db.engine.dispose()
    for old in (f"{place}-wal", f"{place}-shm"):
        Path(old).unlink(missing_ok=True)
    shutil.copyfile(path, place)


def reasons() -> list[str | None]:
    db.session.rollback()
    return list(db.session.scalars(select(Sender.paused_reason)))


def test_what_went_out_after_the_backup_is_not_sent_again(newsroom: Newsroom, backup: Path) -> None:
    restore(backup)

    tick(newsroom.now)

    assert reasons() == ["All sending was paused by the clock: the database is older than what was sent"]
    newsroom.send()
    assert len(newsroom.provider.arrived) == 3


def test_a_worker_that_begins_before_the_clock_notices_too(newsroom: Newsroom, backup: Path) -> None:
    restore(backup)

    take_over(newsroom.now)

    assert reasons() != [None]


@pytest.mark.parametrize("lost", ["the file", "Redis"])
def test_one_of_both_memories_is_enough(newsroom: Newsroom, backup: Path, lost: str) -> None:
    restore(backup)
    if lost == "Redis":
        runtime().redis.flushall()
    else:
        (runtime().settings.home / "seen.json").unlink()

    tick(newsroom.now)

    assert reasons() != [None]


def test_whoever_has_looked_lets_it_go_on_and_is_not_stopped_again(newsroom: Newsroom, backup: Path) -> None:
    restore(backup)
    tick(newsroom.now)

    manage_senders.resume_all(by="ada", now=newsroom.now)
    newsroom.later(seconds=1)
    tick(newsroom.now)

    assert reasons() == [None]


def test_a_database_that_goes_on_is_left_alone(newsroom: Newsroom) -> None:
    newsroom.join(2)
    for _ in range(3):
        newsroom.broadcast_waiting()
        tick(newsroom.now)
        newsroom.send()
        newsroom.later(seconds=1)
        tick(newsroom.now)

    assert reasons() == [None]
    assert len(newsroom.provider.arrived) == 6
