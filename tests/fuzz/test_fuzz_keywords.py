"""The matcher survives texts that nobody would write."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUNS = 12_000  # more than there are seeds, so that some are changed


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_invented_text_makes_the_matcher_fail_or_hang(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed, so no texts are invented: pip install '.[fuzz]'")
    command = [sys.executable, "-m", "tests.fuzz.fuzz_keywords", f"-runs={RUNS}", "-seed=1"]
    options = [f"-artifact_prefix={tmp_path}/", "-timeout=20"]

    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-4_000:]
    assert re.search(r"^Done \d{5,} runs", done.stderr, re.MULTILINE)
