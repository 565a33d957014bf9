"""A live event at the desk: Enter sends, the phone has it at once, the counts come by themselves; a rehearsal, too."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.archive import READER, tomorrow, until
from tests.browser.chromium import faults
from tests.browser.demo import Demo
from tests.browser.steps import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_line_is_sent_with_enter_and_its_counts_come_by_themselves(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    words = ("--keyword", "CUP", "--purpose", "Goals as they fall", "--end", f"{tomorrow()} 23:00")
    made = demo.cli("tickers", "create", "Cup final", *words, "--sender", "city-desk")
    demo.text(READER, "CUP")
    page = open_page(signed_in=True)
    page.goto(f"/ticker/{made['id']}")
    line = page.get_by_label("Message", exact=True)
    expect(line).to_be_focused()

    page.keyboard.type("One to nil!")
    expect(page.locator("#counter")).to_contain_text("11 of 160")
    page.keyboard.press("Enter")

    said = page.get_by_role("region", name="What was said")
    expect(said).to_contain_text("One to nil!")
    until(lambda: "One to nil!" in demo.heard(READER), "the message to come")
    expect(said).to_contain_text("1 delivered", timeout=15_000)
    expect(said).to_contain_text("1 of 30 messages")
    assert faults(page) == []

    page.get_by_label("Message", exact=True).fill("Sorry: still nil to nil.")
    page.get_by_role("button", name="Correct the last message with this").click()
    until(lambda: "Sorry: still nil to nil." in demo.heard(READER), "the correction to come")

    page.get_by_label("Message", exact=True).fill("Half-time.")
    page.keyboard.press("Control+Enter")
    expect(said).to_contain_text("2 of 30 messages")

    page.get_by_role("link", name="End this event").click()
    page.get_by_role("button", name="End the event now").click()
    expect(said).to_contain_text("Over", timeout=30_000)


def test_a_broadcast_is_rehearsed_from_its_review(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts")
    write(page, "Dress rehearsal", "The bridge opens at nine. Reply STOP to leave.")
    page.get_by_role("button", name="Save and choose when").click()
    page.get_by_role("button", name="Go on to the review").click()
    page.get_by_role("button", name="Rehearse …").click()
    page.get_by_role("button", name="Rehearse now").click()

    found = page.get_by_role("region", name="Reports")
    expect(found).to_contain_text("It is being played …")
    expect(found).to_contain_text("Nobody twice, nobody lost.", timeout=90_000)
    assert faults(page) == []
