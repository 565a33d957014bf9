"""Everything by keyboard: one can get everywhere, sees where one is, and sends with Tab, Space and Enter alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.archive import Archive
from tests.browser.chromium import NARROW
from tests.browser.demo import Demo
from tests.browser.steps import promised

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# How wide the frame around the element in focus is, and whether some of the element can be seen at all: something
# that stays on the screen while the page moves may lie over it.
STANDING = """() => {
  const here = document.activeElement, box = here.getBoundingClientRect(), style = getComputedStyle(here);
  const across = [0.1, 0.5, 0.9].map((part) => box.left + part * box.width);
  const down = [0.2, 0.5, 0.8].map((part) => box.top + part * box.height);
  const seen = across.some((x) => down.some((y) => {
    const top = document.elementFromPoint(x, y);
    return top && (here.contains(top) || top.contains(here) || here.labels?.[0]?.contains(top));
  }));
  const frame = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
  return { name: here.outerHTML.slice(0, 120), frame, seen, isPage: here === document.body };
}"""
MOST_STOPS = 120


def step(page: Page, key: str = "Tab") -> bool:
    """Press Tab once; the place reached must show itself. False when it was the last of the page."""
    page.keyboard.press(key)
    place = page.evaluate(STANDING)
    if place["isPage"]:
        return False
    assert place["frame"] >= 2, f"nothing shows the focus on {place['name']}"
    assert place["seen"], f"something hides the focus on {place['name']}"
    return True


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(MOST_STOPS):
        step(page)
        if target.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"{target} cannot be reached with the Tab key")


def test_a_broadcast_is_written_reviewed_and_sent_by_keyboard_alone(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    page = open_page()
    keys = page.keyboard
    page.goto("/sign-in")
    tab_to(page, page.get_by_label("E-mail address"))
    keys.type(demo.email)
    tab_to(page, page.get_by_label("Password"))
    keys.type(demo.password)
    keys.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Broadcasts")
    tab_to(page, page.get_by_role("button", name="Write a broadcast"))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Write")
    tab_to(page, page.get_by_label("Title"))
    keys.type("Museum night")
    german = page.get_by_label("Stadtnachrichten")
    tab_to(page, german)
    keys.press("Space")
    expect(german).to_be_checked()
    keys.press("Space")
    expect(german).not_to_be_checked()
    tab_to(page, page.get_by_label("Text", exact=True))
    keys.type("Dear ")
    tab_to(page, page.get_by_role("button", name="First name"))
    keys.press("Space")
    keys.type(", museums are open until midnight.")
    tab_to(page, page.get_by_role("button", name="Save and choose when"))
    keys.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("When shall it go?")
    tab_to(page, page.get_by_label("Now, as soon as you confirm"))
    tab_to(page, page.get_by_role("button", name="Go on to the review"))
    keys.press("Space")
    promised(page)
    tab_to(page, page.get_by_role("button", name=re.compile(r"^Send .* now$")))
    keys.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Museum night")
    tab_to(page, page.get_by_role("button", name="Stop …"))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stop this broadcast for good?")
    tab_to(page, page.get_by_role("button", name="Stop for good"))
    keys.press("Enter")
    expect(page.locator("#live .pill")).to_have_text("Stopped for good")
    expect(page.get_by_text("{{first_name|friend}}, museums")).to_be_visible()


def test_the_first_stop_leads_past_the_navigation(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True)
    page.goto("/lists")
    skip = page.get_by_role("link", name="Skip to content")

    step(page)
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()
    step(page)
    expect(page.get_by_role("button", name="New list")).to_be_focused()


def test_escape_closes_the_account_menu_and_goes_back_to_its_button(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True)
    page.goto("/lists")
    menu = page.locator(".menu summary")
    tab_to(page, menu)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign out"))

    page.keyboard.press("Escape")

    expect(menu).to_be_focused()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


@pytest.mark.parametrize(
    "path",
    ["/broadcasts?tab=sent", "{draft}/edit", "{paused}", "{sent}/report", "{person}", "/lists/new", "/users"],
)
def test_every_stop_on_the_way_shows_itself_on_a_small_screen(
    path: str, open_page: Callable[..., Page], archive: Archive
) -> None:
    page = open_page(signed_in=True, viewport=NARROW)
    page.goto(path.format(**vars(archive)))

    stops = 0
    while step(page) and stops < MOST_STOPS:
        stops += 1

    assert 5 < stops < MOST_STOPS
