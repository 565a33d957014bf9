"""The scenarios by name, and the target of the design that each checks."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import (
    chaos,
    cold_start,
    fairness,
    growth,
    keyword_burst,
    machines,
    million,
    pause,
    stop_race,
    storm,
    trouble,
)
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
    "fairness": Scenario("T9", "several workers keep each sender's limit and use it", fairness.run),
    "growth": Scenario(
        "T4, T6",
        "time grows no faster than the audience, memory not at all; a few get it at once",
        growth.run,
        smoke=False,
    ),
    "million": Scenario(
        "T4, T5", "a big list from its file to its report: nobody twice, nobody lost", million.run
    ),
    "trouble": Scenario("T7", "429, 5xx and cut connections: the report is what the sink knows", trouble.run),
    "keywords": Scenario(
        "T8", "a burst of STOP, START, HELP: the last word of each number counts", keyword_burst.run
    ),
    "storm": Scenario("T10", "receipts during a broadcast: all applied, forged ones refused", storm.run),
    "cold": Scenario(
        "", "a fresh copy, pip alone, to messages delivered", cold_start.run, (SQLITE,), smoke=False
    ),
    "machines": Scenario(
        "T7", "two machines, one lost: nobody twice, nobody lost", machines.run, (POSTGRES,), smoke=False
    ),
}
OTHERS = {
    "throughput": ("T1-T3, T14", "hand-over beside the naive baseline and the ceiling"),
    "peers": ("T1", "hand-over beside Kannel and Celery, against the same sink"),
    "gateways": ("", "each HTTP gateway alone, carried by our transport"),
    "webhooks": ("T10", "signed receipts beside a plain Flask route"),
    "receipts": ("T11", "receipts applied in batches, one by one, and with the ORM"),
    "tls": ("T13", "our transport beside aiohttp through the same TLS terminator"),
    "pages": ("desk", "every page of the desk beside a million people and a thousand broadcasts"),
}
