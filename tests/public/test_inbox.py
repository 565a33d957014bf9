"""The inbox on a site's own pages, as its script asks for it, through the front door."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.in_place import InPlace
from app.domain.media.cleaning import cleaned
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Outcome, Recipient
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Call, Reply
from app.gateways.registry import build, gateway_class
from app.runtime import runtime
from app.services import answers, reports, schedule_broadcasts, write_drafts
from app.services.correct_broadcasts import draft_correction
from app.services.fan_out import open_due
from app.services.inbox_store import StoreTransport
from app.services.manage_senders import add
from app.services.media.attach import EVERYWHERE, Given, attach
from app.services.media.take_in import take_in
from app.services.record_consent import open_pii
from app.services.rights.erase_subscriber import erase
from app.services.schedule_broadcasts import schedule
from app.services.senders_of_lists import add_sender
from app.services.write_drafts import create_draft
from app.storage.database import db
from app.storage.models import (
    ConsentEvent,
    ConsentPii,
    Delivery,
    InboxMessage,
    Sender,
    Subject,
    Subscriber,
    Subscription,
)
from tests.desk.conftest import House, Visitor
from tests.gateways.samples.inapp import SETTINGS
from tests.support import media
from workers import jobs

Visit = Callable[..., Visitor]
SITE = "https://www.example.org"


@pytest.fixture
def house(house: House) -> House:
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        add(
            name="city-inbox",
            gateway=gateway_class("inapp"),
            settings={"origins": f"{SITE}, https://m.example.org"},
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-inbox", by="tests", now=newsroom.now)
        newsroom.join(1)  # somebody with a phone is on the list, too
    return house


class Page:
    """A page of a site with our script on it, and what its browser keeps."""

    def __init__(self, visitor: Visitor, origin: str = SITE, language: str = "en") -> None:
        self._visitor, self._origin, self._language = visitor, origin, language
        self.token: dict[str, str] = {}

    def facts(self) -> TestResponse:
        return self._visitor.client.get(
            f"/in-app/city?lang={self._language}", headers={"Origin": self._origin}
        )

    def ask(self, act: str, **body: Any) -> TestResponse:
        return self._visitor.client.post(
            f"/in-app/city/{act}?lang={self._language}",
            json={**self.token, **body},
            headers={"Origin": self._origin},
            environ_base={"REMOTE_ADDR": self._visitor.address},
        )

    def join(self, number: str = "n1", **body: Any) -> TestResponse:
        answer = self.ask("join", **{"id": number, "shown": self.facts().json["shown"], **body})
        if answer.status_code == 200:
            self.token = {name: answer.json[name] for name in ("to", "proof")}
        return answer

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.ask("messages").json["messages"]]


def send_file(house: House, text: str, data: bytes) -> None:
    """Let a broadcast with a file out, by the very job that a worker runs."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        draft = create_draft(
            title="Bridge", text=text, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
        )
        media_id = take_in(data, files=runtime().files, by="ada", now=newsroom.now)
        attach(draft, EVERYWHERE, Given(media_id, "b.png", "An open bridge"), by="ada", now=newsroom.now)
        schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    send(house)


