"""The page on which editors decide whether a text meant STOP."""

from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.keywords import Decision, Outcome
from app.domain.messages import InboundMessage
from app.services.receive_message import receive_message
from app.storage.database import db
from app.storage.models import Subscriber, Subscription
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number


def hold(house: House, index: int) -> int:
    """Somebody who is subscribed writes what may mean STOP."""
    with house.inside() as newsroom:
        newsroom.join(1, first=index)
        receive_message(
            InboundMessage(f"H{index}", Address("sms", number(index)), "<b>not before nine"),
            sender_id=newsroom.sender_id,
            controller=newsroom.controller,
            now=newsroom.now,
            decision=Decision(Outcome.REVIEW, "phrase", "narrow-en"),
        )
        return db.session.scalars(select(Subscriber.id).where(Subscriber.address == number(index))).one()


def test_an_editor_decides_what_a_held_text_meant(house: House, editor: Visitor) -> None:
    stops, stays = hold(house, 1), hold(house, 2)

    page = editor.get("/held")
    assert "&lt;b&gt;not before nine" in page.text
    assert "Held for “<b>not before nine”, by the rule narrow-en" in words(page)
    editor.get("/held")
    editor.submit(f"/held/{stops}", {"meant": "stop"})
    editor.submit(f"/held/{stays}", {"meant": "no_stop"})
    again = editor.submit(f"/held/{stays}", {"meant": "stop"})

    with house.inside():
        found = select(Subscription.subscriber_id, Subscription.state)
        states = {who: state for who, state in db.session.execute(found)}
    assert states == {stops: "stopped", stays: "active"}
    assert again.status_code in (200, 302)
    assert "Nothing waits for a decision." in words(editor.get("/held"))
