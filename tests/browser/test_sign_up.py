"""Sign up on the web in a real browser: the form, the question on the phone, the link in it, the welcome."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.archive import until
from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SIGNS_UP = "+12025550179"


def test_who_signs_up_on_the_web_is_asked_on_the_phone_and_subscribed_by_the_link(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    page = open_page()
    page.goto(f"{demo.desk}/join/city")
    page.get_by_label("Mobile number").fill(SIGNS_UP)
    page.get_by_label("Yes, City Desk may send me City News").check()
    page.get_by_role("button", name="Send me the question").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look at your phone")
    until(lambda: len(demo.heard(SIGNS_UP)) == 1, "the question to arrive")
    link = re.search(r"http\S+/confirm/\w+", demo.heard(SIGNS_UP)[0])
    assert link is not None

    page.goto(link.group())
    page.get_by_role("button", name="Yes, subscribe me").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    until(lambda: len(demo.heard(SIGNS_UP)) == 2, "the welcome to arrive")
    assert "you asked for City News" in demo.heard(SIGNS_UP)[0]
