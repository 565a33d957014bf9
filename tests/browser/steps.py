"""What people do on the two sites, in their words: text from a phone, write, review, send, watch."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.demo import Demo

OF_A_THOUSAND = 60_000
"""Milliseconds in which a broadcast to the demo's thousand ends, also on a slow machine."""


class Phone:
    """One of the phones on the screen."""

    def __init__(self, page: Page, owner: str) -> None:
        self._box = page.get_by_role("article", name=owner)

    @property
    def messages(self) -> Locator:
        """What it received, oldest first."""
        return self._box.locator(".bubble.in")

    def type(self, text: str) -> None:
        """Type a text and send it."""
        before = self._box.locator(".bubble.out").count()
        self._box.get_by_role("textbox").fill(text)
        self._box.get_by_role("button", name="Send", exact=True).click()
        expect(self._box.locator(".bubble.out")).to_have_count(before + 1)

    def join(self) -> None:
        """Text START and wait for the welcome; written anew each time, for the same again and again is a loop."""
        said = self._box.locator(".bubble.out").count()
        self.type(f"START{'!' * (said % 7)}")
        expect(self.messages.last).to_contain_text("you asked for City News")


def sign_in(page: Page, demo: Demo) -> None:
    """Sign in by the form."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(demo.email)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Broadcasts")


def write(page: Page, title: str, text: str) -> None:
    """Fill in the form for a new broadcast, from the link on the first page."""
    page.get_by_role("button", name="Write a broadcast").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text", exact=True).fill(text)


def review_for_now(page: Page) -> int:
    """Go from the text to the review of a broadcast for now; return how many its button says."""
    page.get_by_role("button", name="Save and choose when").click()
    page.get_by_label("Now, as soon as you confirm").check()
    page.get_by_role("button", name="Go on to the review").click()
    return promised(page)


def promised(page: Page) -> int:
    """How many messages the button of the review says it will send."""
    button = page.get_by_role("button", name=re.compile(r"^Send [\d,]+ messages? now$"))
    expect(button).to_be_enabled()
    return int(re.sub(r"\D", "", button.inner_text()))


def send(page: Page) -> None:
    """Press the button of the review, and see the broadcast begin."""
    page.get_by_role("button", name=re.compile(r"^Send .* now$")).click()
    expect(page.get_by_role("region", name="Progress")).to_be_visible()


def see_it_end(page: Page) -> None:
    """Watch until everybody is reached and every receipt is there."""
    expect(page.locator("#live .pill")).to_have_text("Finished", timeout=OF_A_THOUSAND)
    expect(count_of(page, "sent")).to_have_text("0", timeout=OF_A_THOUSAND)


def count_of(page: Page, name: str) -> Locator:
    """One of the numbers under the bar, by its class: `delivered`, `skipped`, ..."""
    return page.locator(f".counts .{name} dd")


def number(page: Page, name: str) -> int:
    """The same as a number."""
    return int(re.sub(r"\D", "", count_of(page, name).inner_text()))
