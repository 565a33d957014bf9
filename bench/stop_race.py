"""STOP while a broadcast goes out: whoever got our 2xx gets nothing that is handed over more than 50 ms later."""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.ours import NUMBER
from bench.running import RunFailed
from bench.size import Size
from bench.web import SHIPPED, ask, connected, signed_post, text_from, web

_PLANS = {Size.SMOKE: (800, 200, 40), Size.NORMAL: (6_000, 400, 600), Size.FULL: (24_000, 800, 2_400)}
_THREADS = 8


def run(database: str, size: Size, seed: int) -> Finding:
    """Fire signed STOPs at seeded moments and judge by the sink's clock, which is ours. Raises `RunFailed`."""
    people, per_second, count = _PLANS[size]
    with ground(database, people=people) as field:
        field.pace(per_second)
        with web(
            SHIPPED, field.room.env, field.account.auth_token, field.guard, field.directory / "web.log"
        ) as door:
            broadcast_id = field.schedule()
            field.start("worker", "clock")
            field.until_arrived(1)
            answered = _race(field, door, count, people / per_second, seed)
            field.until_settled(broadcast_id, 60 + 2 * people / per_second)
        return _finding(field, answered, database)


def _race(field: Ground, door: tuple[int, int, str], count: int, seconds: float, seed: int) -> dict[str, int]:
    chance, began = random.Random(seed), time.monotonic()
    phones = chance.sample([number for number, _ in field.room.people], count)
    moments = sorted(chance.uniform(0.05, 0.8) * seconds for _ in phones)
    jobs = [(began + moment, phone) for moment, phone in zip(moments, phones, strict=True)]
    answered: dict[str, int] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        todo = [pool.submit(_say_stop, field, door, jobs[at::_THREADS], answered) for at in range(_THREADS)]
        for one in todo:
            one.result()
    return answered


def _say_stop(
    field: Ground, door: tuple[int, int, str], jobs: Sequence[tuple[float, str]], answered: dict[str, int]
) -> None:
    port, _, url = door
    pause = threading.Event()
    with connected(port) as line:
        for moment, phone in jobs:
            form = text_from(phone, "STOP", to=NUMBER, account=field.account.sid)
            one = signed_post(url, form, field.account.auth_token)
            pause.wait(max(0.0, moment - time.monotonic()))
            answer = ask(line, one)
            answered[phone] = time.monotonic_ns()
            if b" 200 " not in answer[:20]:
                raise RunFailed(f"A STOP was answered with {answer[:200]!r}")


def _finding(field: Ground, answered: dict[str, int], database: str) -> Finding:
    arrivals = field.sink.arrivals()
    got = verdicts.copies(arrivals)
    after = [(one.at_ns - answered[one.to]) / 1e6 for one in arrivals if one.to in answered]
    spared = sum(1 for phone in answered if phone not in got)
    facts = f"{len(answered):,} STOPs, {spared:,} before their turn; the latest message came "
    last = max(after, default=0.0)
    facts += f"{last:.1f} ms after our answer" if last > 0 else "before our answer"
    people = {number for number, _ in field.room.people}
    return Finding("STOP race", database, facts, tuple(verdicts.stops(arrivals, answered, people)))
