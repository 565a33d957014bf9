"""Run scenarios one after the other, and what a report says of the machine they ran on."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from app.clock import utcnow
from app.supervisor.redis import RedisUnavailableError
from bench import cpu
from bench.finding import Finding
from bench.running import ROOT, RunFailed
from bench.scenarios import SCENARIOS
from bench.size import Size
from bench.stage import NoDatabase

_AT_ONCE = 3


def run(names: Sequence[str], databases: Sequence[str], size: Size, seed: int) -> list[Finding]:
    """Run each scenario on each of its databases, telling progress on stderr. A failure is a finding."""
    found = []
    for name in names:
        for database in SCENARIOS[name].databases:
            if database in databases:
                began = time.monotonic()
                found.append(_one(name, database, size, seed))
                _say(found[-1], time.monotonic() - began)
    return found


def side_by_side(names: Sequence[str]) -> bool:
    """Run scenarios in tiny form as processes of their own, some at a time; False when one failed.

    They wait more than they work, and a minute is short.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        codes = list(pool.map(_in_a_process, names))
    return not any(codes)


def _in_a_process(name: str) -> int:
    command = [sys.executable, "-m", "bench", "scenarios", name, "--smoke"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode


def _one(name: str, database: str, size: Size, seed: int) -> Finding:
    try:
        return SCENARIOS[name].run(database, size, seed)
    except (RunFailed, NoDatabase, RedisUnavailableError, RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return Finding(name, database, "", (str(error).split("\n", 1)[0][:200],))


def _say(one: Finding, seconds: float) -> None:
    words = f"{one.scenario}, {one.database}: {one.facts} -> {one.verdict} ({seconds:.0f} s)"
    print(words, file=sys.stderr, flush=True)


def notes(size: Size, seed: int) -> list[str]:
    """The lines under the table of scenarios."""
    return [*where(), f"size {size}, seed {seed}"]


def where() -> list[str]:
    """The lines under a table: when, what, where."""
    return [
        f"measured: {utcnow():%Y-%m-%d %H:%M} UTC, commit {commit()}, load {os.getloadavg()[0]:.1f} at the end",
        f"machine: {os.cpu_count()} × {cpu.model()}, {platform.system()}; Python {platform.python_version()}",
    ]


def commit() -> str:
    """The commit that is measured, and whether the code differs from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "app", "workers", "bench")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with local changes" if changed else "")
