"""A wish to stop that came by telephone or letter, recorded at the desk."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.clock import utcnow
from app.domain.addresses import Address
from app.services import suppressions
from app.storage.database import db
from app.storage.models import ConsentEvent, Subscriber, Subscription
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number


def filled(**changes: str) -> dict[str, object]:
    return {"received_by": "call", "day": "2026-03-02", "hour": "", "reason": "spoke to Ms Ross", **changes}


@pytest.mark.parametrize(
    ("language", "button", "said"),
    [
        ("en", "They asked us to stop", "Recorded. Nothing goes to this number any more"),
        ("de", "Möchte keine Nachrichten mehr", "Festgehalten. An diese Nummer geht nichts mehr"),
    ],
)
def test_an_editor_records_a_call_on_the_page_of_a_person(
    language: str, button: str, said: str, house: House, visit: Callable[..., Visitor]
) -> None:
    editor = visit("editor", language)
    with house.inside() as newsroom:
        newsroom.now = utcnow() - timedelta(minutes=1)
        newsroom.text("START", number(1))
        person = db.session.scalars(select(Subscriber.id)).one()
    assert button in words(editor.get(f"/people/{person}"))
    editor.get(f"/people/{person}/stop")

    assert said in words(editor.submit(f"/people/{person}/stop", filled()))

    with house.inside() as newsroom:
        event = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc()).limit(1)).one()
        assert (event.event_type, event.act, event.scope) == ("consent_withdrawn", "operator", "all")
        assert event.actor == f"operator:Editor Berg (#{house.ids['editor']})"
        assert db.session.scalars(select(Subscription.state)).all() == ["stopped"]


def test_a_stranger_who_asked_to_stop_is_suppressed_until_they_text_start(
    house: House, editor: Visitor
) -> None:
    stranger = Address("sms", number(2))
    editor.get("/people/stop")

    page = words(editor.submit("/people/stop", filled(number=stranger.value, hour="09:30")))

    assert "Recorded." in page
    with house.inside() as newsroom:
        keys = newsroom.controller.keys
        assert suppressions.suppressed(db.session(), keys, [stranger]) == {stranger}
        newsroom.now = utcnow()
        newsroom.text("START", stranger.value)
        assert suppressions.suppressed(db.session(), keys, [stranger]) == set()


def test_what_is_missing_is_named_and_nothing_is_recorded(house: House, editor: Visitor) -> None:
    editor.get("/people/stop")
    tomorrow = (utcnow() + timedelta(days=2)).date().isoformat()

    for wrong, said in (
        ({"number": "12"}, "Write a phone number with its country code"),
        ({"received_by": "telepathy"}, "Choose how it reached you."),
        ({"day": "soon"}, "Choose the day on which it reached you"),
        ({"day": tomorrow}, "This is in the future."),
        ({"reason": " "}, "Say what the person said, or who took the call."),
        ({"reason": "x" * 301}, "The reason has 301 characters; it may have 300."),
    ):
        answer = editor.post("/people/stop", filled(**{"number": number(3), **wrong}))

        assert answer.status_code == 422
        assert said in words(answer)
    assert editor.get("/people/999/stop").status_code == 404
    with house.inside():
        assert db.session.scalars(select(ConsentEvent)).all() == []
