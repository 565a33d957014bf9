"""Asking for consent at the desk: recorded with its evidence, and refused with the reason."""

from sqlalchemy import select

from app.clock import utcnow
from app.storage.database import db
from app.storage.models import ConsentEvent, OwnMessage
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number


def filled(house: House, **changes: str) -> dict[str, object]:
    return {
        "number": number(1),
        "list_id": str(house.newsroom.list_id),
        "received_by": "in_person",
        "evidence": "card 17, signed at the open day",
        **changes,
    }


def test_an_editor_asks_for_somebody_who_signed_a_card(house: House, editor: Visitor) -> None:
    assert "Ask for consent" in words(editor.get("/people"))
    editor.get("/people/ask")

    page = words(editor.submit("/people/ask", filled(house)))

    assert "The question about “City” goes out:" in page
    with house.inside():
        signed, asked = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq))
        assert (signed.event_type, signed.act, signed.cta_ref) == (
            "signup_recorded",
            "agent_recorded",
            "operator:in_person",
        )
        assert signed.actor == f"operator:Editor Berg (#{house.ids['editor']})"
        assert asked.event_type == "consent_requested"
        assert "do you want City" in db.session.scalars(select(OwnMessage.text)).one()


def test_who_may_not_be_asked_is_said_with_the_reason_and_what_was_typed_stays(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.text("STOP", number(2))
    editor.get("/people/ask")

    for wrong, said in (
        ({"number": number(2)}, "said STOP; only the person can come back"),
        ({"number": "12"}, "Write a phone number with its country code"),
        ({"list_id": "99"}, "Choose a list."),
        ({"received_by": "telepathy"}, "Choose how it reached you."),
        ({"evidence": " "}, "Say who asked for it and how."),
    ):
        answer = editor.post("/people/ask", filled(house, **wrong))

        assert answer.status_code == 422
        assert said in words(answer)
        assert "evidence" in wrong or "card 17, signed at the open day" in answer.text
    with house.inside():
        assert db.session.scalars(select(OwnMessage)).all() == []


def test_lists_lead_to_their_sign_up_page(house: House, editor: Visitor) -> None:
    assert 'href="/join/city?lang=en"' in editor.get("/lists").text
