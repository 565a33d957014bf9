"""Pause, resume and cancel while a broadcast goes out: no more leaks than there are connections."""

import time
from collections.abc import Callable

from app.clock import utcnow
from app.gateways.transport import DEFAULT_CONNECTIONS
from app.services import stop_broadcasts
from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.size import Size

_PLANS = {Size.SMOKE: (800, 250), Size.NORMAL: (6_000, 1_000), Size.FULL: (24_000, 4_000)}
_QUIET_SECONDS = 1.5


def run(database: str, size: Size, seed: int) -> Finding:
    """Through the services of the operator's commands: pause, resume, cancel; nobody gets two. Raises `RunFailed`."""
    people, per_second = _PLANS[size]
    with ground(database, people=people, delay_ms=20) as field:
        field.pace(per_second)
        broadcast_id = field.schedule()
        field.start("worker", "clock")
        field.until_arrived(people // 4)
        paused = _done(
            field, lambda: stop_broadcasts.pause(broadcast_id, by="bench", reason="a look", now=utcnow())
        )
        time.sleep(_QUIET_SECONDS)
        resumed = time.monotonic_ns()
        _done(field, lambda: stop_broadcasts.resume(broadcast_id, by="bench", now=utcnow()))
        field.until_arrived(people // 2)
        canceled = _done(field, lambda: stop_broadcasts.cancel(broadcast_id, by="bench", now=utcnow()))
        time.sleep(_QUIET_SECONDS)
        field.until_settled(broadcast_id, 60)
        return _finding(field, broadcast_id, (paused, resumed, canceled), database)


def _done(field: Ground, act: Callable[[], None]) -> int:
    """Do what an operator's command does, and return the moment (ns) at which it was done."""
    with field.room.app.app_context():
        act()
        return time.monotonic_ns()


def _finding(field: Ground, broadcast_id: int, moments: tuple[int, int, int], database: str) -> Finding:
    paused, resumed, canceled = moments
    arrivals = field.sink.arrivals()
    people = {number for number, _ in field.room.people}
    leaks = verdicts.leaked(arrivals, paused, resumed), verdicts.leaked(arrivals, canceled)
    faults = verdicts.reached_once(arrivals, set(), people)
    faults += [f"{leak} came after it was said to be held" for leak in leaks if leak > DEFAULT_CONNECTIONS]
    if len(arrivals) >= len(people):
        faults.append("everything was sent before the cancel, so the run proves nothing")
    said = field.tally(broadcast_id)
    if said.sent != len(arrivals) or said.skipped != len(people) - len(arrivals):
        faults.append(
            f"the report says {said.sent} sent and {said.skipped} skipped, the sink has {len(arrivals)}"
        )
    facts = f"{leaks[0]} came after the pause, {leaks[1]} after the cancel; at most {DEFAULT_CONNECTIONS} may"
    return Finding("pause, cancel", database, facts, tuple(faults))
