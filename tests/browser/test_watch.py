"""Watch a broadcast on its page, then read its report: who read it, what it rests on, and its files."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.demo.chats import WHATSAPP
from tests.browser.demo import Demo
from tests.browser.steps import count_of, number, see_it_end

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

READER = "+447700900298"
"""Reads on WhatsApp whatever comes, and lets us know."""
TITLE = "Late trams on Saturday"


def test_a_broadcast_is_watched_to_its_end_and_its_report_read_and_taken_along(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    demo.text(READER, "START", WHATSAPP)
    path = demo.visitor().send(TITLE, "Trams run until two on Saturday night.")
    desk = open_page(signed_in=True)
    desk.goto(path)
    see_it_end(desk)

    desk.locator("#count-delivered").click()
    expect(desk.locator("#count-delivered")).to_have_attribute("aria-current", "true")
    delivered = number(desk, "delivered")
    desk.locator("#to-report").click()

    expect(desk.get_by_role("heading", level=1)).to_have_text(f"Report: {TITLE}")
    assert number(desk, "delivered") == delivered
    read = desk.locator(".counts div").filter(has_text="Read, where the platform tells").locator("dd")
    expect(read).to_have_text("1")
    expect(desk.locator("code.hash")).to_have_text(re.compile(r"^[0-9a-f]{64}$"))
    expect(desk.get_by_text(f"tidings broadcasts prove {path.rpartition('/')[2]}")).to_be_visible()
    with desk.expect_download() as file:
        desk.get_by_role("button", name="Download all rows as CSV").click()
    lines = file.value.path().read_text("utf-8").splitlines()
    assert len(lines) == 1 + number(desk, "delivered") + number(desk, "failed") + number(desk, "skipped")

    desk.goto("/reports?sheet=channels&days=7")
    with desk.expect_download() as file:
        desk.get_by_role("button", name="All rows as CSV").click()
    assert "whatsapp" in file.value.path().read_text("utf-8-sig")


def test_the_report_on_paper_leaves_out_what_only_a_screen_can_use(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    path = demo.visitor().send("Market hall", "The market hall opens at six.")
    desk = open_page(signed_in=True)
    desk.goto(path)
    expect(count_of(desk, "delivered")).not_to_have_text("0")
    desk.goto(f"{path}/report")

    desk.emulate_media(media="print")

    expect(desk.locator(".counts .delivered")).to_be_visible()
    expect(desk.locator("code.hash")).to_be_visible()
    for hidden in (".top", ".tabs", "[role=button]", ".back"):
        expect(desk.locator(f"main {hidden}, body > {hidden}").first).to_be_hidden()
