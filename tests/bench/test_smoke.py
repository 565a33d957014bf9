"""The whole benchmark, small: every contender reaches exactly the people it should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_small_round_is_not_void():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "throughput", "--smoke", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["void"], told["duplicates"], told["lost"]) == (False, 0, 0)
    assert told["ratio_naive_fork"] > 1
