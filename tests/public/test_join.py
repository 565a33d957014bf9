"""The sign-up page and the link that confirms, through the front door."""

import re
from collections.abc import Callable

from sqlalchemy import func, select

from app.clock import utcnow
from app.domain.ledger import iso_ms
from app.gateways.registry import gateway_class
from app.public.texts import load
from app.runtime import runtime
from app.services.manage_senders import add
from app.services.notices import write
from app.services.record_consent import open_pii
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    ConsentEvent,
    ConsentPii,
    OwnMessage,
    StoryRow,
    Subject,
    Subscription,
)
from tests.desk.conftest import House, Visitor, words
from tests.gateways.samples.telegram import SETTINGS
from tests.support.world import number

Visit = Callable[..., Visitor]
PATH = "/join/city"


def shown(page: str) -> str:
    return re.search(r'name="shown" value="(\w+)"', page)[1]


def fill_in(visitor: Visitor, path: str = PATH, **changes: str):
    """Open the page, fill it in as a person does, and send it."""
    page = visitor.get(path)
    form = {"number": number(1), "agree": "yes", "shown": shown(page.text), "website": "", **changes}
    return visitor.post(path, form)


def entries(house: House) -> int:
    with house.inside():
        return db.session.scalar(select(func.count()).select_from(ConsentEvent))


def state(house: House) -> str:
    with house.inside():
        return db.session.scalars(select(Subscription.state)).one()


def code(house: House) -> str:
    with house.inside():
        return db.session.scalars(select(OwnMessage.code).where(OwnMessage.code.is_not(None))).one()


def test_the_page_says_all_that_a_call_to_action_must_say_and_ticks_nothing(
    house: House, visit: Visit
) -> None:
    page = visit().get(PATH)
    text = words(page)

    for needed in (
        "Riverside News",
        "Sign up for City",
        "News of City",
        "At most 3 a day, 0 to 24 h",
        "Msg&data rates may apply.",
        "Reply HELP for help, STOP to end at any time.",
        "Agreeing is not a condition of any purchase.",
        "sent automatically",
        "Riverside News: you asked for City.",
        "Version 1 of these words",
        "Text CITY to +1 202 555 0100.",
        "Without one it counts as a number of this country: United States.",
    ):
        assert needed in text, needed
    assert 'href="https://example.org/terms"' in page.text
    assert 'href="https://example.org/privacy"' in page.text
    assert 'href="sms:+12025550100?&amp;body=CITY"' in page.text
    assert 'class="qr"' in page.text
    assert not re.search(r"<input[^>]*checkbox[^>]*\schecked", page.text)


def test_the_page_needs_no_script_no_style_of_its_own_and_nothing_from_elsewhere(visit: Visit) -> None:
    page = visit().get(PATH)

    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.text)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert [name for name, _ in page.headers if name == "Set-Cookie"] == ["Set-Cookie"]
    assert "HttpOnly" in page.headers["Set-Cookie"]
    with visit().get(re.search(r'href="(/public-static/[^"]+)"', page.text)[1]) as style:
        assert style.status_code == 200


def test_the_page_speaks_the_browsers_language_or_the_chosen_one(visit: Visit) -> None:
    german = visit(language="de").get(PATH)

    assert '<html lang="de">' in german.text
    assert "Anmelden für City" in words(german)
    assert "Die Zustimmung ist keine Bedingung für einen Kauf." in words(german)
    assert "Sign up for City" in words(visit(language="de").get(f"{PATH}?lang=en"))
    assert "Sign up for City" in words(visit(language="fr").get(f"{PATH}?lang=tlh"))


def test_both_languages_say_the_same_things() -> None:
    def keys(table: object, path: str = "") -> set[str]:
        if not isinstance(table, dict):
            return {path + "".join(sorted(re.findall(r"\{\w+\}", str(table))))}
        return {key for name, value in table.items() for key in keys(value, f"{path}.{name}")}

    assert keys(load("en")) == keys(load("de"))


