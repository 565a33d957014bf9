"""Buttons on the pages: written without a script, refused in words, shown as phones show them, then counted."""

import pytest

from app.domain.addresses import Address
from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse
from app.domain.messages import InboundMessage
from app.gateways.registry import gateway_class
from app.services import fan_out, rich_messages, schedule_broadcasts, write_drafts
from app.services.manage_senders import add
from app.services.receive_message import receive_message
from app.services.senders_of_lists import add_sender
from app.storage.database import db
from app.storage.models import Sender
from tests.desk.conftest import House, Visitor, words
from tests.gateways.samples import telegram, whatsapp
from tests.support.world import NOON, number

YES, NO = Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.REPLY, "No")


@pytest.fixture
def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(3)
        for name, settings in (("telegram", telegram.SETTINGS), ("whatsapp", whatsapp.SETTINGS)):
            add(
                name=f"city-{name}",
                gateway=gateway_class(name),
                settings=settings,
                by="tests",
                controller=newsroom.controller,
                now=NOON,
            )
            add_sender("CITY", f"city-{name}", by="tests", now=NOON)
        return write_drafts.create_draft(
            title="Poll", text="Is it safe? STOP to leave.", list_ids=[newsroom.list_id], by="ada", now=NOON
        )


def form(house: House, **changes: object) -> dict[str, object]:
    given = {"title": "Poll", "text": "Is it safe? STOP to leave.", "list_ids": [house.newsroom.list_id]}
    return {**given, "revision": 1, "act": "save", "rich": "1", "preview": "1", **changes}


def row(number_: int, label: str, does: str = "answer", link: str = "", channel: str = "") -> dict[str, str]:
    name = f"button{channel and '_'}{channel}_{number_}"
    return {f"{name}_label": label, f"{name}_does": does, f"{name}_link": link}


def test_buttons_are_saved_and_shown_as_each_channel_shows_them(
    house: House, editor: Visitor, draft: int
) -> None:
    page = editor.submit(
        f"/broadcasts/{draft}/edit",
        form(house, **row(1, "Yes"), **row(2, "No"), **row(4, "No more", "STOP")),
    )

    shown = words(page)
    assert "Is it safe? STOP to leave. 1 Yes, 2 No STOP: No more" in shown
    assert "Buttons on Telegram Yes No No more" in shown
    assert "Buttons on WhatsApp Yes No No more" in shown
    assert 'value="No more"' in page.text
    with house.inside():
        rich = rich_messages.rich_of(db.session(), draft, "sms")
    assert rich == Rich((YES, NO, Button(ButtonKind.REPLY, "No more", "STOP")))


def test_one_channel_may_have_others_and_a_template_of_its_own(
    house: House, editor: Visitor, draft: int
) -> None:
    template = {
        "template_whatsapp": "poll_news",
        "template_whatsapp_language": "en",
        "template_whatsapp_variables": "{{first_name|friend}}\r\n{{text}}",
    }
    page = editor.submit(
        f"/broadcasts/{draft}/edit",
        form(house, **row(1, "Yes"), **row(1, "More", "link", "https://example.org", "telegram"), **template),
    )

    assert "In the approved template “poll_news”" in words(page)
    with house.inside():
        session = db.session()
        assert [one.label for one in rich_messages.rich_of(session, draft, "telegram").buttons] == ["More"]
        on_whatsapp = rich_messages.rich_of(session, draft, "whatsapp")
    assert on_whatsapp.buttons == (YES,)
    assert on_whatsapp.template == TemplateUse("poll_news", "en", ("{{first_name|friend}}", "{{text}}"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (row(1, "x" * 41), "Button 1: a label has 1 to 40 characters."),
        (row(1, "More", "link", "http://example.org"), "Button 1: a link begins with https://"),
        ({**row(1, "Yes"), **row(2, "yes")}, "Button 2: the label “yes” is there twice."),
        ({"template_whatsapp": "Poll news"}, "Template: its name is letters"),
    ],
)
def test_a_button_that_cannot_be_used_is_refused_in_words_and_nothing_is_lost(
    house: House, editor: Visitor, draft: int, fields: dict[str, str], said: str
) -> None:
    answer = editor.post(f"/broadcasts/{draft}/edit", form(house, **fields))

    assert answer.status_code == 422
    assert said in words(answer)
    assert next(iter(fields.values())) in answer.text


def test_the_review_says_how_many_a_template_would_reach(house: House, editor: Visitor, draft: int) -> None:
    with house.inside() as newsroom:
        sender = db.session.scalars(db.select(Sender).where(Sender.name == "city-whatsapp")).one().id
        db.session.rollback()
        receive_message(
            InboundMessage("w1", Address("whatsapp", "+447700900123"), "START"),
            sender_id=sender,
            controller=newsroom.controller,
            now=newsroom.now,
        )
    page = editor.get(f"/broadcasts/{draft}/review?choice=now&zone=UTC")

    assert "Left out on WhatsApp, for they wrote too long ago for free text: 1. Name a template" in words(
        page
    )


def test_the_report_counts_answers_and_an_admin_gets_them_as_a_file(
    house: House, editor: Visitor, admin: Visitor, draft: int
) -> None:
    with house.inside() as newsroom:
        broadcast = write_drafts.create_draft(
            title="Poll",
            text="Is it safe?",
            list_ids=[newsroom.list_id],
            rich={"": Rich((YES, NO))},
            by="ada",
            now=newsroom.now,
        )
        schedule_broadcasts.schedule(broadcast, at=None, zone="UTC", by="ada", now=newsroom.now)

        fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
        newsroom.send()
        newsroom.text("1", number(0))
        newsroom.text("yes", number(1))

    assert (
        "Answers Each person counts once, with the button pressed last. Yes 2 people (100 %) No 0 people"
        in (words(editor.get(f"/broadcasts/{broadcast}/report")))
    )
    lines = admin.get(f"/broadcasts/{broadcast}/answers.csv").text.splitlines()
    assert lines[0] == "subscriber_id,channel,address,answer,answered_at"
    assert [line.split(",")[3] for line in lines[1:]] == ["Yes", "Yes"]
