"""Templates in a browser: kept, looked at, written from with a gap that stops the sending, renamed, removed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import faults, overflow
from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

TEXT = "Riverside News: no water in [[street]] until six. Reply STOP to leave."


def test_what_is_written_each_week_is_kept_filled_in_and_scheduled(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    page = open_page(signed_in=True)
    page.goto(f"{demo.visitor().draft('Burst watermain', TEXT)}/edit")
    page.get_by_role("link", name="Keep as template").click()
    expect(page.locator("mark")).to_have_text("[[street]]")
    page.get_by_label("Name").fill("Watermain")
    page.get_by_role("button", name="Keep as template").click()
    row = page.get_by_role("listitem").filter(has_text="Watermain")
    assert faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0
    page.set_viewport_size({"width": 1200, "height": 800})

    row.get_by_role("button", name="Write from this Watermain").click()
    preview = page.get_by_role("region", name="Preview on a phone")
    expect(preview.locator("mark").first).to_have_text("[[street]]")
    page.get_by_role("button", name="Save and choose when").click()
    page.get_by_role("button", name="Go on to the review").click()
    expect(
        page.get_by_text("Fill in [[street]]: people would read the brackets.", exact=True)
    ).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Send .* now$"))).to_be_disabled()
    page.go_back()
    page.get_by_role("link", name="Back to the text").click()
    page.get_by_label("Text", exact=True).fill(TEXT.replace("[[street]]", "Mill Street"))
    expect(preview.locator("mark")).to_have_count(0)
    page.get_by_role("button", name="Save and choose when").click()
    page.get_by_role("button", name="Go on to the review").click()
    expect(page.get_by_role("button", name=re.compile("^Send .* now$"))).to_be_enabled()

    page.goto("/templates")
    row.get_by_role("button", name="Look, rename Watermain").click()
    page.get_by_label("Name").fill("Watermain in a street")
    page.get_by_role("button", name="Rename").click()
    row.get_by_role("button", name="Remove … Watermain in a street").click()
    page.get_by_role("button", name="Remove the template").click()
    expect(page.get_by_text("“Watermain in a street” is removed.")).to_be_visible()
    expect(row).to_have_count(0)
