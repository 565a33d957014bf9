"""Pause, resume and stop a broadcast from its page, while it is going out."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import Demo
from tests.browser.steps import count_of, number

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def under_way(open_page: Callable[..., Page], demo: Demo) -> Iterator[Page]:
    """The page of a broadcast that has reached some and not yet most."""
    editor = demo.visitor()
    path = editor.send("Road works", "The high street is closed until noon.")
    desk = open_page(signed_in=True)
    desk.goto(path)
    expect(count_of(desk, "delivered")).not_to_have_text("0")
    yield desk
    editor.submit(f"{path}/stop", "/stop")  # what a test left under way shall not hold up the next


def test_a_paused_broadcast_stands_still_then_goes_on_and_can_be_stopped_for_good(under_way: Page) -> None:
    desk = under_way
    live = desk.get_by_role("region", name="Progress")
    state = live.locator(".pill")

    live.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("Paused")
    expect(count_of(desk, "sent")).to_have_text("0")  # what was on its way has arrived
    waiting = number(desk, "waiting")
    desk.reload()
    assert number(desk, "waiting") == waiting > 0

    live.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("Sending")
    expect(count_of(desk, "waiting")).not_to_have_text(str(waiting))

    live.get_by_role("button", name="Stop …").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Stop this broadcast for good?")
    desk.get_by_role("button", name="Stop for good").click()
    expect(state).to_have_text("Stopped for good")
    expect(count_of(desk, "waiting")).to_have_text("0")
    assert 0 < number(desk, "skipped") <= waiting


def test_a_broadcast_can_be_paused_and_resumed_from_the_list(under_way: Page) -> None:
    desk = under_way
    desk.goto("/broadcasts?tab=sending")
    row = desk.get_by_role("listitem").filter(has_text="The high street is closed until noon.").first

    row.get_by_role("button", name="Pause").click()
    expect(desk.get_by_role("button", name="Resume Road works").first).to_be_visible()
    desk.get_by_role("button", name="Resume Road works").first.click()

    expect(desk.get_by_role("button", name="Pause Road works").first).to_be_visible()


def test_a_row_of_the_list_renews_itself_while_it_is_sent_and_no_other_part_does(under_way: Page) -> None:
    desk = under_way
    desk.goto("/broadcasts?tab=sending")
    row = desk.get_by_role("listitem").filter(has_text="The high street is closed until noon.").first
    bar = row.get_by_role("img")
    before = bar.get_attribute("aria-label") or ""
    desk.evaluate("document.querySelector('h1').dataset.untouched = 'yes'")

    expect(bar).not_to_have_attribute("aria-label", before, timeout=30_000)
    expect(desk.locator("h1[data-untouched=yes]")).to_have_count(1)
    asked = row.get_attribute("hx-get") or ""
    assert asked.endswith("/row")
