"""The scenarios by name, and the target of the design that each checks."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import chaos, pause, stop_race
from bench.finding import Finding
from bench.ground import POSTGRES, SQLITE
from bench.size import Size


@dataclass(frozen=True)
class Scenario:
    """`run` takes a database, a size and a seed. Those in `smoke` are part of `python -m bench --smoke`."""

    target: str
    words: str
    run: Callable[[str, Size, int], Finding]
    databases: tuple[str, ...] = (SQLITE, POSTGRES)
    smoke: bool = True


SCENARIOS = {
    "stop": Scenario(
        "T8", "nothing is handed over later than 50 ms after our answer to a STOP", stop_race.run
    ),
    "pause": Scenario("T8", "pause and cancel leak no more than there are connections", pause.run),
    "chaos": Scenario("T7", "kills and restarts: nobody twice, nobody lost, little unknown", chaos.run),
}
OTHERS = {
    "throughput": ("T1-T3, T14", "hand-over beside the naive baseline and the ceiling"),
    "webhooks": ("T10", "signed receipts beside a plain Flask route"),
}
