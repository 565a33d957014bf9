"""A list is opened, looked at, changed, printed as a poster and closed; people are filtered on their page."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Complaints
from tests.browser.demo import Demo
from tests.browser.test_segments import fits

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TIDE, STOPS = "+447700900171", "+447700900172"


def open_list(page: Page) -> None:
    page.goto("/lists/new")
    page.get_by_label("Name").fill("Tides")
    page.get_by_label("Keyword").fill("TIDE")
    page.get_by_label("What people get").fill("High water at the harbour")
    page.get_by_label("Messages a day, at most").fill("2")
    page.get_by_role("button", name="Open this list").click()
    page.get_by_role("link", name="Tides", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tides")


def test_a_list_is_opened_changed_printed_and_closed(
    open_page: Callable[..., Page], demo: Demo, complaints: Complaints
) -> None:
    page = open_page(signed_in=True, reduced_motion="reduce")
    open_list(page)
    demo.text(TIDE, "TIDE")
    page.reload()
    expect(page.get_by_text(re.compile(r"On it now\s*1"))).to_be_visible()
    expect(page.get_by_text("TIDE", exact=True).first).to_be_visible()
    fits(page)

    page.get_by_role("button", name="Change this list").click()
    expect(page.get_by_text("1 person agreed to it. You may promise less, not more")).to_be_visible()
    fits(page)
    page.get_by_label("Messages a day, at most").fill("3")
    with complaints.refused(422):
        page.get_by_role("button", name="Save this list").click()
        expect(page.locator("#errors")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("1 people agreed to at most 2 a day")
    page.get_by_label("Messages a day, at most").fill("1")
    page.get_by_role("button", name="Save this list").click()
    expect(page.get_by_text("“Tides” is changed.")).to_be_visible()
    expect(page.get_by_text("at most 1 message a day")).to_be_visible()

    page.get_by_role("button", name="Poster", exact=True).click()
    expect(page.get_by_text(re.compile(r"Text TIDE to \+"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"TIDE per SMS an \+"))).to_be_visible()
    fits(page)
    page.emulate_media(media="print")
    expect(page.get_by_text("Print this page on A4")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Tides").click()

    page.get_by_role("button", name="Close the list").click()
    expect(page.get_by_text("The consent of 1 person to it ends")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Close the list and end the consent of 1 person").click()
    expect(page.get_by_text("“Tides” is closed.")).to_be_visible()
    fits(page)
    page.goto("/lists")
    expect(page.get_by_role("link", name="Tides", exact=True)).to_have_count(0)


def test_people_are_filtered_and_somebody_who_left_shows_why_nothing_can_be_sent(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    demo.text(STOPS, "START")
    demo.text(STOPS, "STOP")
    page = open_page(signed_in=True, reduced_motion="reduce")
    page.goto("/people")
    page.get_by_text("Filter by status, list, language, town, link or channel").click()
    page.get_by_label("Number, or its last four digits or more").fill("0172")
    page.get_by_label("Status").select_option(label="left")
    page.get_by_label("List", exact=True).select_option(label="City News")
    page.get_by_role("button", name="Show these people").click()
    expect(page.get_by_role("status")).to_have_text("1 person found")
    expect(page.get_by_text("Nothing can be sent")).to_be_visible()
    fits(page)

    page.locator(".rows h2 a").click()
    expect(page.get_by_role("heading", name="Why nothing can be sent")).to_be_visible()
    page.get_by_role("link", name="Change Town").click()
    page.get_by_label("Town").fill("Riverside")
    fits(page)
    page.get_by_role("button", name="Save the town").click()
    expect(page.get_by_text("Riverside")).to_be_visible()
    fits(page)

    page.goto("/people?place=riverside&channel=sms")
    expect(page.get_by_role("status")).to_have_text("1 person found")
    page.goto("/people?status=active")
    expect(page.get_by_role("button", name="Older people")).to_be_visible()
    page.get_by_role("button", name="Older people").click()
    expect(page.get_by_role("status")).to_contain_text("on this page, the newest first")
    fits(page)
