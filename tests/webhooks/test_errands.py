"""What a homeserver posts: below the sender's address, with calls of ours that it makes necessary."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.gateways.base import Call, Reply
from app.gateways.registry import build, gateway_class
from app.services.manage_senders import add, find_sender
from app.services.senders_of_lists import add_sender
from app.storage.database import db
from app.storage.models import Delivery, InboundRow, Subscriber, Subscription
from app.webhooks import HookDoor
from tests.gateways.samples.matrix import (
    ADA,
    BOT,
    GRACE,
    HS_TOKEN,
    INVITED,
    LEFT,
    ROOM,
    SETTINGS,
    member,
    said,
)
from tests.support.world import Newsroom

TRANSACTION = "/hooks/city-matrix/_matrix/app/v1/transactions/1"


class Homeserver:
    """Answers our calls, and keeps them with what the database held at that moment."""

    free, in_flight = 1, 0

    def __init__(self) -> None:
        self.answer = Reply(200, b"{}")
        self.calls: list[tuple[str, int]] = []

    def submit(self, call: Call) -> None:
        db.session.rollback()
        self.calls.append((call.url.rpartition("/")[2], len(db.session.scalars(select(InboundRow)).all())))
        self._call = call

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        return [(self._call, self.answer)]

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def homeserver() -> Homeserver:
    return Homeserver()


@pytest.fixture
def client(newsroom: Newsroom, homeserver: Homeserver) -> FlaskClient:
    add(
        name="city-matrix",
        gateway=gateway_class("matrix"),
        settings=SETTINGS,
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    add_sender("CITY", "city-matrix", by="tests", now=newsroom.now)
    flask_app = newsroom.app
    flask_app.wsgi_app = HookDoor(flask_app, flask_app.wsgi_app, build, lambda: homeserver)  # type: ignore[method-assign]
    return flask_app.test_client()


def post(client: FlaskClient, *events: dict[str, Any], token: str = HS_TOKEN) -> int:
    answer = client.put(TRANSACTION, json={"events": events}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code != 200 or answer.text == "{}"
    return answer.status_code


def outcomes() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(InboundRow.outcome).order_by(InboundRow.id)))


def state() -> str | None:
    db.session.rollback()
    return db.session.scalar(select(Subscription.state).join(Subscriber).where(Subscriber.address == ADA))


def person(address: str = ADA) -> Subscriber | None:
    db.session.rollback()
    return db.session.scalar(select(Subscriber).where(Subscriber.address == address))


def route(sender: str = "city-matrix") -> str:
    found = person()
    assert found is not None
    return found.route(find_sender(db.session(), sender).id)


def test_whoever_invites_the_bot_is_greeted_after_it_came_in_and_knows_the_room(
    client: FlaskClient, homeserver: Homeserver
) -> None:
    assert post(client, INVITED) == 200

    assert homeserver.calls == [("join", 0)]
    assert route() == ROOM
    assert db.session.scalar(select(InboundRow.reply_kind)) == "choose_list"
    assert len(db.session.scalars(select(Delivery)).all()) == 1


def test_an_invitation_that_comes_again_is_accepted_again_and_greeted_once(
    client: FlaskClient, homeserver: Homeserver
) -> None:
    post(client, INVITED)
    post(client, INVITED)

    assert [what for what, _ in homeserver.calls] == ["join", "join"]
    assert len(db.session.scalars(select(Delivery)).all()) == 1


def test_a_room_that_cannot_be_entered_costs_the_others_nothing(
    client: FlaskClient, homeserver: Homeserver
) -> None:
    homeserver.answer = Reply(404, b'{"errcode": "M_UNKNOWN"}')

    assert post(client, INVITED, said(7, "START", sender=GRACE)) == 200
    assert person() is None
    assert outcomes() == ["START"]


def test_leaving_is_committed_before_the_bot_goes_too_and_only_the_first_time(
    client: FlaskClient, homeserver: Homeserver
) -> None:
    post(client, INVITED, said(4, "START"))
    assert state() == "active"

    post(client, LEFT)
    post(client, LEFT)

    assert state() == "stopped"
    assert homeserver.calls == [("join", 0), ("leave", 3)]


def test_leaving_a_room_that_we_do_not_write_to_is_no_withdrawal(
    client: FlaskClient, homeserver: Homeserver
) -> None:
    post(client, INVITED, said(4, "START"))
    newer = {**member(8, "invite", BOT, is_direct=True), "room_id": "!newer:example.org"}
    post(client, newer, LEFT, {**member(9, "leave", GRACE, sender=GRACE), "room_id": ROOM})

    assert state() == "active"
    assert [what for what, _ in homeserver.calls] == ["join", "join"]
    assert person(GRACE) is None

    post(client, {**member(10, "leave", ADA), "room_id": "!newer:example.org"})
    assert state() == "stopped"


def test_a_text_moves_the_route_to_where_it_was_said(client: FlaskClient) -> None:
    post(client, INVITED)
    post(client, {**said(5, "HELP"), "room_id": "!newer:example.org"}, INVITED)

    assert route() == "!newer:example.org"


def test_the_door_opens_below_the_address_for_those_who_knock_there(client: FlaskClient) -> None:
    mine = {"Authorization": f"Bearer {HS_TOKEN}"}
    below = "/hooks/city-matrix/_matrix/app/v1"

    assert client.get(f"{below}/users/%40city%3Aexample.org", headers=mine).status_code == 200
    assert client.get(f"{below}/users/%40ada%3Aexample.org", headers=mine).status_code == 404
    assert client.get(f"{below}/users/%40city%3Aexample.org").status_code == 403
    ping = client.post(f"{below}/ping", data=json.dumps({"transaction_id": "t"}), headers=mine)
    assert (ping.status_code, ping.text) == (200, "{}")
    assert post(client, said(1, "STOP"), token="wrong") == 403
    assert client.put(f"{below}/else", headers=mine).status_code == 404
    assert client.put("/hooks/city-matrix", headers=mine).status_code == 405
    assert client.post("/hooks/city-desk/below").status_code == 404
    assert client.put("/hooks/city-desk").status_code == 405
    assert outcomes() == []


def test_a_hundred_long_messages_in_one_transaction_are_taken(client: FlaskClient) -> None:
    echoes = [said(number, "x" * 60_000, sender=BOT) for number in range(100, 199)]

    assert post(client, *echoes, said(7, "STOP")) == 200
    assert outcomes() == ["STOP"]


def test_each_bot_has_rooms_of_its_own(client: FlaskClient, newsroom: Newsroom) -> None:
    add(
        name="sport-matrix",
        gateway=gateway_class("matrix"),
        settings={**SETTINGS, "bot": "@sport:example.org"},
        by="tests",
        controller=newsroom.controller,
        now=newsroom.now,
    )
    post(client, INVITED, said(4, "START"))
    theirs = {**member(8, "invite", "@sport:example.org", is_direct=True), "room_id": "!sport:example.org"}
    headers = {"Authorization": f"Bearer {HS_TOKEN}"}
    client.put(TRANSACTION.replace("city", "sport"), json={"events": [theirs]}, headers=headers)

    assert (route(), route("sport-matrix")) == (ROOM, "!sport:example.org")
