"""The phones of the preview: the words, the file and the way out of each channel that the lists use."""

import io
import re
from collections.abc import Mapping
from html import unescape

import pytest
from werkzeug.test import TestResponse

from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.services.senders_of_lists import add_sender
from tests.desk.conftest import House, Visitor
from tests.gateways.samples import inapp, telegram, wechat
from tests.support import media
from tests.support.world import NOON


@pytest.fixture
def channels(house: House, editor: Visitor) -> House:
    senders: Mapping[str, Mapping[str, str]] = {
        "telegram": telegram.SETTINGS,
        "wechat": wechat.SETTINGS,
        "inapp": inapp.SETTINGS,
    }
    with house.inside() as newsroom:
        for name, settings in senders.items():
            add(
                name=f"city-{name}",
                gateway=gateway_class(name),
                settings=settings,
                by="tests",
                controller=newsroom.controller,
                now=NOON,
            )
            add_sender("CITY", f"city-{name}", by="tests", now=NOON)
    editor.get("/broadcasts/new")
    return house


def form(house: House, **more: object) -> dict[str, object]:
    return {
        "title": "Bridge",
        "text": "The bridge is open.",
        "list_ids": [house.newsroom.list_id],
        "revision": 0,
        **more,
    }


def phone(page: TestResponse, channel: str) -> str:
    """The words on one phone."""
    part = page.text.partition(f'<section class="phone {channel}"')[2].partition("</section>")[0]
    return " ".join(unescape(re.sub("<[^>]+>", " ", part.partition(">")[2])).split())


def measured(editor: Visitor, given: dict[str, object], channel: str) -> str:
    return phone(editor.post("/broadcasts/measure", given), channel)


def test_each_channel_shows_its_own_words_and_how_long_they_may_be(channels: House, editor: Visitor) -> None:
    given = form(channels, text_telegram="The bridge is open, says {{first_name|somebody}}.")

    on_sms, on_telegram = measured(editor, given, "sms"), measured(editor, given, "telegram")

    assert "+1 202 555 0100 The bridge is open. Whoever" in on_sms
    assert "GSM-7 · 19 of 160 · 1 part" in on_sms
    assert "@CityDeskBot The bridge is open, says Alexandra. Whoever" in on_telegram
    assert "35 of 4,096 characters" in on_telegram


def test_a_text_that_a_channel_does_not_carry_is_said_at_its_phone(channels: House, editor: Visitor) -> None:
    given = form(channels, text="The bridge is open. " * 75, text_wechat="Ä" * 1025)

    assert "2,050 of 2,048 bytes – too long for WeChat" in measured(editor, given, "wechat")
    assert "too long" not in measured(editor, given, "telegram")


def test_a_bad_placeholder_in_other_words_is_said_at_that_phone(channels: House, editor: Visitor) -> None:
    given = form(channels, text_telegram="Hello {{nmae|friend}}")

    assert "Look at the placeholder at character 9." in measured(editor, given, "telegram")
    assert "Look at the placeholder" not in measured(editor, given, "sms")


def test_stop_is_answered_as_it_will_be_and_browsers_have_a_button(channels: House, editor: Visitor) -> None:
    given = form(channels)

    assert "STOP Riverside News: you are unsubscribed and will get no more messages." in measured(
        editor, given, "telegram"
    )
    assert "People leave by a button there, without a text." in measured(editor, given, "inapp")


def test_a_file_stands_where_it_is_carried_and_elsewhere_what_goes_instead(
    channels: House, editor: Visitor
) -> None:
    file = {
        "media": (io.BytesIO(media.png()), "bridge.png"),
        "media-alt": "An open bridge",
        "media-otherwise": "words",
    }
    page = editor.submit("/broadcasts/new", form(channels, act="save", **file))

    telegram_phone = page.text.partition('<section class="phone telegram"')[2].partition("</section>")[0]
    assert 'alt="An open bridge"' in telegram_phone
    assert "The bridge is open. [An open bridge]" in phone(page, "wechat")


def test_the_chosen_phone_stays_chosen_and_the_review_shows_the_same(
    channels: House, editor: Visitor
) -> None:
    again = editor.post("/broadcasts/measure", form(channels, phone="telegram", large="1"))
    saved = editor.post("/broadcasts/new", form(channels, text_telegram="It is open!", act="save"))
    review = editor.get(saved.location.replace("/edit", "/review?choice=now&zone=UTC"))

    assert 'name="phone" value="telegram" checked' in again.text
    assert 'name="phone" value="sms" >' in again.text
    assert 'name="large" value="1" checked' in again.text
    assert "@CityDeskBot It is open! Whoever" in phone(review, "telegram")


def test_the_direction_of_a_message_is_that_of_its_words(channels: House, editor: Visitor) -> None:
    page = editor.post("/broadcasts/measure", form(channels, text="الجسر مفتوح"))

    assert '<div class="bubbles" lang="und" dir="auto">' in page.text


def test_without_a_list_there_is_a_phone_all_the_same(channels: House, editor: Visitor) -> None:
    page = editor.post("/broadcasts/measure", form(channels, list_ids=[]))

    assert "Riverside News The bridge is open." in phone(page, "sms")
    assert 'type="radio" id="phone-' not in page.text
