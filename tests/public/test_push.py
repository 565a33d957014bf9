"""The page that turns notifications on, through the front door, with a browser that really decrypts."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.domain.statuses import DeliveryStatus
from app.gateways.browsers import PROOF
from app.gateways.registry import gateway_class
from app.gateways.transport import CurlTransport
from app.services.fan_out import open_due
from app.services.manage_senders import add
from app.services.record_consent import open_pii
from app.services.rights.erase_subscriber import erase
from app.services.send_deliveries import Lane
from app.services.senders_of_lists import add_sender
from app.storage.database import db
from app.storage.models import (
    ConsentEvent,
    ConsentPii,
    Delivery,
    PushRouteRow,
    Sender,
    Subject,
    Subscriber,
    Subscription,
)
from tests.desk.conftest import House, Visitor, words
from tests.support.push_peer import Browser, PushService, claims, push_service
from workers.jobs import setup_of
from workers.journal import journal

Visit = Callable[..., Visitor]
PATH = "/push/city"
IS_BROWSER = (Subscriber.id == Subscription.subscriber_id) & (Subscriber.channel == "webpush")


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


@pytest.fixture
def house(house: House, service: PushService) -> House:
    """The newsroom with a sender for browsers, whose requests all go to the service of this test."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        add(
            name="city-push",
            gateway=gateway_class("webpush"),
            settings={"subject": "mailto:desk@example.org"},
            base_url=service.url,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-push", by="tests", now=newsroom.now)
    return house


def browser(name: str = "ada") -> Browser:
    return Browser(f"https://push.example.net/s/{name}")


def data(page: TestResponse, name: str) -> str:
    found = re.search(rf'data-{name}="([^"]+)"', page.text)
    assert found, name
    return found[1]


def press(
    visitor: Visitor, who: Browser, number: str = "n1", path: str = PATH, **changes: Any
) -> TestResponse:
    """Open the page and press its button, as its script does."""
    page = visitor.get(path)
    token = changes.pop("token", data(page, "token"))
    body = {"id": number, "shown": data(page, "shown"), "subscription": who.subscription, **changes}
    return visitor.client.post(
        data(page, "join"),
        json=body,
        headers={"X-CSRFToken": token},
        environ_base={"REMOTE_ADDR": visitor.address},
    )


def tell(visitor: Visitor, standing: dict[str, str], **what: str) -> TestResponse:
    """Speak to the webhook as the script does."""
    body = {"to": standing["to"], "ref": standing.get("ref", ""), **what}
    return visitor.client.post(standing["hook"], json=body, headers={PROOF: standing["proof"]})


