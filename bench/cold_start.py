"""From a fresh copy of the source to messages delivered: pip makes the environment, nothing else is installed."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.finding import Finding
from bench.running import ROOT, RunFailed
from bench.size import Size

_PATIENCE_SECONDS = 600
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "PIP_CERT",
    "PIP_FIND_LINKS",
    "PIP_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "HTTPS_PROXY",
)


def run(database: str, size: Size, seed: int) -> Finding:
    """Play `cli.py demo --smoke` in a copy of what is committed. Raises `RunFailed`."""
    with tempfile.TemporaryDirectory(prefix="tidings-cold-") as folder:
        home = Path(folder)
        _copy(home)
        try:
            first, second = _play(home), _play(home)
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"The demo was not done after {_PATIENCE_SECONDS} s.") from error
    facts = f"{first:.0f} s with its environment made by pip, {second:.0f} s when it is there; the whole story played"
    return Finding("cold start", database, facts)


def _copy(home: Path) -> None:
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(f"The source cannot be copied: {done.stderr.strip()[:300]}")


def _play(home: Path) -> float:
    """Run the demo's story once; returns the seconds it took. It exits with 0 only when each message came."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as words:
        done = subprocess.run(
            ["python3", "cli.py", "demo", "--smoke"],  # noqa: S607
            cwd=home,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        words.seek(0)
        said = words.read().decode(errors="replace")
    if done.returncode:
        raise RunFailed(f"The demo ended with exit code {done.returncode}: {said[-800:]}")
    return time.monotonic() - began
