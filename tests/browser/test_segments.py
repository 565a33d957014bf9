"""A part of a list: built condition by condition, counted while it is built, saved, and sent to."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.chromium import NARROW, WIDE, faults, overflow
from tests.browser.demo import Demo
from tests.browser.steps import number, review_for_now, see_it_end, send, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
GRACE, SENTENCE = "+447700900118", "People on City News whose number is from the United Kingdom"
SMALLEST = ViewportSize(width=320, height=640)


def fits(page: Page) -> None:
    """Axe finds nothing, light and dark, wide and narrow, and the page does not move sideways at 320 px."""
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert faults(page) == []
    page.set_viewport_size(SMALLEST)
    assert overflow(page) == 0
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")


def add(page: Page, condition: str) -> None:
    page.locator("#add_test").select_option(label=condition)
    page.get_by_role("button", name="Add the condition").click()


def test_a_part_of_a_list_is_chosen_in_a_form_and_gets_the_broadcast(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    demo.text(GRACE, "START")
    page = open_page(signed_in=True, reduced_motion="reduce")
    page.goto("/broadcasts")
    write(page, "Ferry to Dover", "The ferry leaves at ten. Reply STOP to leave.")
    page.get_by_role("button", name="Choose a part of them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who gets it?")

    told = page.locator("#told")
    expect(told).to_contain_text("As soon as the conditions are complete")
    add(page, "Country of the number")
    page.get_by_role("group", name="1. Country of the number").get_by_label("United Kingdom").check()
    expect(told).to_contain_text(f"{SENTENCE}.")
    add(page, "Joined in the last days")
    expect(told).to_contain_text(f"{SENTENCE} and who joined in the last 30 days.")
    fits(page)
    page.get_by_role("button", name="Remove 2. Joined in the last days").click()
    expect(told).to_contain_text(f"{SENTENCE}.")
    page.get_by_label("Save it under a name as well").fill("Across the Channel")
    page.get_by_role("button", name="Send it to these people").click()
    expect(page.get_by_text(f"Across the Channel: {SENTENCE}.")).to_be_visible()
    fits(page)

    reached = review_for_now(page)
    expect(page.get_by_text(f"{SENTENCE}.")).to_be_visible()
    assert 1 <= reached < 100
    send(page)
    see_it_end(page)
    assert sum(number(page, name) for name in ("delivered", "failed", "unknown")) == reached
    fits(page)
    page.goto("/lists/1/segments")
    expect(page.get_by_role("heading", name="Across the Channel")).to_be_visible()
    fits(page)
