"""A list on several channels at the desk: words for each, the count of each before it goes out."""

from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.services.senders_of_lists import add_sender
from tests.desk.conftest import House, Visitor, words
from tests.gateways.samples import webpush
from tests.gateways.samples.telegram import SETTINGS


def on_telegram(house: House) -> None:
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


def test_lists_shows_the_beginning_of_a_web_push_key_and_not_all_of_it(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        add(
            name="city-push",
            gateway=gateway_class("webpush"),
            settings=webpush.SETTINGS,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-push", by="tests", now=newsroom.now)

    page = editor.get("/lists")

    assert f"On Web Push: {webpush.PUBLIC[:12]}…" in words(page)
    assert webpush.PUBLIC not in page.text


def test_without_further_channels_there_is_one_text(house: House, editor: Visitor) -> None:
    assert "Other words for other channels" not in words(editor.get("/broadcasts/new"))


def test_an_editor_writes_other_words_for_a_channel_and_sees_who_gets_which(
    house: House, editor: Visitor
) -> None:
    on_telegram(house)
    with house.inside() as newsroom:
        newsroom.join(2)
    assert "At most 4,096 characters" in words(editor.get("/broadcasts/new"))

    saved = editor.submit(
        "/broadcasts/new",
        {
            "title": "Bridge",
            "text": "The bridge is open.",
            "text_telegram": "The bridge is open, with a map.\r\nLook.",
            "list_ids": str(house.newsroom.list_id),
            "act": "save",
        },
    )

    assert "The bridge is open, with a map.\nLook." in saved.text
    path = saved.request.path.split("/")[2]
    review = words(editor.get(f"/broadcasts/{path}/review?choice=now&zone=UTC"))
    assert "On SMS 2 people, from city-desk" in review
    assert (
        "On Telegram 0 people, from city-telegram in words of its own: The bridge is open, with a map."
        in review
    )


def test_the_page_of_lists_names_every_sender(house: House, editor: Visitor) -> None:
    on_telegram(house)

    assert "On Telegram: @CityDeskBot" in words(editor.get("/lists"))
