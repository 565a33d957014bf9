"""Kill -9 of a connector in the middle of a broadcast over SMPP: nobody gets two copies, and reports find their way."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.gateways.registry import build
from app.services.manage_senders import set_rate
from app.storage.database import db
from app.storage.models import Delivery
from tests.support.application import MASTER_KEY, SECRET_KEY
from tests.support.smpp_centre import running_centre
from tests.support.world import Newsroom
from tests.workers.test_connector_smpp import Desk
from workers import clock

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PEOPLE = 1500


@contextmanager
def connector(settings: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A connector of the sender *smpp* as a process of its own."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", "connector", "smpp"],
            cwd=ROOT,
            env=settings,
            stderr=output,
            stdout=output,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def until(fact: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"waited {seconds} seconds for {what}"
        time.sleep(0.02)


def counts() -> Counter[int]:
    db.session.rollback()
    return Counter(
        dict(db.session.execute(select(Delivery.status, func.count()).group_by(Delivery.status)).all())
    )  # type: ignore[arg-type]


def test_a_connector_that_is_killed_doubles_nobody_and_its_reports_find_their_deliveries(
    newsroom: Newsroom, database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    settings = {
        "PATH": os.environ.get("PATH", os.defpath),
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "SECRET_KEY": SECRET_KEY,
        "MASTER_KEY": MASTER_KEY,
        "PUBLIC_URL": "http://localhost",
        "TIDINGS_HOME": str(newsroom.app.extensions["tidings"].settings.home),
        "TIDINGS_BRAND": "Riverside News",
    }
    with running_centre() as centre:
        desk = Desk(newsroom, centre)
        set_rate(
            "smpp",
            100_000.0,
            registry=build,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        newsroom.join(PEOPLE)
        centre.manners.report = None
        desk.broadcast("The bridge is open.")
        db.session.remove()

        with connector(settings, tmp_path / "first.log") as first:
            until(lambda: len(centre.messages) > PEOPLE // 3, "the first third")
            first.kill()
            first.wait(10)
        with connector(settings, tmp_path / "second.log"):
            until(lambda: clock.tick(utcnow()) or settled() == PEOPLE, "the rest")
            centre.report_all()
            until(lambda: counts()[DeliveryStatus.SENT] == 0, "the reports")

    copies, fate = Counter(to for to, _ in centre.texts), counts()
    assert set(copies.values()) == {1}
    # What was written and not answered is unknown: at most a window. Everybody else was reported.
    assert fate[DeliveryStatus.UNKNOWN] <= 10
    assert fate[DeliveryStatus.DELIVERED] + fate[DeliveryStatus.UNKNOWN] == PEOPLE
    assert PEOPLE - len(copies) <= fate[DeliveryStatus.UNKNOWN]


def settled() -> int:
    found = counts()
    return found[DeliveryStatus.SENT] + found[DeliveryStatus.UNKNOWN] + found[DeliveryStatus.DELIVERED]