def send(house: House, text: str | None = None) -> int:
    """Let a broadcast out, or only what waits, by the very job that a worker runs."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        broadcast_id = newsroom.broadcast_waiting(text) if text else 0
        open_due(controller=newsroom.controller, now=newsroom.now)
        sender = db.session.scalars(select(Sender.id).where(Sender.name == "city-inbox")).one()
        jobs.drain(sender)
        return broadcast_id


def state(house: House) -> str:
    with house.inside():
        found = select(Subscription.state).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        return db.session.scalars(found.where(Subscriber.channel == "inapp")).one()


def test_a_press_subscribes_and_the_welcome_and_a_broadcast_lie_in_the_inbox(
    house: House, visit: Visit
) -> None:
    page = Page(visit())

    answer = page.join("\0, which no number has")
    send(house)
    broadcast_id = send(house, "The bridge is open – grüße 🌍")

    assert answer.json["on"] is True
    news, welcome = page.texts
    assert welcome.startswith("Riverside News: you asked for City.")
    assert news == "The bridge is open – grüße 🌍"
    with house.inside():
        (delivery,) = db.session.scalars(
            select(Delivery).where(Delivery.broadcast_id == broadcast_id, Delivery.provider_id.is_not(None))
        )
        assert delivery.status == DeliveryStatus.SENT


def test_a_picture_lies_in_the_inbox_with_its_description_and_a_link_that_any_page_may_show(
    house: House, visit: Visit
) -> None:
    page = Page(visit())
    page.join()

    send_file(house, "The bridge is open", media.png())

    (news, *_) = page.ask("messages").json["messages"]
    assert news["text"] == "The bridge is open"
    assert (news["media"]["kind"], news["media"]["alt"]) == ("image", "An open bridge")
    picture = house.app.test_client().get(urlsplit(news["media"]["url"]).path)
    assert picture.data == cleaned(media.png(), "image/png")
    assert picture.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_ledger_says_what_was_shown_on_which_site(house: House, visit: Visit) -> None:
    Page(visit(), language="de").join(page=f"{SITE}/sport")

    with house.inside() as newsroom:
        entries = select(ConsentEvent).where(ConsentEvent.channel == "inapp").order_by(ConsentEvent.seq)
        shown, given = db.session.scalars(entries).all()
        sealed = db.session.get_one(ConsentPii, given.event_id)
        keys = select(Subject.wrapped_key).where(Subject.subject_ref == given.subject_ref)
        pii = open_pii(sealed.sealed, db.session.scalars(keys).one(), newsroom.controller.keys)
    assert (shown.event_type, given.event_type) == ("notice_shown", "consent_given")
    assert (given.act, given.cta_ref, given.notice_lang) == ("button", "web:/in-app/CITY", "de")
    assert "Ja, City hier zeigen" in pii["page_text"]
    assert (pii["site"], pii["site_page"]) == (SITE, f"{SITE}/sport")


def test_stop_is_in_force_at_once_and_confirmed_where_it_was_pressed(house: House, visit: Visit) -> None:
    page = Page(visit())
    page.join()

    answer = page.ask("stop", id="s1")
    send(house)
    send(house, "not for readers")

    assert (answer.json["on"], state(house)) == (False, "stopped")
    assert not any("not for readers" in text for text in page.texts)
    assert "START" in page.texts[0]
    assert page.join("n2").json["on"] is True
    assert state(house) == "active"


def test_what_is_read_is_reported_once_and_stays_read(house: House, visit: Visit) -> None:
    page = Page(visit())
    page.join()
    broadcast_id = send(house, "news")
    (news,) = [one for one in page.ask("messages").json["messages"] if one["text"] == "news"]

    first, second = (page.ask("read", ids=[news["id"], 10**9, 10**30, -1, "x"]) for _ in range(2))

    assert [one["read"] for one in first.json["messages"] if one["text"] == "news"] == [True]
    assert first.json == second.json
    with house.inside() as newsroom:
        assert newsroom.tally(broadcast_id).delivered == 1


def test_nobody_reads_or_stops_for_somebody_else(house: House, visit: Visit) -> None:
    ada, eve = Page(visit()), Page(visit())
    ada.join()
    eve.join()
    send(house, "news")
    (news, *_) = ada.ask("messages").json["messages"]

    eve.ask("read", ids=[news["id"]])
    eve.token["to"] = ada.token["to"]
    answers = [eve.ask(act, ids=[news["id"]]) for act in ("messages", "read", "stop")]

    assert [(one.status_code, one.json["error"]) for one in answers] == [(403, "not_yours")] * 3
    assert ada.ask("messages").json["messages"][0]["read"] is False
    assert eve.join("n2").json["to"] != ada.token["to"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://www.example.org.evil.example", "null", ""]
)
def test_a_site_that_the_sender_does_not_name_gets_nothing(origin: str, house: House, visit: Visit) -> None:
    page = Page(visit(), origin=origin)

    answers = [page.facts(), page.ask("join", shown="x"), page.ask("messages")]

    assert [one.status_code for one in answers] == [403] * 3
    assert not any("Access-Control-Allow-Origin" in one.headers for one in answers)


@pytest.mark.parametrize("origin", [SITE, "https://m.example.org"])
def test_a_site_that_the_sender_names_may_ask_and_its_answers_are_for_it_alone(
    origin: str, house: House, visit: Visit
) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    allowed = visit().client.options("/in-app/city/join", headers=asked)
    facts = Page(visit(), origin=origin).facts()

    assert allowed.status_code == 204
    assert (
        allowed.headers["Access-Control-Allow-Methods"],
        allowed.headers["Access-Control-Allow-Headers"],
    ) == (
        "POST",
        "Content-Type",
    )
    for answer in (allowed, facts):
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers


def test_a_post_that_needs_no_permission_of_ours_does_nothing(house: House, visit: Visit) -> None:
    """A form of a stranger's page may post text, without a question; such a body is not read."""
    page = Page(visit())
    shown = page.facts().json["shown"]

    answer = visit().client.post(
        "/in-app/city/join",
        data='{"shown": "' + shown + '"}',
        content_type="text/plain",
        headers={"Origin": SITE},
    )

    assert answer.status_code == 409
    with house.inside():
        assert db.session.scalars(select(Subscriber).where(Subscriber.channel == "inapp")).all() == []


