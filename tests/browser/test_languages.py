"""Other words in a language: written beside the text, and counted by the review before anything goes out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import faults, overflow
from tests.browser.steps import review_for_now, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_words_for_germans_are_written_and_the_review_counts_them(open_page: Callable[..., Page]) -> None:
    desk = open_page(signed_in=True, viewport={"width": 360, "height": 800})
    desk.goto("/broadcasts")
    write(desk, "Bridge", "City News: the bridge is open. Reply STOP to leave.")
    desk.get_by_text("Other words in Deutsch").click()
    desk.get_by_label("Text in Deutsch", exact=True).fill(
        "City News: Die Brücke ist offen. Abmelden mit STOP."
    )
    assert faults(desk) == []
    assert overflow(desk) == 0

    review_for_now(desk)

    expect(desk.get_by_text("On SMS in Deutsch")).to_be_visible()
    expect(desk.get_by_text("Die Brücke ist offen.").first).to_be_visible()
    assert faults(desk) == []
    assert overflow(desk) == 0


def test_the_languages_follow_the_lists_that_are_ticked(open_page: Callable[..., Page]) -> None:
    desk = open_page(signed_in=True, viewport={"width": 360, "height": 800})
    desk.goto("/broadcasts/new")
    lists = desk.get_by_role("group", name="To the people on")
    for ticked in lists.get_by_role("checkbox", checked=True).all():
        ticked.uncheck()
    lists.get_by_role("checkbox", name="Stadtnachrichten").check()

    expect(desk.get_by_text("Other words in Deutsch")).to_have_count(0)
    expect(desk.get_by_text("Approved template on WhatsApp")).to_have_count(0)
    desk.get_by_text("Other words in English").click()
    desk.get_by_label("Text in English", exact=True).fill("The bridge is open.")
    lists.get_by_role("checkbox", name="City News").check()

    expect(desk.get_by_text("Other words in Deutsch")).to_be_visible()
    expect(desk.get_by_label("Text in English", exact=True)).to_have_value("The bridge is open.")
    assert faults(desk) == []
    assert overflow(desk) == 0
