"""Matrix in the simulator: the product and the small homeserver, both ways, from the invitation to the return."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.consent import EventType
from app.domain.in_place import InPlace
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Recipient
from app.gateways.registry import build, gateway_class
from app.services import fan_out
from app.services.correct_broadcasts import draft_correction
from app.services.lists_of_sender import present_notice
from app.services.manage_senders import add
from app.services.record_consent import NewEvent, find_or_create_subscriber, record
from app.services.replies_broadcast import replies_broadcast
from app.services.reports import tally
from app.services.schedule_broadcasts import schedule
from app.services.send_deliveries import Lane, LaneSetup
from app.services.senders_of_lists import add_sender
from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.wire import Answer
from app.simulator.world import World
from app.storage.database import db, transaction
from app.storage.models import Sender, Subscriber, Subscription
from app.webhooks import HookDoor
from tests.gateways.samples.matrix import SETTINGS
from tests.support.chat_city import Line
from tests.support.world import Newsroom
from workers.journal import journal

ADA = "+12025550143"
HER_ID = "@12025550143:people.localhost"
BOT = SETTINGS["bot"]
HOOK = "http://127.0.0.1:9/hooks/city-matrix"


class City:
    """The newsroom's list on Matrix, Ada's phone, and the homeserver between them."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        newsroom.now = utcnow()  # the product's door reads the true clock
        self.world = World(clock=lambda: newsroom.now)
        self.simulator = create_app(self.world).test_client()
        tokens = {name: SETTINGS[name] for name in ("as_token", "hs_token")}
        self.world.chats.put(Account("matrix", BOT, HOOK, settings=tokens))
        self.world.wire.send = self._bring  # type: ignore[method-assign]
        app = newsroom.app
        door = HookDoor(app, app.wsgi_app, build, lambda: Line(self.simulator))
        app.wsgi_app = door  # type: ignore[method-assign]
        self._product = app.test_client()
        self.gateway = build("matrix", SETTINGS, "http://simulator")
        self.sender_id = add(
            name="city-matrix",
            gateway=gateway_class("matrix"),
            settings=SETTINGS,
            base_url="http://simulator",
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        add_sender("CITY", "city-matrix", by="tests", now=newsroom.now)

    def _bring(self, url: str, body: bytes, headers: dict[str, str], method: str) -> Answer:
        answer = self._product.open(urlsplit(url).path, method=method, data=body, headers=headers)
        return Answer(answer.status_code, answer.data)

    def says(self, text: str) -> None:
        self.newsroom.later(seconds=5)
        answer = self.world.chats.text(ADA, self.world.chats.accounts[BOT], text)
        assert answer is not None
        assert answer.taken
        self.drain()

    def leaves(self) -> None:
        self.newsroom.later(seconds=5)
        self.world.chats.block(ADA, self.world.chats.accounts[BOT], True)

    def broadcast(self, text: str) -> int:
        broadcast_id = self.newsroom.broadcast(text)
        self.drain()
        return broadcast_id

    def drain(self) -> None:
        newsroom = self.newsroom
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), newsroom.now)
        lane = Lane(
            LaneSetup(self.sender_id, replies_id, 1000.0, HOOK, self.gateway),
            transport=Line(self.simulator),
            throttle=newsroom.throttle,
            controller=newsroom.controller,
            journal=journal(),
            clock=lambda: newsroom.now,
            worker="here:2",
        )
        lane.drain(newsroom.now + timedelta(seconds=20))

    def read(self) -> list[str]:
        """What Ada's phone shows of ours."""
        return [one.text for one in self.world.conversations.bubbles(ADA) if one.kind == "in"]

    def state(self) -> str | None:
        db.session.rollback()
        found = select(Subscription.state).join(Subscriber).where(Subscriber.address == HER_ID)
        return db.session.scalar(found)


@pytest.fixture
def city(newsroom: Newsroom) -> City:
    return City(newsroom)


def test_somebody_joins_reads_stops_leaves_and_returns(city: City) -> None:
    city.newsroom.join(1)
    city.says("hello")
    assert city.state() is None
    assert "CITY" in city.read()[0]
    city.says("START")
    assert city.state() == "active"
    assert "you asked for City" in city.read()[-1]

    city.broadcast("The bridge is open.")
    assert city.read()[-1] == "The bridge is open."

    city.says("Please STOP")
    assert city.state() == "stopped"
    assert "unsubscribed" in city.read()[-1]
    city.says("START")
    assert city.state() == "active"
    shown = len(city.read())
    city.leaves()
    assert city.state() == "stopped"
    city.broadcast("Ada is not here.")
    assert len(city.read()) == shown

    city.says("START")
    assert city.state() == "active"
    city.broadcast("The bridge is closed.")
    assert city.read()[-1] == "The bridge is closed."
    assert "Ada is not here." not in city.read()
    assert [city.read().count(f"The bridge is {how}.") for how in ("open", "closed")] == [1, 1]


