"""A broadcast that repeats: seen in words while it is chosen, begun, one date left out, found in the calendar."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.archive import tomorrow
from tests.browser.chromium import faults, overflow
from tests.browser.demo import Demo
from tests.browser.steps import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def fits(page: Page) -> None:
    """Axe finds nothing, and the page does not move sideways at 320 px."""
    assert faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0
    page.set_viewport_size({"width": 1200, "height": 800})


def choose_two_weekdays(page: Page) -> None:
    """Fill in When: from tomorrow on, on Mondays and Fridays, five times."""
    page.get_by_label("Again and again").check()
    page.get_by_label("Day", exact=True).fill(tomorrow())
    page.get_by_label("Time", exact=True).fill("11:00")
    page.get_by_label("Days, weeks or months").select_option("week")
    page.get_by_label("Monday").check()
    page.get_by_label("Friday").check()
    page.get_by_label("Number of times").fill("5")


def test_a_broadcast_is_repeated_one_date_left_out_and_all_stands_in_the_calendar(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts")
    write(page, "Weekend tips", "What is on this week: riverside.example/week. Reply STOP to leave.")
    page.get_by_role("button", name="Save and choose when").click()
    expect(page.get_by_label("Number of times")).to_be_hidden()

    choose_two_weekdays(page)
    said = page.locator("#words")
    expect(said).to_contain_text("Every week on Monday and Friday, 11:00 (Europe/Berlin), 5 times")
    expect(said.get_by_role("listitem")).to_have_count(5)
    fits(page)
    page.get_by_role("button", name="Go on to the review").click()
    fits(page)
    page.get_by_role("button", name="Repeat it, first on").click()

    dates = page.get_by_role("region", name="The next dates").get_by_role("listitem")
    expect(dates).to_have_count(5)
    dates.nth(1).get_by_role("button", name="Leave this one out").click()
    expect(dates.nth(1)).to_contain_text("left out")
    fits(page)

    page.goto(f"/calendar?day={tomorrow()}&view=week")
    page.get_by_role("link", name="Later").click()
    expect(page.get_by_role("link", name="11:00 Weekend tips")).to_have_count(2)
    fits(page)
    page.get_by_role("link", name="Month", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="11:00 Weekend tips").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Weekend tips")
