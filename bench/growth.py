"""Larger and larger broadcasts: the time grows no faster than the audience, the memory of the worker not at all."""

import math
import statistics
import time
from collections.abc import Mapping, Sequence

from bench.big_list import BigList, fill
from bench.ceiling import Around
from bench.cpu import peak_megabytes
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.running import wait_until
from bench.size import Size

_PLANS = {
    Size.SMOKE: (100, 1_000),
    Size.NORMAL: (1_000, 10_000, 100_000),
    Size.FULL: (1_000, 10_000, 100_000, 1_000_000),
}
_EXPONENT, _MEGABYTES = 1.03, 96.0
_FIRST_SECONDS, _FEW_SECONDS = 0.25, 0.4


def run(database: str, size: Size, seed: int) -> Finding:
    """Send to each number of people on a newsroom of its own. Raises `RunFailed`."""
    seconds: dict[int, float] = {}
    firsts: dict[int, float] = {}
    peaks: dict[int, float] = {}
    faults: list[str] = []
    ceilings: list[Around] = []
    judge_speed = size is not Size.SMOKE
    for people in _PLANS[size]:
        with ground(database, people=0, more=people) as field:
            big, _ = fill(field, people)
            before = field.ceiling() if judge_speed else None
            firsts[people], seconds[people], peaks[people] = _measure(field, big)
            faults += field.sink.stats().faults(people, big.fingerprint)
            if before is not None:
                ceilings.append(Around(before[0], field.ceiling()[0], before[1]))
                faults += [f"{people:,} people: {one}" for one in ceilings[-1].faults]
    return _finding(firsts, seconds, peaks, faults, database, ceilings, judge_speed=judge_speed)


def _measure(field: Ground, big: BigList) -> tuple[float, float, float]:
    """Seconds from the press of Send until the first and the last have arrived; the worker's megabytes at most."""
    field.start("worker", "clock")
    time.sleep(2.0)  # both are awake: what is measured is the broadcast
    began, peak = time.monotonic(), 0.0
    broadcast_id = field.schedule(big.list_id)

    def arrived() -> bool:
        nonlocal peak
        peak = max(peak, peak_megabytes(field.child("worker") or field.pid("worker")))
        return field.sink.stats().total >= big.people

    wait_until(arrived, 60 + big.people / 100)
    first = field.sink.stats().first_ns / 1e9 - began
    seconds = time.monotonic() - began
    field.until_settled(broadcast_id, 60)
    return first, seconds, peak


def _finding(
    firsts: Mapping[int, float],
    seconds: Mapping[int, float],
    peaks: Mapping[int, float],
    faults: list[str],
    database: str,
    ceilings: Sequence[Around],
    *,
    judge_speed: bool,
) -> Finding:
    power, most = exponent(seconds), max(peaks.values())
    told = ", ".join(
        f"{people:,} in {taken:.2f} s (the first after {firsts[people]:.2f} s; {peaks[people]:.0f} MB)"
        for people, taken in seconds.items()
    )
    missed = [f"exponent {power:.2f}"] if power > _EXPONENT and judge_speed else []
    few = min(seconds)
    if judge_speed and (firsts[few] > _FIRST_SECONDS or seconds[few] > _FEW_SECONDS):
        missed.append(f"{few:,} people: {firsts[few]:.2f} s to the first, {seconds[few]:.2f} s to the last")
    missed += [f"{most:.0f} MB in the worker"] if most > _MEGABYTES and judge_speed else []
    told = "; ".join([f"exponent {power:.2f}", told, *(one.words for one in ceilings)])
    return Finding("growth", database, told, tuple(faults), tuple(missed))


def exponent(seconds: Mapping[int, float]) -> float:
    """The power of the audience that the time grows with: the slope of a line through the logarithms."""
    sizes, times = [math.log(one) for one in seconds], [math.log(one) for one in seconds.values()]
    return statistics.linear_regression(sizes, times).slope