def test_t20_a_filled_in_form_asks_by_text_and_seals_what_was_shown(house: House, visit: Visit) -> None:
    visitor = visit(language="de")

    answer = fill_in(visitor, number="(201) 555-0101")

    assert (answer.status_code, answer.location) == (303, "/join/city/sent?lang=de")
    assert "Wenn diese Nummer Nachrichten von uns bekommen kann" in words(visitor.get(answer.location))
    assert state(house) == "pending"
    with house.inside():
        event, sealed, key = db.session.execute(
            select(ConsentEvent, ConsentPii.sealed, Subject.wrapped_key)
            .join(ConsentPii, ConsentPii.event_id == ConsentEvent.event_id)
            .join(Subject, Subject.subject_ref == ConsentEvent.subject_ref)
            .where(ConsentEvent.event_type == "signup_recorded")
        ).one()
        evidence = open_pii(sealed, key, runtime().controller.keys)
        question = db.session.scalars(select(OwnMessage)).one()
    assert (event.act, event.actor, event.cta_ref, event.notice_lang) == (
        "web_checkbox",
        "person",
        "web:/join/CITY",
        "de",
    )
    assert evidence["address"] == number(1)
    assert evidence["form_id"] == "join:CITY:de"
    assert evidence["page_url"] == "http://localhost/join/city"
    assert evidence["ip"] == "127.0.0.1"
    assert "Anmeldung für City" in evidence["page_text"]
    assert "sent automatically" not in evidence["page_text"]
    assert question.text.startswith("Riverside News: Soll City an diese Nummer kommen?")
    assert f"http://localhost/confirm/{question.code}" in question.text
    assert event.recorded_at <= iso_ms(question.created_at)


def test_the_answer_is_the_same_whoever_the_number_belongs_to(house: House, visit: Visit) -> None:
    with house.inside() as newsroom:
        newsroom.now = utcnow()  # the page asks the clock, and a STOP of long ago would not stand in its way
        newsroom.text("START", number(2))
        newsroom.text("STOP", number(3))
    before = entries(house)
    visitor = visit()

    pages = set()
    for known in (number(2), number(3)):
        answer = fill_in(visitor, number=known)
        pages.add((answer.status_code, answer.location, words(visitor.get(answer.location))))
    assert entries(house) == before
    answer = fill_in(visitor, number=number(4))
    pages.add((answer.status_code, answer.location, words(visitor.get(answer.location))))

    assert len(pages) == 1
    assert entries(house) == before + 2


def test_a_form_that_is_wrong_is_refused_in_words_keeps_what_was_typed_and_asks_nobody(
    house: House, visit: Visit
) -> None:
    for wrong, said in (
        ({"number": "12"}, "This is no number that we can write to."),
        ({"number": ""}, "This is no number that we can write to."),
        ({"agree": ""}, "Tick the box if you want these messages."),
        ({"csrf_token": "made up"}, "This form was too old."),
        ({"shown": "0" * 64}, "The words on this page have changed meanwhile."),
    ):
        answer = fill_in(visit(), **wrong)

        assert answer.status_code == 422
        assert said in words(answer)
        assert f'value="{wrong.get("number", number(1))}"' in answer.text
    assert entries(house) == 0


def test_a_bot_that_fills_in_everything_gets_the_same_answer_and_asks_nobody(
    house: House, visit: Visit
) -> None:
    answer = fill_in(visit(), website="https://spam.example")

    assert answer.status_code == 303
    assert entries(house) == 0


def test_words_that_changed_while_somebody_read_are_shown_again_and_then_agreed_to(
    house: House, visit: Visit
) -> None:
    visitor = visit()
    old = shown(visitor.get(PATH).text)
    with house.inside() as newsroom:
        text = "Riverside News: you asked for City. News of City, all of them. At most 3 a day, 0 to 24 h. "
        write(
            newsroom.list_id,
            "en",
            text=text
            + "Msg&data rates may apply. Reply HELP for help, STOP to end. Privacy: https://example.org/privacy",
            purpose="News of City",
            after_version=1,
            confirmed=False,
            by="ada",
            controller=newsroom.controller,
            now=newsroom.now,
        )

    again = visitor.post(PATH, {"number": number(1), "agree": "yes", "shown": old})
    answer = visitor.post(PATH, {"number": number(1), "agree": "yes", "shown": shown(again.text)})

    assert (again.status_code, answer.status_code) == (422, 303)
    assert "News of City, all of them." in words(again)
    with house.inside():
        assert {event.notice_version for event in db.session.scalars(select(ConsentEvent))} == {2}


