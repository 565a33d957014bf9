"""Import a file in a real browser: columns, evidence, the check that changes nothing, the import, the refused rows."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.domain.addresses import spaced
from tests.browser.archive import until
from tests.browser.chromium import faults, overflow, session_of
from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NEWCOMERS = ["+447700900750", "+447700900751"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fair.csv"
    rows = [f"{NEWCOMERS[0]};Zoë;Köln", f"{NEWCOMERS[1]};Otto;Bonn", "1.20256E+10;=1+1;"]
    path.write_text("\n".join(["Phone;First name;Town", *rows]))
    return path


def test_a_file_is_imported_from_its_columns_to_its_refused_rows(
    open_page: Callable[..., Page], demo: Demo, file: Path
) -> None:
    page = open_page(signed_in=True)
    page.goto("/people")
    page.get_by_role("button", name="Import people").click()
    page.get_by_role("button", name="Import a file").click()
    bring(page, file)
    say_what_it_is(page)
    page.get_by_role("button", name="Check the file; nothing is imported yet").click()

    # The page renews itself until the workers have looked through the file.
    begin = page.get_by_role("button", name="Import 2 people")
    expect(begin).to_be_visible()
    expect(page.get_by_role("table").last).to_contain_text("A spreadsheet shortened this number")
    assert "Nobody has this number." in demo.visitor().open("/people?q=900750")
    assert faults(page) == []
    begin.click()

    expect(page.locator("#live .pill")).to_have_text("Finished")
    expect(page.get_by_text("The uploaded file is deleted.")).to_be_visible()
    assert faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the refused rows as CSV").click()
    csv = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert "1.20256E+10;'=1+1;" in csv
    for phone in NEWCOMERS:
        assert f"{spaced(phone)}</a>" in demo.visitor().open(f"/people?q={phone[-7:]}")


def test_it_works_without_javascript_at_320_pixels(browser: Browser, demo: Demo, file: Path) -> None:
    context = browser.new_context(
        base_url=demo.desk, locale="en-GB", java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    context.add_cookies(session_of(demo.visitor()))
    page = context.new_page()
    page.goto("/imports/new")
    bring(page, file)
    say_what_it_is(page)
    page.get_by_label("Each is asked first").check()
    page.get_by_role("button", name="Check the file").click()

    state = page.locator("#live .pill")
    expect(state).to_be_visible()
    until(lambda: page.reload() is not None and state.inner_text() == "Checked, not started", "the check")
    assert overflow(page) == 0
    page.get_by_role("button", name="Discard this file").click()

    expect(page.get_by_text("The file is deleted. Nothing was imported.")).to_be_visible()
    context.close()


def bring(page: Page, file: Path) -> None:
    """Fill in the first form and send it."""
    page.get_by_label("Which list").select_option("City News")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("How the file is written").select_option("utf-8")
    page.get_by_role("button", name="Upload and look at the columns").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(file.name)
    expect(page.get_by_text("Zoë")).to_be_visible()


def say_what_it_is(page: Page) -> None:
    """Fill in the second form."""
    page.get_by_label("Phone", exact=True).select_option("Number or address")
    page.get_by_label("First name", exact=True).select_option("First name")
    page.get_by_label("Where and how they agreed").fill("Paper form 2, town fair")
    page.get_by_label("Day on which they agreed").fill("2026-05-01")
    page.get_by_label("The words they agreed to").fill("Yes, text me the news")
    page.get_by_label(re.compile("They are subscribed")).check()
