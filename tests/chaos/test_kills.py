"""Kill -9 in the middle of a broadcast: nobody gets two copies, nobody is lost, and what cannot be known is said."""

import csv
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from app.services.send_deliveries import WINDOW
from tests.chaos.conftest import RunningStack
from tests.chaos.people import EVERYBODY, NUMBERS, SOME, SOME_NUMBERS
from tests.support.stack import SENDER, Stack, is_gone, kill, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TEXT = "Riverside: the ferry runs every hour."


def kill_the_horse(stack: Stack) -> None:
    """The process that sends dies; RQ's worker above it lives on and takes the next job."""
    kill(until(stack.horse, 10, "a job in the worker's hands", pause=0.001))


def kill_the_parent(stack: Stack) -> None:
    """RQ's worker dies; the process that sends must not go on without it, and the keeper forks another."""
    horse = until(stack.horse, 10, "a job in the worker's hands", pause=0.001)
    kill(until(stack.worker, 10, "a worker"))
    until(lambda: is_gone(horse), 2, "the end of a process whose parent was killed")


def kill_both(stack: Stack) -> None:
    """The process that sends, and the keeper with all it keeps; a supervisor starts it again."""
    horse = until(stack.horse, 10, "a job in the worker's hands", pause=0.001)
    kill(horse)
    stack.kill("worker")
    stack.start("worker")


def seconds_of_silence(stack: Stack, deed: Callable[[Stack], None]) -> float:
    """Do the deed, and return how long it took until messages arrived that somebody else must have sent.

    What the dead process had on the wire, at most one on each connection, still comes in and proves nothing.
    """
    began = time.monotonic()
    deed(stack)
    on_the_wire = stack.provider.arrived() + WINDOW
    until(lambda: stack.provider.arrived() > on_the_wire, 20, "the broadcast goes on")
    return time.monotonic() - began


def fates(stack: Stack, broadcast_id: int) -> dict[str, str]:
    """What the report says became of each number."""
    file = stack.site.home / "deliveries.csv"
    stack.site.cli("broadcasts", "report", str(broadcast_id), "--csv", str(file))
    with Path(file).open(encoding="utf-8", newline="") as stream:
        return {row["address"]: row["status"] for row in csv.DictReader(stream)}


def test_three_kills_of_the_worker_double_nobody_and_lose_nobody(running: RunningStack) -> None:
    # Receipts stay away: they would turn "unknown" into "delivered" before we can look.
    stack = running("web", "worker", "clock", receipt_delay=600)
    # Slow enough that on a busy machine, too, every kill comes before the end.
    stack.site.cli("senders", "rate", SENDER, "1500")
    broadcast_id = stack.broadcast(TEXT, EVERYBODY)
    silences = []

    for number, deed in enumerate((kill_the_horse, kill_the_parent, kill_both), start=1):
        until(lambda mark=2000 * number: stack.provider.arrived() > mark, 60, "thousands have arrived")
        silences.append(seconds_of_silence(stack, deed))
        print(f"{deed.__name__}: messages arrive again after {silences[-1]:.1f} s")  # noqa: T201
    status = stack.finished(broadcast_id, 90)

    copies, fate, counts = stack.provider.copies(TEXT), fates(stack, broadcast_id), status["tally"]
    unknown = {number for number in NUMBERS if fate[number] == "unknown"}
    print(f"unknown: {len(unknown)}, of whom {len(unknown & set(copies))} have it")  # noqa: T201
    assert set(copies.values()) == {1}
    assert set(NUMBERS) - set(copies) <= unknown
    assert {number for number in NUMBERS if fate[number] == "sent"} == set(NUMBERS) - unknown
    assert (counts["audience"], counts["sent"] + counts["unknown"]) == (10_000, 10_000)
    # At most what was on the wire; answers that were read but not written yet are in the journal.
    assert len(unknown) <= 3 * WINDOW
    assert max(silences) < 15


@contextmanager
def ledger_held(database_url: str) -> Iterator[None]:
    """Hold the lock that a clock needs to open a broadcast."""
    engine = create_engine(database_url, poolclass=NullPool).execution_options(tidings_writes=True)
    with engine.begin() as connection:  # on SQLite this is the lock
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT 1 FROM ledger_head FOR UPDATE")
        yield


def somebody_waits(database_url: str) -> bool:
    """Tell whether a process waits for a lock of this PostgreSQL database."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        return bool(connection.scalar(text(waiting)))


def has_open(pid: int, database_url: str) -> bool:
    """Tell whether a process has the SQLite file of this URL open."""
    file = make_url(database_url).database
    with suppress(OSError):
        return any(os.readlink(one) == file for one in Path(f"/proc/{pid}/fd").iterdir())
    return False


def kill_as_it_opens(stack: Stack, after: float) -> None:
    """Start a clock, let it run into the lock, lift the lock, and kill the clock some seconds later."""
    url = stack.site.database_url
    with ledger_held(url):
        stack.start("clock")
        clock = stack.pid("clock")
        arrived = has_open if url.startswith("sqlite") else lambda _, url: somebody_waits(url)
        until(lambda: arrived(clock, url), 30, "a clock that waits for the ledger")
    time.sleep(after)
    stack.kill("clock")


def slices(database_url: str) -> dict[int, tuple[str, int | None, int]]:
    """Of each broadcast: its state, its audience, and how many slices it was cut into."""
    engine = create_engine(database_url, poolclass=NullPool)
    count = "SELECT count(*) FROM slice WHERE slice.broadcast_id = broadcast.id"
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT id, state, audience, ({count}) FROM broadcast"))
        return {row[0]: (row[1], row[2], row[3]) for row in rows if row[1] != "replies"}


def test_a_clock_killed_while_it_opens_a_broadcast_freezes_its_audience_once(running: RunningStack) -> None:
    stack = running("web", receipt_delay=600)
    texts = {stack.broadcast(f"Riverside: edition {number}.", SOME): number for number in range(1, 4)}

    for milliseconds in (0, 5, 10, 20, 40, 80):
        kill_as_it_opens(stack, milliseconds / 1000)
        seen = slices(stack.site.database_url)
        print(f"clock killed after {milliseconds} ms: {[state for state, *_ in seen.values()]}")  # noqa: T201
        assert set(seen.values()) <= {("scheduled", None, 0), ("sending", 2500, 3)}
        if ("scheduled", None, 0) not in seen.values():
            break  # nothing is left that a clock could wait to open
    stack.start("clock", "worker")
    for one in texts:
        stack.finished(one, 60)

    assert slices(stack.site.database_url) == dict.fromkeys(texts, ("finished", 2500, 3))
    totals = stack.provider.stats()
    assert (totals["total"], totals["distinct"], totals["duplicates"]) == (7500, 2500, 0)
    for broadcast_id, number in texts.items():
        assert stack.provider.copies(f"Riverside: edition {number}.") == dict.fromkeys(SOME_NUMBERS, 1)
        assert stack.status(broadcast_id)["tally"]["sent"] == 2500