def test_words_that_changed_while_somebody_read_are_not_agreed_to(house: House, visit: Visit) -> None:
    answer = Page(visit()).join(shown="0" * 64)

    assert (answer.status_code, answer.json["error"]) == (409, "changed")


def test_presses_of_one_visitor_and_questions_of_one_reader_are_limited(house: House, visit: Visit) -> None:
    page = Page(visit())

    presses = [page.join(f"n{at}").status_code for at in range(11)]
    questions = [page.ask("messages") for _ in range(21)]

    assert presses == [200] * 10 + [429]
    assert [one.status_code for one in questions] == [200] * 20 + [429]
    assert questions[-1].json["error"] == "too_often"
    assert questions[-1].headers["Access-Control-Allow-Origin"] == SITE


def test_an_erasure_empties_the_inbox(house: House, visit: Visit) -> None:
    page = Page(visit())
    page.join()
    send(house, "news")
    with house.inside() as newsroom:
        found = db.session.scalars(select(Subscriber.id).where(Subscriber.channel == "inapp")).one()
        erase(found, full=True, by="ops", controller=newsroom.controller, now=utcnow())

    assert page.ask("messages").json == {"on": False, "messages": []}
    with house.inside():
        assert db.session.scalars(select(InboxMessage)).all() == []


def carried(refs: Sequence[DeliveryRef], transport: StoreTransport | None = None) -> list[Outcome]:
    """Hand people over by the gateway and the store; returns the outcomes."""
    gateway = build("inapp", SETTINGS, None)
    people = tuple(Recipient(ref, Address("inapp", "x"), "hello") for ref in refs)
    transport = transport or StoreTransport(utcnow, room=4)
    for call in gateway.encode(Batch(people, "http://localhost/hooks/city-inbox")):
        transport.submit(call)
    return [one for call, reply in transport.poll(0.1) for one in gateway.decode(call, reply)]


def test_a_hand_over_that_is_carried_twice_is_stored_once(house: House, visit: Visit) -> None:
    Page(visit()).join()
    with house.inside():
        reader = db.session.scalars(select(Subscriber.id).where(Subscriber.channel == "inapp")).one()
        refs = [DeliveryRef(7, reader), DeliveryRef(7, reader, 3)]

        first, second = carried(refs), carried(refs)
        gone = carried([DeliveryRef(8, 10**6)])

        assert [one.error for one in first] == [None, None]
        assert first == second
        assert len(db.session.scalars(select(InboxMessage)).all()) == 2
        assert gone[0].error is not None


