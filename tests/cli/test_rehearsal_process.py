"""What a worker starts for the desk: a process of its own that does a rehearsal and keeps its report."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.rehearsal import Faults
from app.factory import create_core
from app.services import rehearsals
from app.storage.database import db
from tests.cli.conftest import Shell
from tests.support.world import NOON

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_rehearsal_that_was_asked_for_is_done_in_a_process_of_its_own(newsdesk: Shell) -> None:
    newsdesk.ok(
        "broadcasts", "create", "--title", "Flood", "--text", "The bridge is closed.", "--list", "NEWS"
    )
    with create_core().app_context():
        number = rehearsals.ask(1, Faults(0, 0, 0, 0, 0), by="ada", now=NOON)
        subprocess.run(
            [sys.executable, "-m", "app.rehearsal", str(number)], cwd=ROOT, check=True, timeout=120
        )
        db.session.rollback()
        (done,) = rehearsals.of_broadcast(1)
        db.session.remove()
        db.engine.dispose()

    assert done.state == "done"
    assert done.report
    assert (done.report.passed, done.report.people, done.report.sent) == (True, 2, 2)
