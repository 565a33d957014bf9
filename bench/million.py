"""The life of a big list from its file to its report: imported, started, sent, watched, reported."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis
from sqlalchemy import text

from app.clock import utcnow
from app.queue import begin
from app.services import reports
from app.storage.database import db
from app.storage.models import Broadcast
from bench import cpu
from bench.big_list import BigList, Imported, fill
from bench.desk_visitor import Visitor, visitor
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.running import MemoryMeter, RunFailed
from bench.size import Size
from bench.sparse_segment import first_message_ms
from bench.web import SHIPPED, web
from workers.daily import FIRST_AFTER_SECONDS

_PLANS = {Size.SMOKE: 300, Size.NORMAL: 20_000, Size.FULL: 200_000}
_OPEN_MS, _GROWTH_MB = 50.0, 8.0
_LOOK_EVERY, _PAGES_EVERY = 0.1, 2.0
_SLOWEST_PER_SECOND = 200
# CPU seconds of the clock in one second, and how many seconds at most it is waited for.
_CALM, _CALM_WITHIN = 0.15, 120
_TABLE_BYTES = {
    True: "SELECT pg_total_relation_size('delivery')",
    False: "SELECT sum(pgsize) FROM dbstat WHERE name IN "
    "(SELECT name FROM sqlite_schema WHERE tbl_name = 'delivery')",
}


@dataclass(frozen=True)
class Start:
    """Milliseconds: the press of Send until it stands on the schedule, and until the first message is at the sink.

    `opening_ms` is until the audience is frozen, its first slices are committed, and the worker is called.
    `segment_ms` is of a later broadcast, to a segment whose people stand at the end of the list alone.
    """

    schedule_ms: float
    opening_ms: float
    first_ms: float
    segment_ms: float


@dataclass
class Watch:
    """What was seen again and again while the broadcast went out; `early_mb` is the worker's memory at a tenth."""

    tally_ms: list[float] = field(default_factory=list)
    page_ms: list[float] = field(default_factory=list)
    redis_bytes: int = 0
    early_mb: float = 0.0
    most_mb: float = 0.0


@dataclass(frozen=True)
class Aftermath:
    """The report once all is settled, and what the deliveries take in the database, indexes included."""

    report_ms: float
    csv_seconds: float
    bytes_each: float


@dataclass(frozen=True)
class Life:
    """What one list lived through. `sending_seconds` are from the first message to the last, by the sink."""

    database: str
    people: int
    imported: Imported
    start: Start
    sending_seconds: float
    settled_seconds: float
    watch: Watch
    after: Aftermath
    duplicates: int
    lost: int
    faults: tuple[str, ...]

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.people / self.sending_seconds


def run(database: str, size: Size, seed: int) -> Finding:
    """Live the life of a list in one of three sizes. Raises `RunFailed`."""
    return finding(live(database, _PLANS[size]), judge_speed=size is not Size.SMOKE)


def live(database: str, people: int) -> Life:
    """Let so many people live it on a database (`SQLITE` or `POSTGRES`). Raises `RunFailed`."""
    with ground(database, people=0, more=people) as on:
        big, imported = fill(on, people)
        with _desk(on) as desk:
            on.start("worker", "clock")
            _until_calm(on.pid("clock"))
            with (
                MemoryMeter(on.pid("worker")) as memory,
                redis.Redis.from_url(on.room.env["REDIS_URL"]) as client,
            ):
                broadcast_id, pressed, scheduled_ms, opening_ms = _press(on, big)
                watch = _watch(on, big, broadcast_id, desk, memory, client)
                settled = time.monotonic() - pressed
            after = _report(on, big, broadcast_id, desk)
        seen = on.sink.stats()
        segment_ms = first_message_ms(on, big.list_id)
        return Life(
            database=on.room.database,
            people=big.people,
            imported=imported,
            start=Start(scheduled_ms, opening_ms, seen.first_ns / 1e6 - pressed * 1000, segment_ms),
            sending_seconds=seen.seconds,
            settled_seconds=settled,
            watch=watch,
            after=after,
            duplicates=seen.duplicates,
            lost=seen.lost(big.people),
            faults=tuple(seen.faults(people, big.fingerprint)),
        )


def _until_calm(clock: int) -> None:
    """Wait until the clock has signed and sorted what the import brought: what is measured is the broadcast.

    It takes a second for a hundred thousand people, and both cores of a small machine.
    """
    time.sleep(FIRST_AFTER_SECONDS + 2.0)
    for _ in range(_CALM_WITHIN):
        before = cpu.tree_seconds(clock)
        time.sleep(1.0)
        if cpu.tree_seconds(clock) - before < _CALM:
            return


