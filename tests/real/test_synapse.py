"""The whole story over a real Synapse: invited, joined, broadcasts, STOP, left, returned; nothing is lost meanwhile."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Recipient
from app.gateways.errands import Errands
from app.gateways.registry import build, gateway_class
from app.gateways.transport import CurlTransport
from app.services.manage_senders import add
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Lane, LaneSetup
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, InboundRow, Sender, Subscriber, Subscription
from tests.real.door import open_door
from tests.real.kannel import free_port
from tests.real.synapse import DOMAIN, Person, Synapse, missing, running_synapse
from tests.support.world import Newsroom, OpenThrottle
from workers.journal import journal

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=str(missing()))]

BOT = f"@city:{DOMAIN}"


class Desk:
    """A newsroom whose list is on Matrix."""

    def __init__(self, newsroom: Newsroom, folder: Path) -> None:
        self.newsroom, self.folder = newsroom, folder
        self.doors, self.server_port = free_port(), free_port()
        newsroom.now = utcnow()
        self.settings = {
            "server": f"http://127.0.0.1:{self.server_port}",
            "bot": BOT,
            "as_token": "as" + "0123456789abcdef" * 2,
            "hs_token": "hs" + "0123456789abcdef" * 2,
        }
        self.hook = f"http://127.0.0.1:{self.doors}/hooks/city-matrix"
        self.gateway = build("matrix", self.settings, None)
        self.sender_id = add(
            name="city-matrix",
            gateway=gateway_class("matrix"),
            settings=self.settings,
            rate=1000.0,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        with transaction() as session:
            session.get_one(BroadcastList, newsroom.list_id).sender_id = self.sender_id

    def drain(self) -> None:
        with transaction() as session:
            replies_id = replies_broadcast(session, session.get_one(Sender, self.sender_id), utcnow())
        lane = Lane(
            LaneSetup(self.sender_id, replies_id, 1000.0, self.hook, self.gateway),
            transport=CurlTransport(4),
            throttle=OpenThrottle(),
            controller=self.newsroom.controller,
            journal=journal(),
            clock=utcnow,
            worker="tests:1",
        )
        lane.drain(utcnow() + timedelta(seconds=10))

    def broadcast(self, words: str) -> None:
        self.newsroom.now = utcnow()
        self.newsroom.broadcast(words)
        self.drain()

    def state(self, person: Person) -> str | None:
        db.session.rollback()
        states = select(Subscription.state).join(Subscriber).where(Subscriber.address == person.address)
        return db.session.scalar(states)

    def route(self, person: Person) -> str | None:
        db.session.rollback()
        found = db.session.scalar(select(Subscriber).where(Subscriber.address == person.address))
        return found.route(self.sender_id) if found else None

    def rooms(self, server: Synapse) -> set[str]:
        """The rooms that the bot is in."""
        return set(server.call("GET", "v3/joined_rooms", token=self.settings["as_token"])["joined_rooms"])

    def heard(self) -> list[str]:
        db.session.rollback()
        return list(db.session.scalars(select(InboundRow.outcome).order_by(InboundRow.id)))


@pytest.fixture
def desk(newsroom: Newsroom, tmp_path: Path) -> Desk:
    return Desk(newsroom, tmp_path)


@pytest.fixture
def server(desk: Desk) -> Iterator[Synapse]:
    registration = desk.gateway.registration(desk.hook)
    assert registration is not None
    with running_synapse(desk.folder, registration, desk.server_port) as found:
        yield found


def until(fact: Callable[[], bool], what: str) -> None:
    for _ in range(300):
        if fact():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited 30 seconds for {what}")


def joined(desk: Desk, person: Person) -> str:
    """Open a chat and join the list; returns the room."""
    room = person.invite(BOT)
    until(lambda: desk.route(person) == room, "the invitation")
    person.say(room, "START")
    until(lambda: desk.state(person) == "active", "the consent")
    desk.drain()
    return room


def test_people_invite_the_bot_join_get_broadcasts_stop_leave_and_return(desk: Desk, server: Synapse) -> None:
    ada, grace = Person(server, "ada"), Person(server, "grace")
    with open_door(desk.newsroom.app, desk.doors):
        hers = joined(desk, grace)
        room = ada.invite(BOT)
        until(lambda: ada.membership(room, BOT) == "join", "the bot to come")
        until(lambda: desk.route(ada) == room, "the greeting")
        assert desk.state(ada) is None
        desk.drain()
        assert "CITY" in ada.read(room, BOT)[0]

        ada.say(room, "START")
        until(lambda: desk.state(ada) == "active", "the consent")
        desk.drain()
        assert "you asked for City" in ada.read(room, BOT)[1]
        desk.broadcast("Grüße 🌍 & <all>: the bridge is open.")
        assert ada.read(room, BOT)[2:] == ["Grüße 🌍 & <all>: the bridge is open."]

        ada.say(room, "Please STOP")
        until(lambda: desk.state(ada) == "stopped", "the withdrawal")
        desk.drain()
        assert "unsubscribed" in ada.read(room, BOT)[-1]
        ada.say(room, "START")
        until(lambda: desk.state(ada) == "active", "the consent again")
        ada.leave(room)
        until(lambda: desk.state(ada) == "stopped", "the withdrawal by leaving")
        until(lambda: desk.rooms(server) == {hers}, "the bot to leave, too")
        desk.broadcast("Ada is not here.")

        again = joined(desk, ada)
        desk.broadcast("The bridge is closed.")
        assert ada.read(again, BOT)[-1] == "The bridge is closed."
        assert "Ada is not here." not in ada.read(again, BOT)
        assert grace.read(hers, BOT)[-2:] == ["Ada is not here.", "The bridge is closed."]


def test_closing_an_older_chat_leaves_the_present_one_alone(desk: Desk, server: Synapse) -> None:
    ada = Person(server, "ada")
    with open_door(desk.newsroom.app, desk.doors):
        old = joined(desk, ada)
        new = ada.invite(BOT)
        until(lambda: desk.route(ada) == new, "the move")
        ada.leave(old)
        ada.say(new, "HELP")
        until(lambda: desk.heard()[-1] == "HELP", "the question")

        assert desk.state(ada) == "active"


def test_a_room_for_many_is_declined_and_what_is_encrypted_waits_for_a_human(
    desk: Desk, server: Synapse
) -> None:
    ada = Person(server, "ada")
    with open_door(desk.newsroom.app, desk.doors):
        many = ada.invite(BOT, direct=False)
        until(lambda: ada.membership(many, BOT) == "leave", "the bot to decline")
        assert desk.heard() == []

        room = joined(desk, ada)
        ada.put(room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA"})
        until(lambda: desk.heard()[-1] == "NONE", "the letter that nobody can read")
        media = select(InboundRow.media_count).order_by(InboundRow.id.desc())
        assert db.session.scalars(media).first() == 1


def test_what_is_said_while_we_are_away_comes_when_we_are_back(desk: Desk, server: Synapse) -> None:
    ada = Person(server, "ada")
    with open_door(desk.newsroom.app, desk.doors):
        room = joined(desk, ada)
    ada.say(room, "STOP")
    time.sleep(1.0)
    assert desk.state(ada) == "active"

    with open_door(desk.newsroom.app, desk.doors):
        until(lambda: desk.state(ada) == "stopped", "the withdrawal")


def test_the_same_request_twice_is_one_message_and_who_never_invited_us_is_not_written_to(
    desk: Desk, server: Synapse
) -> None:
    ada = Person(server, "ada")
    with open_door(desk.newsroom.app, desk.doors):
        room = joined(desk, ada)
    person = Recipient(DeliveryRef(7, 8), Address("matrix", ada.address), "Once", room)
    stranger = Recipient(DeliveryRef(7, 9), Address("matrix", f"@nobody:{DOMAIN}"), "Never")
    call, to_nobody = desk.gateway.encode(Batch((person, stranger), desk.hook))

    errands = Errands()
    assert errands.make([call, call]) is None
    assert ada.read(room, BOT).count("Once") == 1
    refusal = errands.make([to_nobody])
    errands.close()
    assert refusal is not None
    (outcome,) = desk.gateway.decode(to_nobody, refusal)
    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.BLOCKED


def test_the_servers_ping_says_that_both_sides_know_each_other(desk: Desk, server: Synapse) -> None:
    ping = ("POST", "v1/appservice/tidings-city/ping", {"transaction_id": "t1"})
    with open_door(desk.newsroom.app, desk.doors):
        status, answer = server.ask(*ping, token=desk.settings["as_token"])

    assert (status, set(answer)) == (200, {"duration_ms"})
