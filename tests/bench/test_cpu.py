"""CPU time as /proc tells it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cpu

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_the_time_of_children_counts_while_they_live_and_after():
    before = cpu.tree_seconds(os.getpid())
    burn = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\nprint(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert cpu.parent_of(child.pid) == os.getpid()
        assert cpu.tree_seconds(os.getpid()) - before >= 0.09
        child.communicate(b"\n")

    assert cpu.tree_seconds(os.getpid()) - before >= 0.09


def test_a_process_that_is_gone_has_no_time_and_no_name():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()

    assert (cpu.tree_seconds(child.pid), cpu.parent_of(child.pid), cpu.name_of(child.pid)) == (0.0, 0, "")