def send(house: House) -> None:
    """Work the lane with the real transport."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        open_due(controller=newsroom.controller, now=newsroom.now)
        sender_id = db.session.scalars(select(Sender.id).where(Sender.name == "city-push")).one()
        setup, transport = setup_of(sender_id), CurlTransport(4)
        assert setup is not None
        lane = Lane(
            setup,
            transport=transport,
            throttle=newsroom.throttle,
            controller=newsroom.controller,
            journal=journal(),
            clock=utcnow,
            worker="here:1",
        )
        lane.drain(utcnow() + timedelta(seconds=5))
        transport.close()


def broadcast(house: House, text: str) -> int:
    """Send to the list, on which somebody with a phone is, too."""
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.join(1)
        return newsroom.broadcast(text)


def heard(service: PushService, who: Browser) -> list[str]:
    return [who.read(one.body)[1] for one in service.to(who)]


def state(house: House) -> str:
    with house.inside():
        return db.session.scalars(select(Subscription.state).join(Subscriber, IS_BROWSER)).one()


def person(house: House) -> Subscriber:
    with house.inside():
        return db.session.scalars(select(Subscriber).where(Subscriber.channel == "webpush")).one()


def test_a_press_subscribes_and_the_welcome_and_a_broadcast_are_read_by_that_browser_alone(
    house: House, visit: Visit, service: PushService
) -> None:
    ada, eve = browser(), browser("eve")

    answer = press(visit(), ada)
    send(house)
    broadcast_id = broadcast(house, "The bridge is open – grüße 🌍")
    send(house)

    assert answer.status_code == 200, answer.text
    welcome, news = heard(service, ada)
    assert welcome.startswith("Riverside News: you asked for City.")
    assert news == "The bridge is open – grüße 🌍"
    assert heard(service, eve) == []
    first = service.received[0]
    with house.inside():
        key = db.session.scalars(select(Sender.address).where(Sender.name == "city-push")).one()
        sent = select(Delivery.status).where(
            Delivery.broadcast_id == broadcast_id, Delivery.provider_id.is_not(None)
        )
        assert db.session.scalars(sent).all() == [DeliveryStatus.SENT]
    assert claims(first.headers["authorization"], key)["aud"] == "https://push.example.net"
    assert int(first.headers["ttl"]) > 0


def test_the_ledger_says_which_page_was_shown_word_for_word_and_who_pressed(
    house: House, visit: Visit
) -> None:
    press(visit(language="de"), browser(), path=f"{PATH}?lang=de")

    with house.inside() as newsroom:
        shown, given = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq)).all()
        sealed = db.session.get_one(ConsentPii, given.event_id)
        key = db.session.scalars(select(Subject.wrapped_key)).one()
        pii = open_pii(sealed.sealed, key, newsroom.controller.keys)
    assert (shown.event_type, given.event_type) == ("notice_shown", "consent_given")
    assert (given.act, given.cta_ref, given.notice_lang, given.channel) == (
        "button",
        "web:/push/CITY",
        "de",
        "webpush",
    )
    assert "Ja, City senden" in pii["page_text"]
    assert "Riverside News darf mir City als Mitteilungen" in pii["page_text"]
    assert pii["page_url"] == "http://localhost/push/CITY?lang=de"
    assert len(pii["page_sha256"]) == 64
    assert pii["ip"] == "127.0.0.1"
    assert person(house).language == "de"


def test_stop_on_the_page_is_in_force_at_once_and_confirmed_and_a_new_press_comes_back(
    house: House, visit: Visit, service: PushService
) -> None:
    ada, visitor = browser(), visit()
    standing = press(visitor, ada).json
    stop = data(visitor.get(PATH), "stop")

    answer = tell(visitor, standing, event="message", text="STOP CITY", payload=stop, id="s1")

    assert answer.status_code == 200
    assert state(house) == "stopped"
    broadcast(house, "not for Ada")
    send(house)
    assert not any("not for Ada" in text for text in heard(service, ada))
    assert any("City" in text and "START" in text for text in heard(service, ada))
    press(visitor, ada, number="n2")
    assert state(house) == "active"
    assert visitor.client.post(f"{PATH}/state", json=secret(ada)).json["on"] is True


def secret(who: Browser) -> dict[str, str]:
    return {"endpoint": who.endpoint, "auth": who.subscription["keys"]["auth"]}


def test_a_notification_carries_what_its_stop_button_and_its_receipt_need(
    house: House, visit: Visit, service: PushService
) -> None:
    ada, visitor = browser(), visit()
    press(visitor, ada)
    send(house)
    broadcast_id = broadcast(house, "news")
    send(house)
    line, _ = ada.read(service.to(ada)[-1].body)

    assert tell(visitor, line, event="delivered").status_code == 200
    assert tell(visitor, line | {"proof": "made up"}, event="delivered").status_code == 403
    assert tell(visitor, line | {"ref": "1.2.0"}, event="delivered").status_code == 403
    assert tell(visitor, line, event="message", text="STOP", id="s1").status_code == 200

    assert state(house) == "stopped"
    with house.inside() as newsroom:
        assert newsroom.tally(broadcast_id).delivered == 1


def test_a_second_press_with_the_same_number_changes_nothing(house: House, visit: Visit) -> None:
    visitor, ada = visit(), browser()

    first, second = press(visitor, ada), press(visitor, ada)

    assert first.json == second.json
    with house.inside():
        assert len(db.session.scalars(select(ConsentEvent)).all()) == 2


def test_what_is_wrong_with_a_press_is_named_and_keeps_nothing(house: House, visit: Visit) -> None:
    bad = {"endpoint": "https://10.0.0.1:8080/", "keys": {"p256dh": "x", "auth": "y"}}
    answers = [
        press(visit(), browser(), token="made up"),
        press(visit(), browser(), shown="0" * 64),
        press(visit(), browser(), subscription=bad),
        press(visit(), browser(), subscription="none"),
    ]

    assert [(one.status_code, one.json["error"]) for one in answers] == [
        (400, "too_old"),
        (409, "changed"),
        (422, "subscription"),
        (422, "subscription"),
    ]
    with house.inside():
        assert db.session.scalars(select(Subscriber)).all() == []


def test_a_browser_that_is_gone_is_not_tried_again_until_somebody_presses_in_it(
    house: House, visit: Visit, service: PushService
) -> None:
    ada, visitor = browser(), visit()
    press(visitor, ada)
    send(house)
    service.behave = lambda pushed: (410, {})
    broadcast(house, "one")
    send(house)
    broadcast(house, "two")
    send(house)

    assert len(service.to(ada)) == 2  # the welcome, and the one that found nobody
    assert person(house).bounced_at is not None
    assert visitor.client.post(f"{PATH}/state", json=secret(ada)).json["on"] is False
    press(visitor, ada, number="n2")
    assert person(house).bounced_at is None


def test_a_browser_that_moves_stays_the_same_person(house: House, visit: Visit, service: PushService) -> None:
    ada, moved, eve = browser(), browser("ada-2"), browser("eve")
    visitor = visit()
    press(visitor, ada)
    press(visitor, eve)
    assert press(visitor, Browser(ada.endpoint), number="n2").status_code == 422  # keys of their own making

    def move(old: Browser, new: Browser, **changes: str) -> int:
        body = {**secret(old), "subscription": new.subscription, **changes}
        return visitor.client.post("/push-change", json=body).status_code

    assert move(ada, moved, auth="AAAAAAAAAAAAAAAAAAAAAA") == 404
    assert move(ada, Browser(eve.endpoint)) == 404  # an endpoint of somebody else, without their secret
    assert (move(ada, moved), move(ada, moved)) == (204, 204)
    send(house)
    broadcast(house, "after the move")
    send(house)

    assert heard(service, ada) == []
    assert heard(service, moved)[-1] == "after the move"
    with house.inside():
        assert len(db.session.scalars(select(PushRouteRow)).all()) == 2
        types = db.session.scalars(select(ConsentEvent.event_type)).all()
        assert types.count("endpoint_changed") == 1


def test_a_browser_that_gives_up_its_subscription_has_left(house: House, visit: Visit) -> None:
    visitor, ada = visit(), browser()
    standing = press(visitor, ada).json

    tell(visitor, standing, event="left", id="l1")

    assert state(house) == "stopped"
    assert person(house).blocked_at is not None
    press(visitor, ada, number="n2")
    assert person(house).blocked_at is None


def test_an_erasure_takes_the_endpoint_too(house: House, visit: Visit) -> None:
    press(visit(), browser())
    found = person(house).id

    with house.inside() as newsroom:
        erase(found, full=True, by="ops", controller=newsroom.controller, now=utcnow())

        assert db.session.scalars(select(PushRouteRow)).all() == []
        assert db.session.scalars(select(Subject)).all() == []


def test_the_page_says_what_is_agreed_to_in_both_languages_and_honestly_what_it_needs(
    house: House, visit: Visit
) -> None:
    english, german = visit().get(PATH), visit(language="de").get(PATH)

    for page, said in (
        (english, "Notifications need JavaScript, which does not run here."),
        (english, "Yes, send me City"),
        (english, "At most 3 a day, 0 to 24 h"),
        (english, "Agreeing is not a condition of any purchase."),
        (english, "Riverside News: you asked for City."),
        (german, "Mitteilungen brauchen JavaScript"),
        (german, "Ja, City senden"),
    ):
        assert said in words(page), said
    assert 'href="/join/CITY?lang=en"' in english.text
    assert 'href="/push/CITY?lang=en"' in visit().get("/join/city").text
    assert '<html lang="de">' in german.text


def test_no_script_but_our_own_runs_on_the_page_and_in_the_worker(house: House, visit: Visit) -> None:
    page, worker = visit().get(PATH), visit().get("/push-sw.js")

    for answer in (page, worker):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith(
            "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'"
        )
        assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", page.text)
    assert worker.content_type.startswith("text/javascript")
    assert '"Riverside News"' in worker.text


def test_a_site_gets_a_script_that_links_to_the_page(house: House, visit: Visit) -> None:
    tag = visit().get("/push.js")

    assert tag.content_type.startswith("text/javascript")
    assert tag.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Get our news as notifications" in tag.text


def test_a_list_that_is_not_on_this_channel_has_no_such_page(house: House, visit: Visit) -> None:
    with house.inside() as newsroom:
        newsroom.new_list("Sport", "SPORT")

    assert [visit().get(f"/push/{word}").status_code for word in ("sport", "nowhere")] == [404, 404]
    assert visit().client.post(f"{PATH}/state", json={"endpoint": "x", "auth": "y"}).json == {"on": False}


def test_presses_of_one_visitor_are_limited(house: House, visit: Visit) -> None:
    visitor, ada = visit(), browser()

    codes = [press(visitor, ada, number=f"n{at}").status_code for at in range(11)]

    assert codes == [200] * 10 + [429]
