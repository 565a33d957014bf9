"""An hour on each person's own clock, and a broadcast that is moved in the calendar: by drag, by keyboard, and back."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.archive import tomorrow
from tests.browser.demo import Demo
from tests.browser.steps import write
from tests.browser.test_repeat import fits

SUNDAY = 6
pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def first_day() -> date:
    """Tomorrow, or the day after, so that the next day is in the same week."""
    day = date.fromisoformat(tomorrow())
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day


def choose_own_clocks(page: Page) -> None:
    """Fill in When: ten o'clock on that day, on each person's own clock."""
    page.get_by_label("At a time on each person’s own clock").check()
    page.get_by_label("Day", exact=True).fill(first_day().isoformat())
    page.get_by_label("Time", exact=True).fill("10:00")


def test_it_is_scheduled_for_everybodys_own_clock_then_moved_and_moved_back(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts")
    write(page, "Own clocks", "What is on this week: riverside.example/week. Reply STOP to leave.")
    page.get_by_role("button", name="Save and choose when").click()

    choose_own_clocks(page)
    said = page.locator("#words")
    expect(said).to_contain_text("10:00 on each person’s own clock")
    expect(said.get_by_role("listitem").filter(has_text="in New York")).to_be_visible()
    expect(page.get_by_label("At a time on each person’s own clock")).to_be_checked()
    fits(page)
    page.get_by_role("button", name="Go on to the review").click()
    expect(page.get_by_role("heading", name="Who gets it when")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="on each person’s own clock").click()
    expect(page.get_by_role("region", name="Progress")).to_contain_text("10:00 on each person’s own clock")
    fits(page)

    first = first_day()
    drag_to(page, first, first + timedelta(days=1))
    expect(page.get_by_role("heading", level=1)).to_have_text("Move “Own clocks”")
    expect(said).to_contain_text("10:00 on each person’s own clock")
    page.get_by_label("Time on each person’s own clock").fill("11:00")
    expect(said).to_contain_text("11:00 on each person’s own clock")
    fits(page)
    page.get_by_role("button", name="Move it to").click()
    expect(page.get_by_role("status")).to_contain_text("“Own clocks” was moved.")
    fits(page)

    page.get_by_role("link", name="Move it back").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move it to").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("“Own clocks” was moved.")
    page.goto(f"/calendar?day={first}&view=week")
    cell = page.locator(f'[data-day="{first}"]')
    expect(cell.get_by_role("link", name="10:00 Own clocks")).to_be_visible()
    cell.get_by_role("link", name="Move … Own clocks").press("Enter")
    expect(page.get_by_label("Day", exact=True)).to_have_value(first.isoformat())


def drag_to(page: Page, day: date, to: date) -> None:
    """Drag the broadcast in the week of both days; nothing is saved by that.

    A busy browser may let go of what it drags, as a tired hand does; both try again.
    """
    page.goto(f"/calendar?day={day}&view=week")
    line = page.locator("[data-move]", has_text="Own clocks")
    expect(line).to_have_attribute("draggable", "true")
    for _ in range(3):
        line.drag_to(page.locator(f'[data-day="{to}"]'))
        with suppress(TimeoutError):
            page.wait_for_url(re.compile("/move"), timeout=5_000)
            return
