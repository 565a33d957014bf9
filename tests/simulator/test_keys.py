"""Buttons over the real protocol of each messenger: our lane shows them on a phone, and its press comes to our door."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse
from app.services import answers
from app.storage.database import db
from app.storage.models import Broadcast
from tests.gateways.samples import line, messenger, telegram, viber, whatsapp
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.world import Newsroom

POLL = Rich(
    (
        Button(ButtonKind.REPLY, "Yes"),
        Button(ButtonKind.REPLY, "No"),
        Button(ButtonKind.REPLY, "No more", "STOP"),
    )
)
LINK = Button(ButtonKind.LINK, "Read on", "https://news.example.org/bridge")
MESSENGERS = {
    "telegram": (telegram.SETTINGS, "@CityDeskBot"),
    "line": (line.SETTINGS, line.SETTINGS["id"]),
    "viber": (viber.SETTINGS, viber.SETTINGS["uri"]),
    "messenger": (messenger.SETTINGS, messenger.SETTINGS["username"]),
    "whatsapp": (whatsapp.SETTINGS, whatsapp.SETTINGS["number"]),
}


def tallied() -> dict[str, int]:
    db.session.rollback()
    newest = db.session.scalars(select(Broadcast.id).order_by(Broadcast.id.desc()).limit(1)).one()
    return {one.label: one.people for one in answers.tallied(newest)}


def labels(city: ChatCity, phone: str) -> list[str]:
    shown = [one.keys for one in city.world.conversations.bubbles(phone) if one.keys]
    return [one.label for one in shown[-1]] if shown else []


@pytest.mark.parametrize("channel", MESSENGERS)
def test_a_poll_is_shown_pressed_counted_and_left(newsroom: Newsroom, channel: str) -> None:
    settings, address = MESSENGERS[channel]
    city = ChatCity(newsroom, channel, address, settings)
    for phone in (ADA, GRACE):
        city.says(phone, "CITY")

    city.broadcast("Is it safe?", {"": POLL})
    assert labels(city, ADA) == ["Yes", "No", "No more"]
    city.presses(ADA, "Yes")
    city.presses(GRACE, "Yes")
    city.presses(GRACE, "No")
    assert tallied() == {"Yes": 1, "No": 1, "No more": 0}

    city.presses(ADA, "No more")
    assert [city.state(one) for one in (ADA, GRACE)] == ["stopped", "active"]
    city.broadcast("The way is here.", {"": Rich((LINK,))})
    shown = city.world.conversations.bubbles(GRACE)[-1]
    assert [(one.label, one.value, one.opens) for one in shown.keys] == [("Read on", LINK.value, True)]


def test_a_template_of_its_own_reaches_those_who_wrote_long_ago_and_its_buttons_are_ours(
    newsroom: Newsroom,
) -> None:
    settings, address = MESSENGERS["whatsapp"]
    city = ChatCity(newsroom, "whatsapp", address, settings)
    account = replace(city.account, settings={**settings, "templates": "poll:en,weekly:en"})
    city.world.chats.put(account)
    city.says(GRACE, "CITY")
    newsroom.later(hours=30)
    assert city.broadcast("Free text.", {"": POLL}) == []

    own = Rich(template=TemplateUse("poll", "en", ("{{first_name|friend}}", "{{text}}")))
    assert city.broadcast("Is it\nsafe?", {"": POLL, "whatsapp": own}) == ["delivered"]

    assert city.shown(GRACE)[-1] == "friend\nIs it safe?"
    city.presses(GRACE, "Button 2")
    assert tallied()["No"] == 1