@contextmanager
def _desk(on: Ground) -> Iterator[Visitor]:
    token, log = on.account.auth_token, on.directory / "web.log"
    with web(SHIPPED, on.room.env, token, on.guard, log) as (port, _, _), visitor(on.room, port) as desk:
        yield desk


def _press(on: Ground, big: BigList) -> tuple[int, float, float, float]:
    """Send it now as the desk does; returns its id, the moment, and milliseconds until planned and to open."""
    on.sink.reset()
    with on.room.app.app_context():
        pressed = time.monotonic()
        broadcast_id = on.room.schedule(big.list_id)
        planned = (time.monotonic() - pressed) * 1000
        begin(broadcast_id, utcnow())
        opened = (time.monotonic() - pressed) * 1000
        db.session.remove()
    return broadcast_id, pressed, planned, opened - planned


def _watch(
    on: Ground, big: BigList, broadcast_id: int, desk: Visitor, memory: MemoryMeter, client: redis.Redis
) -> Watch:
    """Look until everybody has a fate: at the sink and Redis often, at the tally and the page every two seconds."""
    watch, looked, before = Watch(), 0.0, _redis_bytes(client)
    deadline = time.monotonic() + 60 + big.people / _SLOWEST_PER_SECOND
    while time.monotonic() < deadline:
        watch.redis_bytes = max(watch.redis_bytes, _redis_bytes(client) - before)
        if not watch.early_mb and on.sink.stats().total * 10 >= big.people:
            watch.early_mb = memory.most
        if time.monotonic() - looked >= _PAGES_EVERY:
            looked = time.monotonic()
            if _look(on, broadcast_id, desk, watch):
                watch.most_mb = memory.most
                return watch
        time.sleep(_LOOK_EVERY)
    raise RunFailed(f"Not everybody has a fate. {on.tally(broadcast_id)} {on.sink.stats()} {on.last_words()}")


def _look(on: Ground, broadcast_id: int, desk: Visitor, watch: Watch) -> bool:
    """Time the tally and the progress page; tells whether all are planned and nobody waits any more."""
    with on.room.app.app_context():
        db.session.rollback()
        began = time.monotonic()
        seen = reports.tally(broadcast_id)
        watch.tally_ms.append((time.monotonic() - began) * 1000)
        is_planned = db.session.get_one(Broadcast, broadcast_id).planned_to is None
        db.session.remove()
    _, milliseconds = desk.get(f"/broadcasts/{broadcast_id}/live")
    watch.page_ms.append(milliseconds)
    return is_planned and seen.settled == seen.audience


def _report(on: Ground, big: BigList, broadcast_id: int, desk: Visitor) -> Aftermath:
    """Ask for the report and for all of its rows. Raises `RunFailed` when it does not name everybody."""
    _, page_ms = desk.get(f"/broadcasts/{broadcast_id}/report")
    rows, csv_ms = desk.get(f"/broadcasts/{broadcast_id}/report.csv")
    if (told := rows.count(b"\n") - 1) != big.people:
        raise RunFailed(f"The report has {told} rows for {big.people} people.")
    with on.room.app.app_context():
        size = db.session.scalar(text(_TABLE_BYTES[on.server is not None]))
        db.session.remove()
    return Aftermath(page_ms, csv_ms / 1000, int(size or 0) / big.people)


def _redis_bytes(client: redis.Redis) -> int:
    info = client.info("memory")
    assert isinstance(info, dict)
    return int(info["used_memory"])


def finding(life: Life, *, judge_speed: bool) -> Finding:
    """Judge a life: by the sink, and by what was aimed at when speed is asked for."""
    grown = life.watch.most_mb - life.watch.early_mb
    missed = [f"{life.start.opening_ms:,.0f} ms to open"] if life.start.opening_ms > _OPEN_MS else []
    missed += [f"the worker grew by {grown:.0f} MB"] if grown > _GROWTH_MB else []
    facts = (
        f"{life.people:,} imported at {life.imported.rows / life.imported.seconds:,.0f}/s, "
        f"sent at {life.per_second:,.0f}/s, worker {life.watch.most_mb:.0f} MB"
    )
    return Finding(
        "million", life.database.split()[0], facts, life.faults, tuple(missed) if judge_speed else ()
    )