def test_one_visitor_and_one_number_are_limited_each(visit: Visit) -> None:
    visitors = [visit() for _ in range(6)]
    for at, visitor in enumerate(visitors):
        visitor.address = f"192.0.2.{at}"

    codes = [fill_in(visitor, number="+1 202 555 0101").status_code for visitor in visitors]

    assert codes == [303] * 5 + [429]
    one = visit()
    answers = [fill_in(one, number=number(at)) for at in range(10, 21)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]
    assert "Too many tries" in words(answers[-1])
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_behind_a_web_server_of_ours_the_visitor_is_the_one_that_it_names(house: House, visit: Visit) -> None:
    def last_ip(peer: str, forwarded: str) -> str:
        with house.app.test_request_context(
            "/", environ_base={"REMOTE_ADDR": peer}, headers={"X-Forwarded-For": forwarded}
        ):
            from app.public.security import visitor_ip

            return visitor_ip()

    assert last_ip("127.0.0.1", "198.51.100.9, 192.0.2.7") == "192.0.2.7"
    assert last_ip("127.0.0.1", "made up") == "127.0.0.1"
    assert last_ip("198.51.100.1", "192.0.2.7") == "198.51.100.1"


def test_a_list_that_is_not_there_has_no_page(visit: Visit) -> None:
    answer = visit(language="de").get("/join/nowhere")

    assert answer.status_code == 404
    assert "Diese Liste gibt es nicht" in words(answer)


def test_the_link_subscribes_only_when_the_button_is_pressed_and_only_once(
    house: House, visit: Visit
) -> None:
    fill_in(visit(language="de"))
    path = f"/confirm/{code(house)}"
    visitor = visit()

    page = visitor.get(path)
    assert "Riverside News: Anmeldung für City." in words(page)
    assert '<html lang="de">' in page.text
    assert state(house) == "pending"
    forged = visitor.post(path, {"csrf_token": "made up"})
    assert (forged.status_code, state(house)) == (400, "pending")
    answer = visitor.post(path)

    assert (answer.status_code, state(house)) == (303, "active")
    assert "You are subscribed" in words(visitor.get(answer.location))
    assert visitor.get(path).status_code == 404
    assert "This link does nothing any more" in words(visitor.post(path))
    assert visitor.get("/confirm/made-up").status_code == 404
    with house.inside() as newsroom:
        newsroom.now = db.session.scalars(
            select(OwnMessage.created_at).order_by(OwnMessage.id.desc())
        ).first()
        newsroom.send_replies()
        (welcome,) = [body for _, body in newsroom.provider.arrived]
        assert welcome.startswith("Riverside News: Anmeldung für City.")


def test_the_page_leads_to_the_lists_other_channels_too(house: House, visit: Callable[..., Visitor]) -> None:
    with house.inside() as newsroom:
        add(
            name="city-telegram",
            gateway=gateway_class("telegram"),
            settings=SETTINGS,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-telegram", by="tests", now=newsroom.now)

    page = visit().get("/join/city?lang=de").text

    assert 'href="https://t.me/CityDeskBot?start=city_web"' in page
    assert "Telegram öffnen" in page
    assert "<title>Code, der Telegram öffnet</title>" in page


def test_the_page_says_how_often_the_promise_was_exceeded_and_why(house: House, visit: Visit) -> None:
    now = utcnow()
    assert "there was never more than this" in words(visit().get(PATH))
    with house.inside() as newsroom, transaction() as session:
        for number_, reason in enumerate((None, "The dam <broke>")):
            sent = Broadcast(
                title="Flood",
                state="finished",
                zone="UTC",
                created_by="ada",
                created_at=now,
                updated_at=now,
                started_at=now,
                next_at=now,
                over_cap_reason=reason,
            )
            session.add(sent)
            session.flush()
            session.add(BroadcastTarget(broadcast_id=sent.id, list_id=newsroom.list_id))
            session.add(
                StoryRow(
                    list_id=newsroom.list_id,
                    title="Flood",
                    text="Flood.",
                    state="taken",
                    rank=number_,
                    breaking_reason=reason,
                    broadcast_id=sent.id,
                    created_by="ada",
                    created_at=now,
                    updated_at=now,
                )
            )
        session.get_one(BroadcastList, newsroom.list_id).max_per_day = 1

    english, german = visit().get(PATH), visit().get(f"{PATH}?lang=de")

    assert "there was one message more than this" in words(english)
    assert "The dam &lt;broke&gt;</dd>" in english.text
    assert "Was nicht warten konnte" in words(german)
