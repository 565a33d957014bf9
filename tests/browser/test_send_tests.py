"""A test of a draft: an editor proves a phone, presses the button, sees it delivered, and STOP ends it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import faults, overflow
from tests.browser.demo import Demo
from tests.browser.steps import Phone, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def test_a_draft_is_tried_out_on_a_phone_of_the_team_and_stop_ends_it(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    phones, desk = open_page(), open_page(signed_in=True)
    phones.goto(demo.phones)
    grace = Phone(phones, "Grace Bennett")

    desk.goto("/account/tests")
    desk.get_by_role("button", name="Add your own number or account").click()
    grace.type(desk.locator("code").inner_text())
    desk.get_by_role("link", name="Refresh").click()
    expect(desk.get_by_text("Tests go here.")).to_be_visible()
    assert (faults(desk), overflow(desk)) == ([], 0)

    desk.goto("/broadcasts")
    write(desk, "Pool", "The pool is open until ten.")
    desk.get_by_role("button", name="Save draft").last.click()
    tests = desk.get_by_role("region", name="Send a test")
    tests.get_by_role("button", name="Send the test").click()
    expect(tests.get_by_role("status")).to_contain_text(": Delivered", timeout=20_000)
    expect(grace.messages.last).to_contain_text("[Test] The pool is open until ten.")
    assert faults(desk) == []

    grace.type("STOP")
    expect(grace.messages.last).not_to_contain_text("[Test]")
    desk.reload()
    expect(tests.get_by_text("said STOP, or cannot be reached")).to_be_visible()
    tests.get_by_role("button", name="Send the test").click()
    expect(tests.get_by_role("listitem").first).to_contain_text("Skipped: said STOP")
