"""The clock's errand reads a simulated LINE's list of followers over the wire, each day once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import utcnow
from app.simulator.messengers import Account
from app.simulator.world import World
from app.storage.database import db
from app.storage.models import FollowerReading
from tests.gateways.samples.line import SETTINGS
from tests.support.chat_city import ADA, GRACE
from tests.support.line_sender import line_sender
from tests.support.world import Newsroom
from workers.followers import LISTERS, read_followers

ACCOUNT = Account("line", SETTINGS["id"], settings=dict(SETTINGS))


@pytest.fixture
def world() -> World:
    world = World()
    world.chats.put(ACCOUNT)
    return world


@pytest.fixture
def line(newsroom: Newsroom, world: World) -> Iterator[int]:
    """The newsroom's sender on LINE at the simulator."""
    with line_sender(newsroom, world) as sender_id:
        yield sender_id


def found(sender_id: int, at: datetime) -> tuple[str, int, str | None]:
    read_followers(lambda: at)
    db.session.rollback()
    rows = db.session.scalars(select(FollowerReading)).all()
    assert [one.sender_id for one in rows] == [sender_id]
    return rows[0].outcome, rows[0].followers, rows[0].problem


def test_each_day_s_list_is_read_once(newsroom: Newsroom, line: int, world: World) -> None:
    noon = utcnow().replace(hour=12, minute=0)
    world.chats.opened.add((ADA, ACCOUNT.address))

    assert found(line, noon) == ("read", 1, None)
    world.chats.opened.add((GRACE, ACCOUNT.address))
    assert found(line, noon + timedelta(hours=11)) == ("read", 1, None)
    assert found(line, noon + timedelta(hours=12)) == ("read", 2, None)
    assert "line" in LISTERS
    assert "twilio" not in LISTERS


def test_a_list_that_cannot_be_had_is_written_down(newsroom: Newsroom, line: int, world: World) -> None:
    noon = utcnow().replace(hour=12, minute=0)
    world.chats.accounts.clear()

    outcome, _, problem = found(line, noon)

    assert (outcome, problem) == (
        "failed",
        "LINE answered 401: Authentication failed. Confirm that the access token is valid.",
    )
    world.chats.put(ACCOUNT)
    assert found(line, noon + timedelta(minutes=59))[0] == "failed"
    assert found(line, noon + timedelta(minutes=60)) == ("read", 0, None)
