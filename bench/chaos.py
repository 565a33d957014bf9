"""SIGKILL of the processes that send, restarts of Redis and of the database: nobody twice, nobody lost."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from app.gateways.transport import DEFAULT_CONNECTIONS
from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.running import wait_until
from bench.size import Size

# People, messages a second, kills.
_PLANS = {Size.SMOKE: (1_200, 400, 3), Size.NORMAL: (20_000, 500, 20), Size.FULL: (39_000, 500, 40)}
_DELAY_MS = 30
_RESUMED_SECONDS = 2.0
_LOST_OF_A_THOUSAND = 500


def kill_horse(field: Ground) -> None:
    """The process that sends dies; RQ's worker above it takes the next job."""
    _kill(field.child("worker"))


def kill_parent(field: Ground) -> None:
    """RQ's worker dies, and the process that sends with it; the keeper forks another."""
    _kill(field.worker("worker"))


def kill_both(field: Ground) -> None:
    """First the process that sends, then the worker."""
    kill_horse(field)
    kill_parent(field)


def kill_all(field: Ground) -> None:
    """The keeper dies, and everything below it; Python has to be started anew."""
    field.kill("worker")
    field.start("worker")


def _kill(pid: int | None) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def cut_and_kill(field: Ground) -> None:
    """Half of what is on the wire is cut before the provider reads it, and the process dies with it."""
    field.sink.trouble(cut_before=_LOST_OF_A_THOUSAND)
    wait_for_more(field)
    kill_both(field)
    field.sink.trouble()


def wait_for_more(field: Ground) -> None:
    """Until something arrives that was not there."""
    seen = field.sink.stats().total
    wait_until(lambda: field.sink.stats().total > seen, 30)


DEEDS: tuple[Callable[[Ground], None], ...] = (kill_horse, kill_parent, kill_both, kill_all)


def run(database: str, size: Size, seed: int) -> Finding:
    """Kill at seeded moments; the sink alone says who has it. Raises `RunFailed`."""
    people, per_second, kills = _PLANS[size]
    chance = random.Random(seed)
    with ground(database, people=people, delay_ms=_DELAY_MS) as field:
        field.pace(per_second)
        broadcast_id = field.schedule()
        field.start("worker", "clock")
        field.until_arrived(people // 20)
        started: list[int] = []
        for number in range(kills):
            if number == kills // 3:
                field.restart_redis()
            if number == 2 * kills // 3:
                field.restart_database()
            deed = cut_and_kill if number == kills // 2 else chance.choice(DEEDS)
            if deed is kill_all:
                started.append(time.monotonic_ns())
            deed(field)
            wait_for_more(field)
            time.sleep(chance.uniform(0.1, 0.8) * people / per_second / kills)
        at_the_last_kill = field.sink.stats().total
        field.until_settled(broadcast_id, 120 + 4 * people / per_second)
        return _finding(field, broadcast_id, (kills, started), at_the_last_kill, database)


def _finding(
    field: Ground, broadcast_id: int, deaths: tuple[int, list[int]], seen: int, database: str
) -> Finding:
    arrivals, fates = field.sink.arrivals(), field.fates(broadcast_id)
    people = {number for number, _ in field.room.people}
    unknown = {number for number, fate in fates.items() if fate == "unknown"}
    never = len(unknown - set(verdicts.copies(arrivals)))
    kills, started = deaths
    faults = verdicts.agreement(arrivals, fates, people)
    if seen >= len(people):
        faults.append("everything was sent before the last kill, so the run proves nothing")
    if len(unknown) > kills * DEFAULT_CONNECTIONS:
        faults.append(f"{len(unknown)} are unknown, more than were on the wire")
    # Every kill counts; how long it takes where Python has to be started anew is told besides.
    silence = verdicts.longest_silence(arrivals)
    anew = verdicts.longest_silence(arrivals, started)
    facts = f"{kills} kills, restarts of Redis{' and PostgreSQL' if field.server else ''}; {len(people):,} people, "
    facts += f"{len(unknown)} unknown, of whom {never} never got it; {silence:.1f} s of silence at most"
    facts += f", {anew:.1f} s where Python had to be started anew" if anew else ""
    missed = (f"going on within {_RESUMED_SECONDS:.0f} s",) if silence > _RESUMED_SECONDS else ()
    return Finding("chaos", database, facts, tuple(faults), missed)
