"""Perform a rehearsal from this side: write the script, have it played in a process that knows nothing else, read it.

The stage gets the path of programs and the folder, and no other variable: no database, no key, no account, no proxy.
Files of the broadcast are copied into the folder, wherever they lie: so it is seen, too, that they are there.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from app.domain.rehearsal import Faults, Report
from app.rehearsal.script import Script, write
from app.runtime import runtime
from app.services import rehearsals
from app.services.controller import Refused
from app.services.media.files import FileGone, LocalFiles, whole
from app.services.rehearsal_cast import MOST_PEOPLE, Cast, cast_of
from app.storage.database import transaction
from app.storage.models import MediaFile

FILES: Final = "media"
"""Where the stage finds files below its folder, as every installation does."""
SECONDS: Final = 90.0
"""The longest that the sending itself may take; making the stage takes some seconds more."""

_AROUND: Final = 60.0
_ROOT: Final = Path(__file__).parents[2]


def perform(rehearsal_id: int, *, now: datetime, most: int = MOST_PEOPLE) -> None:
    """Do a rehearsal that was asked for, and keep its report or the reason why there is none."""
    taken = rehearsals.take(rehearsal_id)
    if taken is None:
        return
    try:
        report, problem = play(*taken, now=now, most=most), ""
    except Refused as refusal:
        report, problem = None, str(refusal)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        report, problem = None, f"The rehearsal broke off: {error}"
    rehearsals.end(rehearsal_id, report, problem, now)


def play(broadcast_id: int, faults: Faults, *, now: datetime, most: int = MOST_PEOPLE) -> Report:
    """Return what a rehearsal of a broadcast finds. Raises `Refused`, `NotFound`, `SubprocessError`."""
    url = runtime().settings.public_url
    with transaction() as session:
        cast = cast_of(
            session, broadcast_id, controller=runtime().controller, now=now, most=most, public_url=url
        )
    home = Path(tempfile.mkdtemp(prefix="tidings-rehearsal-"))
    try:
        write(Script(cast, faults, SECONDS), home)
        _bring_files(cast, home)
        return _on_stage(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _bring_files(cast: Cast, home: Path) -> None:
    there = LocalFiles(home / FILES)
    for row in cast.rows[MediaFile.__tablename__]:
        try:
            there.put(row["sha256"], whole(runtime().files, row["sha256"], row["size"]))
        except FileGone as error:
            raise Refused("A file of this broadcast is not where it should be. Upload it again.") from error


def stage_environment() -> Mapping[str, str]:
    """Return all that the stage learns of this machine's environment."""
    kept = ("PATH", "LANG", "LC_ALL", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _on_stage(home: Path) -> Report:
    done = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-m", "app.rehearsal.stage", str(home)],
        env=dict(stage_environment()),
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS + _AROUND,
        check=False,
    )
    if done.returncode != 0:
        raise subprocess.SubprocessError(done.stderr.strip()[-500:] or "it said nothing")
    return Report.from_json(json.loads(done.stdout.splitlines()[-1]))
