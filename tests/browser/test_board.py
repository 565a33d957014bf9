"""Top three a day at the desk: stories are ranked by drag and keys, a slot takes the top one, one cannot wait."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.clock import utcnow
from tests.browser.archive import until
from tests.browser.chromium import faults, overflow, session_of
from tests.browser.demo import Demo, Editor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


# On no other list: a person who had a message today would get no second one on a list that promised one.
TIPPED = "+447700900137"


def tips_list(demo: Demo) -> str:
    """Make a list that promised one message a day, with somebody on it; returns the path of its board."""
    hours = (
        "--from-hour",
        "0",
        "--until-hour",
        "24",
        "--max-per-day",
        "1",
        "--any-hour",
        "a test may run at night",
    )
    words = ("--keyword", "TIPS", "--purpose", "A tip a day", "--sender", "city-desk", *hours)
    made = demo.cli("lists", "create", "Tip of the day", *words)
    demo.text(TIPPED, "TIPS")
    until(lambda: any("Tip of the day" in one for one in demo.heard(TIPPED)), "the welcome to come")
    return f"/board/{made['id']}"


def add(page: Page, title: str) -> None:
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text", exact=True).fill(f"{title} opens at nine.")
    expect(page.get_by_role("region", name="Preview on a phone")).to_contain_text(f"{title} opens at nine.")
    page.locator(".ends").get_by_role("button", name="Put it in the queue").click()


def titles(page: Page) -> list[str]:
    return page.locator(".story h3").all_inner_texts()


def colleague(demo: Demo) -> Editor:
    """A second person at the desk."""
    email, password = "third@example.org", "four words at random"
    form = {"name": "Sam Okoro", "email": email, "password": password, "role": "editor"}
    demo.visitor().submit("/users", "role", **form)
    return Editor(demo.desk, email, password)


def test_stories_are_ranked_a_slot_takes_the_top_one_and_what_cannot_wait_goes_over_the_promise(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    board = tips_list(demo)
    page = open_page(
        signed_in=True, viewport={"width": 1200, "height": 2000}
    )  # a drag needs both ends in view
    page.goto(board)
    for title in ("Bridge", "Pool", "Tram"):
        add(page, title)

    page.locator(".story", has_text="Tram").drag_to(page.locator(".story", has_text="Bridge"))
    expect(page.locator("#moved")).to_have_text("“Tram” is number 1 of 3.")
    page.locator(".story", has_text="Pool").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#moved")).to_have_text("“Pool” is number 1 of 3.")
    expect(page.locator(".story", has_text="Pool")).to_be_focused()
    assert titles(page) == ["Pool", "Tram", "Bridge"]
    assert faults(page) == []

    page.get_by_label("Times").fill(f"{utcnow():%H:%M}")
    page.get_by_role("button", name="Save the slots").click()
    until(lambda: "Pool opens at nine." in demo.heard(TIPPED), "the slot to take the top story")
    page.reload()
    expect(page.get_by_role("region", name="Slots")).to_contain_text("went out Pool")

    tram = page.locator(".story", has_text="Tram")
    tram.get_by_text("This cannot wait").click()
    tram.get_by_label("Why").fill("The line is closed")
    tram.get_by_role("button", name="Ask for a yes").click()
    expect(tram).to_contain_text("A second person must say yes.")
    second = open_page()
    second.context.add_cookies(session_of(colleague(demo)))
    second.goto(board)
    second.get_by_role("button", name="Yes, send it now").click()
    until(lambda: "Tram opens at nine." in demo.heard(TIPPED), "the breaking story to come")

    second.goto("/join/tips")
    expect(second.get_by_role("region", name="What could not wait")).to_contain_text("The line is closed")
    expect(second.get_by_text(re.compile("one message more than this"))).to_be_visible()
    assert faults(second) == []
    second.set_viewport_size({"width": 320, "height": 640})
    assert overflow(second) == 0
