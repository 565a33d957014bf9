"""The sheets of the reports fit on a desk's screen, on a phone and on paper, in both languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.archive import Archive
from tests.browser.chromium import faults, overflow
from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHEETS = ("broadcasts", "days", "lists", "channels", "growth", "hours", "costs")
PASSWORD = "correct horse battery staple nine"
CUT = "() => document.querySelector('.wide').scrollWidth - document.querySelector('.wide').clientWidth"


@pytest.mark.parametrize(("width", "paper"), [(1200, False), (900, False), (360, False), (703, True)])
def test_no_figure_of_a_sheet_is_cut_off(
    open_page: Callable[..., Page], archive: Archive, width: int, paper: bool
) -> None:
    desk = open_page(signed_in=True, viewport={"width": width, "height": 800})
    if paper:
        desk.emulate_media(media="print")
    for name in SHEETS:
        desk.goto(f"/reports?sheet={name}&days=7")

        assert desk.evaluate(CUT) <= 0, name
        assert overflow(desk) == 0, name
    assert faults(desk) == []


def test_nor_is_it_in_german_where_words_are_long(
    open_page: Callable[..., Page], demo: Demo, archive: Archive
) -> None:
    demo.cli(
        "users", "create", "jette@example.org", "--name", "Jette", "--password-stdin", given=f"{PASSWORD}\n"
    )
    desk = open_page()
    desk.goto("/sign-in")
    desk.get_by_role("button", name="Deutsch").click()
    desk.get_by_label("E-Mail").fill("jette@example.org")
    desk.get_by_label("Passwort", exact=True).fill(PASSWORD)
    desk.get_by_role("button", name="Anmelden").click()
    for name in SHEETS:
        desk.goto(f"/reports?sheet={name}&days=7")

        expect(desk.get_by_role("heading", level=1)).to_contain_text("Berichte")
        assert desk.evaluate(CUT) <= 0, name
