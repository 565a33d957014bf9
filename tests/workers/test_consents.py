"""Consents that were given and withdrawn through us arrive at the simulated Twilio, each as people stand now."""

from collections.abc import Iterator

import pytest

from app.desk.refusals import is_known
from app.gateways.twilio import TwilioGateway
from app.services import share_consents as sharing
from app.services.check_health import Health, doctor
from app.services.manage_senders import rotate_secrets
from app.simulator.application import create_app
from app.simulator.records import Sender as Rented
from app.simulator.server import Server
from app.simulator.world import World
from app.storage.database import transaction
from app.storage.models import FigureMark, Sender
from tests.services.test_check_health import AROUND, FakePulse
from tests.support.world import ACCOUNT, NUMBER, TOKEN, Newsroom, number
from workers.consents import share_consents


@pytest.fixture
def world() -> World:
    world = World()
    world.state.put_sender(Rented(NUMBER, ACCOUNT, TOKEN))
    return world


@pytest.fixture
def desk(newsroom: Newsroom, world: World) -> Iterator[Newsroom]:
    """A newsroom whose sender is at the simulator."""
    server = Server("127.0.0.1", 0, create_app(world))
    server.start()
    with transaction() as session:
        session.get_one(Sender, newsroom.sender_id).base_url = f"http://127.0.0.1:{server.port}"
    yield newsroom
    world.stopping.set()
    server.stop()


def switch_on(desk: Newsroom) -> None:
    rotate_secrets(
        "city-desk",
        gateway=TwilioGateway,
        settings={"share_consents": "yes"},
        by="ops",
        controller=desk.controller,
        now=desk.now,
    )


def told(desk: Newsroom, world: World) -> dict[str, tuple[str, str]]:
    """What Twilio knows after a round, by person."""
    share_consents(lambda: desk.now)
    return {who: (one["status"], one["source"]) for (who, _), one in world.state.consents.items()}


def test_what_happens_after_it_was_switched_on_is_told_once_it_has_settled(
    desk: Newsroom, world: World
) -> None:
    desk.join(1, first=50)
    assert told(desk, world) == {}
    switch_on(desk)
    assert told(desk, world) == {}
    people = desk.join(60)
    desk.text("STOP", people[0])
    assert told(desk, world) == {}

    desk.later(minutes=7)
    known = told(desk, world)

    assert known == {
        people[0]: ("opt-out", "opt-out-message"),
        **dict.fromkeys(people[1:], ("opt-in", "opt-in-message")),
    }
    assert world.state.opted_out == {(people[0], NUMBER)}
    world.state.consents.clear()
    assert told(desk, world) == {}


def test_a_clock_that_died_before_its_mark_moved_tells_the_same_under_the_same_names(
    desk: Newsroom, world: World
) -> None:
    switch_on(desk)
    told(desk, world)
    desk.join(3)
    desk.later(minutes=7)
    told(desk, world)
    before = {one["correlation_id"] for one in world.state.consents.values()}
    with transaction() as session:
        mark = session.get_one(FigureMark, f"share_consents:{desk.sender_id}")
        mark.upto -= 3

    told(desk, world)

    assert len(before) == 3
    assert {one["correlation_id"] for one in world.state.consents.values()} == before


def test_who_stays_on_one_list_of_the_sender_is_not_told_as_gone(desk: Newsroom, world: World) -> None:
    desk.new_list("Sport", "SPORT")
    switch_on(desk)
    told(desk, world)
    desk.text("START")
    desk.text("SPORT")
    desk.text("STOP SPORT")
    desk.later(minutes=7)

    assert told(desk, world)[number(1)][0] == "opt-in"


def test_what_the_provider_does_not_take_waits_and_the_doctor_says_so(desk: Newsroom, world: World) -> None:
    switch_on(desk)
    told(desk, world)
    (anna,) = desk.join(1)
    world.state.senders[NUMBER] = Rented(NUMBER, ACCOUNT, "another-token")
    desk.later(hours=3)
    assert told(desk, world) == {}
    assert sharing.late(desk.controller, desk.now) == ["city-desk"]
    checks = doctor(pulse=FakePulse(), around=AROUND, controller=desk.controller, now=desk.now)
    (check,) = [one for one in checks if one.name == "shared consents"]
    assert (check.health, is_known(check.found), is_known(check.advice)) == (Health.WARN, True, True)

    world.state.senders[NUMBER] = Rented(NUMBER, ACCOUNT, TOKEN)
    desk.later(minutes=6)

    assert told(desk, world) == {anna: ("opt-in", "opt-in-message")}
    assert sharing.late(desk.controller, desk.now) == []