def test_who_agreed_elsewhere_gets_nothing_before_they_open_a_chat_and_everything_after(city: City) -> None:
    newsroom, her = city.newsroom, Address("matrix", HER_ID)
    with transaction() as session:
        person = find_or_create_subscriber(
            session, her, language="en", controller=newsroom.controller, now=newsroom.now
        )
        notice = present_notice(session, newsroom.list_id, "en")
        given = NewEvent(
            person, EventType.CONSENT_GIVEN, newsroom.now, "import", list_id=newsroom.list_id, notice=notice
        )
        record(session, [given], controller=newsroom.controller, now=newsroom.now)

    city.broadcast("The bridge is open.")
    assert (city.read(), city.state()) == ([], "active")

    city.says("hello")
    city.broadcast("The bridge is closed.")
    assert city.read()[-1] == "The bridge is closed."


def kinds(city: City, user: str, times: int = 1, room: str = "", token: str = "") -> list[ErrorKind | None]:
    """Hand a message over as often as asked for; returns how each ended."""
    settings = SETTINGS | ({"as_token": token} if token else {})
    gateway = build("matrix", settings, "http://simulator")
    person = Recipient(DeliveryRef(7, 8), Address("matrix", user), "Once", room or "!" + user[1:])
    (call,) = gateway.encode(Batch((person,), HOOK))
    found = []
    for _ in range(times):
        line = Line(city.simulator)
        line.submit(call)
        ((_, reply),) = line.poll(0.0)
        (outcome,) = gateway.decode(call, reply)
        found.append(outcome.error.kind if outcome.error else None)
    return found


def test_the_same_transaction_twice_is_one_message(city: City) -> None:
    city.says("hello")

    assert kinds(city, HER_ID, times=2) == [None, None]
    assert city.read().count("Once") == 1


def test_where_the_bot_is_not_it_cannot_write_nor_come_in(city: City) -> None:
    assert kinds(city, "@12025550199:people.localhost") == [ErrorKind.BLOCKED]
    city.says("hello")
    city.leaves()

    assert kinds(city, HER_ID) == [ErrorKind.BLOCKED]
    assert not city.world.matrix.join("!12025550143:people.localhost")
    assert kinds(city, HER_ID, token="another" * 8) == [ErrorKind.AUTH]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("0404", [ErrorKind.GONE, ErrorKind.GONE]),
        ("0403", [ErrorKind.BLOCKED, ErrorKind.BLOCKED]),
        ("0429", [ErrorKind.RATE_LIMITED, ErrorKind.BLOCKED]),
        ("0500", [ErrorKind.TEMPORARY, ErrorKind.BLOCKED]),
    ],
)
def test_some_people_misbehave(city: City, digits: str, expected: list[ErrorKind]) -> None:
    assert kinds(city, f"@44770090{digits}:people.localhost", times=2) == expected


def test_what_is_too_large_or_no_message_is_refused(city: City) -> None:
    def status(body: object) -> int:
        url = "/_matrix/client/v3/rooms/!x:people.localhost/send/m.room.message/1"
        headers = {"Authorization": f"Bearer {SETTINGS['as_token']}"}
        return city.simulator.put(url, json=body, headers=headers).status_code

    assert [status({"body": "x" * 66_000}), status({}), status([])] == [413, 400, 400]


def test_words_are_replaced_in_the_room_and_a_message_is_redacted(city: City) -> None:
    city.says("START")
    wrong = city.broadcast("The bridge is open.")
    fan_out.end_finished(city.newsroom.now)

    def correct(act: InPlace, text: str) -> None:
        now = city.newsroom.now
        draft = draft_correction(wrong, title="R", text=text, by="ada", now=now, act=act)
        schedule(draft, at=None, zone="UTC", by="ada", now=now)
        fan_out.open_due(controller=city.newsroom.controller, now=now)
        city.drain()
        assert tally(draft).sent == 1
        db.session.rollback()

    def last() -> tuple[str, str]:
        bubble = city.world.conversations.bubbles(ADA)[-1]
        return bubble.text, bubble.mark

    correct(InPlace.EDIT, "The bridge is shut.")
    assert last() == ("The bridge is shut.", "edited")
    correct(InPlace.EDIT, "The bridge is closed.")
    assert last() == ("The bridge is closed.", "edited")
    correct(InPlace.DELETE, "")
    assert last() == ("", "deleted")
