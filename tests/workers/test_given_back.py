"""The day's list of numbers that were given back, read over the wire from the simulated Twilio."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.gateways.twilio import TwilioGateway
from app.services import given_back_days
from app.services.manage_senders import rotate_secrets
from app.simulator.application import create_app
from app.simulator.records import Sender as Rented
from app.simulator.server import Server
from app.simulator.world import World
from app.storage.database import db, transaction
from app.storage.models import Sender, Subscriber
from tests.support.world import ACCOUNT, NUMBER, TOKEN, Newsroom
from workers.given_back import read_given_back


@pytest.fixture
def world() -> World:
    world = World()
    world.state.put_sender(Rented(NUMBER, ACCOUNT, TOKEN))
    return world


@pytest.fixture
def listening(newsroom: Newsroom, world: World) -> Iterator[Newsroom]:
    """A newsroom whose sender is at the simulator, and wants the lists read."""
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    with transaction() as session:
        session.get_one(Sender, newsroom.sender_id).base_url = f"http://127.0.0.1:{server.port}"
    rotate_secrets(
        "city-desk",
        gateway=TwilioGateway,
        settings={"deactivations": "yes"},
        by="ops",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    yield newsroom
    world.stopping.set()
    server.stop()


def suppressed() -> list[bool]:
    db.session.rollback()
    rows = db.session.scalars(select(Subscriber.suppressed_at).order_by(Subscriber.id))
    return [at is not None for at in rows]


def test_the_clock_reads_each_day_once_and_asks_an_hour_later_for_one_that_was_not_there(
    listening: Newsroom, world: World
) -> None:
    anna, bert = listening.join(2)
    listening.later(days=1)
    read_given_back(lambda: listening.now)
    assert suppressed() == [False, False]
    strangers = [f"+1202555{index:04d}" for index in range(100, 200)] * 60
    world.state.given_back["2026-03-02"] = (*strangers, anna)
    listening.later(minutes=30)
    read_given_back(lambda: listening.now)
    assert suppressed() == [False, False]

    listening.later(minutes=31)
    read_given_back(lambda: listening.now)

    assert suppressed() == [True, False]
    assert given_back_days.claim(listening.controller, listening.now) == []
    world.state.given_back["2026-03-03"] = (bert,)
    listening.later(days=1)
    read_given_back(lambda: listening.now)
    assert suppressed() == [True, True]
