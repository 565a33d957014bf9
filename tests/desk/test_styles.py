"""Styles on the desk: bold shown bold on the phones that can, marks counted nowhere, and a word on lone ones."""

from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.services.senders_of_lists import add_sender
from tests.desk.conftest import House, Visitor
from tests.gateways.samples import telegram
from tests.support.world import NOON

TEXT = "*Riverside:* the _bridge_ is ~closed~ open."


def form(house: House, text: str = TEXT) -> dict[str, object]:
    return {"title": "Bridge", "text": text, "list_ids": [house.newsroom.list_id], "revision": 0}


def phone(page: str, channel: str) -> str:
    return page.partition(f'<section class="phone {channel}"')[2].partition("</section>")[0]


def with_telegram(house: House) -> None:
    with house.inside() as newsroom:
        add(
            name="city-telegram",
            gateway=gateway_class("telegram"),
            settings=telegram.SETTINGS,
            by="tests",
            controller=newsroom.controller,
            now=NOON,
        )
        add_sender("CITY", "city-telegram", by="tests", now=NOON)


def test_each_phone_shows_the_words_as_its_channel_does(house: House, editor: Visitor) -> None:
    with_telegram(house)
    editor.get("/broadcasts/new")
    page = editor.post("/broadcasts/measure", form(house, f"{TEXT} <b> {{{{first_name|friend}}}}")).text

    assert (
        "<strong>Riverside:</strong> the <em>bridge</em> is <s>closed</s> open. &lt;b&gt; Alexandra"
        in phone(page, "telegram")
    )
    assert "Riverside: the bridge is closed open. &lt;b&gt; Alexandra" in phone(page, "sms")


def test_marks_are_not_counted(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    page = editor.post("/broadcasts/measure", form(house, f"*{'x' * 160}*")).text

    assert "GSM-7 · 160 of 160 · 1 part" in page


def test_a_lone_mark_is_told_and_a_pair_is_not(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")

    lone = editor.post("/broadcasts/measure", form(house, "*Riverside: open")).text
    pair = editor.post("/broadcasts/measure", form(house)).text

    assert "A lone “*” stays as it is." in lone
    assert "stays as it is" not in pair


def test_the_lists_and_the_page_of_a_broadcast_show_no_marks(house: House, editor: Visitor) -> None:
    editor.get("/broadcasts/new")
    editor.post("/broadcasts/new", form(house) | {"act": "save"})
    with house.inside() as newsroom:
        newsroom.join(1)
        sent = newsroom.broadcast("*Both* bridges, {{first_name|friend}}")

    assert "Riverside: the bridge is closed open." in editor.get("/broadcasts?tab=drafts").text
    assert "<strong>Both</strong> bridges, {{first_name|friend}}" in editor.get(f"/broadcasts/{sent}").text
