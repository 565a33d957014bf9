"""Compose with a script: it saves by itself, over nobody's words, and shows the phone of each channel."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Complaints
from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SAVED = re.compile(r"Saved \d\d:\d\d")


def test_what_is_typed_is_saved_by_itself_and_there_after_a_reload(open_page: Callable[..., Page]) -> None:
    desk = open_page(signed_in=True)
    desk.goto("/broadcasts/new")
    text, saved = desk.get_by_label("Text", exact=True), desk.locator("#saved")

    text.fill("The ferry runs again.")
    expect(saved).to_contain_text("Not saved yet: Give it a title.")
    desk.get_by_label("Title").fill("Ferry")
    expect(saved).to_have_text(SAVED)
    expect(desk).to_have_url(re.compile(r"/broadcasts/\d+/edit$"))
    text.press("End")
    text.press_sequentially(" Every hour.")
    expect(desk.locator("#revision")).to_have_value("2")
    expect(text).to_be_focused()
    text.press_sequentially(" Until ten.")
    desk.get_by_role("button", name="Save draft").click()

    expect(desk.get_by_text("The draft is saved.")).to_be_visible()
    desk.reload()
    expect(text).to_have_value("The ferry runs again. Every hour. Until ten.")


def test_two_tabs_show_the_conflict_and_overwrite_nothing(open_page: Callable[..., Page], demo: Demo) -> None:
    path = demo.visitor().draft("Market", "The market opens at eight.")
    first, second = open_page(signed_in=True), open_page(signed_in=True)
    first.goto(f"{path}/edit")
    second.goto(f"{path}/edit")
    first.get_by_label("Text", exact=True).fill("The market opens at nine.")
    expect(first.locator("#saved")).to_have_text(SAVED)

    mine = second.get_by_label("Text", exact=True)
    mine.fill("The market is closed.")

    expect(second.locator("#saved")).to_contain_text("Not saved: somebody else saved this draft")
    expect(second.locator("#theirs")).to_contain_text("The market opens at nine.")
    expect(mine).to_have_value("The market is closed.")
    first.reload()
    expect(first.get_by_label("Text", exact=True)).to_have_value("The market opens at nine.")


def test_each_channel_has_its_phone_without_a_script(open_page: Callable[..., Page]) -> None:
    desk = open_page(signed_in=True, java_script_enabled=False)
    desk.goto("/broadcasts/new")
    preview = desk.get_by_role("region", name="Preview on a phone")
    phones = preview.get_by_role("region", name=re.compile("^Phone: "))

    expect(phones).to_have_count(1)
    expect(phones).to_have_accessible_name("Phone: SMS")
    preview.get_by_role("radio", name="Telegram").check()
    expect(phones).to_have_accessible_name("Phone: Telegram")
    expect(phones).to_contain_text("you are unsubscribed and will get no more messages")


def test_a_save_that_did_not_get_through_says_so_and_keeps_the_words(
    open_page: Callable[..., Page], complaints: Complaints, demo: Demo
) -> None:
    path = demo.visitor().draft("Harbour", "The harbour is open.")
    desk = open_page(signed_in=True)
    desk.goto(f"{path}/edit")
    desk.route(
        "**/edit",
        lambda route: route.fulfill(status=503) if route.request.method == "POST" else route.continue_(),
    )
    text = desk.get_by_label("Text", exact=True)

    with complaints.refused(503):
        text.fill("The harbour is closed.")
        expect(desk.locator("#saved")).to_contain_text("Not saved just now.")

    expect(text).to_have_value("The harbour is closed.")
