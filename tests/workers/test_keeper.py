"""A worker that is killed is followed by another; one that ends by itself, or is asked to, is not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import until
from workers.process import is_alive

ROOT = Path(__file__).parents[2]
KEPT = """
import os, signal, sys
from workers.keeper import in_a_kept_process
in_a_kept_process()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(os.getpid(), flush=True)
if sys.argv[1:]:
    sys.exit(int(sys.argv[1]))
while True:
    signal.pause()
"""


def kept(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", KEPT, *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def next_pid(keeper: "subprocess.Popen[str]") -> int:
    assert keeper.stdout is not None
    return next(int(line) for line in keeper.stdout if line.strip().isdigit())  # between lines of the log


@pytest.fixture
def keeper() -> Iterator["subprocess.Popen[str]"]:
    with kept() as process:
        yield process
        process.kill()


def test_a_killed_worker_is_followed_by_another_and_that_ends_when_asked(keeper) -> None:
    first = next_pid(keeper)

    os.kill(first, signal.SIGKILL)
    second = next_pid(keeper)
    keeper.send_signal(signal.SIGTERM)

    assert second not in (first, keeper.pid)
    assert keeper.wait(timeout=10) == 0
    assert not is_alive(second)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells a process of its parent's death"
)
def test_a_killed_keeper_takes_the_worker_with_it(keeper) -> None:
    worker = next_pid(keeper)

    keeper.kill()

    until(lambda: not is_alive(worker), 5, "the end of a worker without a keeper")


def test_a_worker_that_ends_by_itself_ends_the_keeper_with_its_code() -> None:
    with kept("3") as process:
        next_pid(process)

        assert process.wait(timeout=10) == 3
