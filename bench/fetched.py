"""A Python with packages that are not ours, which pip fetches into a folder that is thrown away."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_SECONDS = 240


class NotInstalled(Exception):
    """A peer cannot be had on this machine; the text says why."""


def python_with(folder: Path, *wanted: str) -> Path:
    """Return the Python of a virtual environment in `folder` with what pip fetched. Raises `NotInstalled`."""
    python = folder / "bin" / "python"
    run_command([sys.executable, "-m", "venv", str(folder)], wanted[0])
    run_command([str(python), "-m", "pip", "install", "--quiet", *wanted], wanted[0])
    return python


def run_command(command: Sequence[str], peer: str) -> str:
    """Return what a command says. Raises `NotInstalled` with its last words."""
    # The caller's environment, for pip may be told there where its packages come from.
    try:
        done = subprocess.run(
            command, env=os.environ, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{peer} cannot be installed: {error}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise NotInstalled(f"{peer} cannot be installed: {last}")
    return done.stdout