class AwayTransport(StoreTransport):
    """A store whose database cannot be reached."""

    def _carry(self, calls: Sequence[Call]) -> list[tuple[Call, Reply]]:
        raise OperationalError("INSERT", {}, RuntimeError("the server closed the connection"))


def test_a_database_that_is_away_lets_it_be_tried_again() -> None:
    ref = DeliveryRef(7, 1)

    (outcome,) = carried([ref], transport=AwayTransport(utcnow, room=4))

    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.TEMPORARY


POLL = Rich(
    (
        Button(ButtonKind.REPLY, "Yes"),
        Button(ButtonKind.REPLY, "No more", "STOP"),
        Button(ButtonKind.LINK, "Read on", "https://www.example.org/bridge"),
    )
)


def test_a_reader_presses_an_answer_and_leaves_by_a_button(house: House, visit: Visit) -> None:
    page = Page(visit())
    page.join()
    send(house)
    with house.inside() as newsroom:
        poll = write_drafts.create_draft(
            title="Poll", text="Safe?", list_ids=[newsroom.list_id], rich={"": POLL}, by="ada", now=utcnow()
        )
        schedule_broadcasts.schedule(poll, at=None, zone="UTC", by="ada", now=utcnow())
    send(house)

    (asked,) = [one for one in page.ask("messages").json["messages"] if one["text"] == "Safe?"]
    yes, stop, link = asked["buttons"]
    assert [one["label"] for one in asked["buttons"]] == ["Yes", "No more", "Read on"]
    assert (link["kind"], link["value"]) == ("link", "https://www.example.org/bridge")

    page.ask("button", button=yes["value"], id="p1")
    with house.inside():
        assert {one.label: one.people for one in answers.tallied(poll)} == {"Yes": 1, "No more": 0}
    assert page.ask("button", button="start", id="p2").status_code == 400
    assert page.ask("button", button=stop["value"], id="p3").json["on"] is False
    assert state(house) == "stopped"


def correct(house: House, wrong: int, act: InPlace, text: str) -> int:
    """Let a correction out that changes what stands in the inboxes."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.send()  # to whoever has a phone: the wrong message must have come to a halt
        draft = draft_correction(wrong, title="Right", text=text, by="ada", now=newsroom.now, act=act)
        schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    send(house)
    return draft


def test_a_correction_replaces_the_words_in_the_inbox_and_is_read_anew(house: House, visit: Visit) -> None:
    page = Page(visit())
    page.join()
    wrong = send(house, "It is open.")
    shown, *before = page.ask("messages").json["messages"]
    page.ask("read", ids=[shown["id"]])

    first = correct(house, wrong, InPlace.EDIT, "It is shut.")
    second = correct(house, wrong, InPlace.EDIT, "It is closed.")
    changed, *others = page.ask("messages").json["messages"]
    page.ask("read", ids=[changed["id"]])

    assert others == before
    assert changed == shown | {"text": "It is closed.", "read": False, "edited": True}
    with house.inside():
        found = [reports.tally(one) for one in (first, second)]
    assert [(one.delivered, one.failed) for one in found] == [(0, 0), (1, 0)]


def test_a_message_is_taken_out_of_the_inbox_and_can_be_changed_no_more(house: House, visit: Visit) -> None:
    page = Page(visit())
    page.join()
    wrong = send(house, "It is open.")

    gone = correct(house, wrong, InPlace.DELETE, "")
    late = correct(house, wrong, InPlace.EDIT, "It is closed.")

    assert not {"It is open.", "It is closed."} & set(page.texts)
    with house.inside():
        assert reports.tally(gone).sent == 1
        assert reports.tally(late).reasons == {"unchangeable": 1}
