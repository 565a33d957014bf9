"""A wrong message is held while it goes out, and those who got it, and nobody else, get the correction."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.demo.story import PHONE
from tests.browser.chromium import faults, overflow
from tests.browser.demo import Demo
from tests.browser.steps import count_of, number, promised, review_for_now, see_it_end, send, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NEWCOMER = "+447700900461"


def assert_fit(page: Page) -> None:
    assert faults(page) == []
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0, "the page moves sideways at 320 px"
    assert before is not None
    page.set_viewport_size(before)


def test_a_wrong_message_is_paused_corrected_and_the_reach_is_told(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    demo.text(PHONE, "START")
    desk = open_page(signed_in=True)
    desk.goto("/broadcasts")
    write(desk, "Ferry", "The ferry leaves at nine. Reply STOP to leave.")
    review_for_now(desk)
    send(desk)
    expect(count_of(desk, "delivered")).not_to_have_text("0")
    wrong = desk.url

    desk.get_by_role("button", name="Send a correction …").click()
    expect(desk.get_by_role("heading", name="It is still being sent")).to_be_visible()
    assert_fit(desk)
    desk.get_by_role("button", name="Pause it").click()
    expect(desk.get_by_text("It is paused.")).to_be_visible()
    desk.get_by_role("button", name="Write a correction").click()
    text = desk.get_by_label("Text", exact=True)
    expect(text).to_have_value("Correction: The ferry leaves at nine. Reply STOP to leave.")
    text.fill("Correction: the ferry leaves at TEN. Reply STOP to leave.")
    desk.get_by_role("button", name="Save and choose when").click()
    desk.get_by_label("Now, as soon as you confirm").check()
    desk.get_by_role("button", name="Go on to the review").click()
    reached = promised(desk)
    expect(desk.get_by_text(f"It goes to {reached} people who got the first message:")).to_be_visible()
    assert_fit(desk)
    send(desk)
    see_it_end(desk)

    assert number(desk, "delivered") + number(desk, "failed") >= reached
    assert reached < 1000
    expect(desk.get_by_role("region", name="This is a correction")).to_contain_text("Got the first message")
    assert_fit(desk)
    desk.goto(wrong)
    expect(desk.get_by_role("region", name="Correction", exact=True)).to_contain_text("Correction delivered")
    desk.get_by_role("button", name="Resume").click()
    expect(desk.get_by_role("alert")).to_contain_text("was corrected, so nothing more of it goes out")
    desk.get_by_role("button", name="Stop …").click()
    desk.get_by_role("button", name="Stop for good").click()
    expect(desk.locator("#live .pill")).to_have_text("Stopped for good")
    heard = demo.heard(PHONE)
    assert ["TEN" in one for one in heard].count(True) == ["at nine" in one for one in heard].count(True)
    assert not any("ferry" in one for one in demo.heard(NEWCOMER))


def test_a_saved_text_is_inserted_and_an_earlier_version_taken_back(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    desk = open_page(signed_in=True)
    desk.goto("/texts")
    desk.get_by_label("Name").fill("Sign-off")
    desk.get_by_label("Text", exact=True).fill("Your newsroom. Reply STOP to leave.")
    desk.get_by_role("button", name="Save this text").click()
    expect(desk.get_by_role("status")).to_have_text("“Sign-off” is saved.")
    assert_fit(desk)

    desk.goto("/broadcasts")
    write(desk, "Fair", "The fair is open.")
    desk.get_by_label("Saved texts").select_option("Sign-off")
    desk.get_by_role("button", name="Insert the text").click()
    text = desk.get_by_label("Text", exact=True)
    expect(text).to_have_value("The fair is open.\nYour newsroom. Reply STOP to leave.")
    desk.get_by_role("button", name="Save draft").last.click()
    text.fill("The fair is shut.\nYour newsroom. Reply STOP to leave.")
    desk.get_by_role("button", name="Save draft").last.click()
    desk.get_by_role("link", name="Earlier versions").click()
    newest = desk.get_by_role("article", name="Version 2")
    expect(newest.locator("ins")).to_contain_text("shut")
    expect(newest.locator("del")).to_contain_text("open")
    assert_fit(desk)

    desk.get_by_role("button", name="Take this version back").click()
    expect(text).to_have_value("The fair is open.\nYour newsroom. Reply STOP to leave.")
