"""A feed in a real browser, without JavaScript: added, read, its newest taken, its news in the queue, and its fault."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.archive import until
from tests.browser.chromium import faults, overflow, session_of
from tests.browser.demo import Demo
from tests.support.feed_site import Page as FeedPage
from tests.support.feed_site import feed_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def shown(page: Page, words: str) -> None:
    """Load the page again until a worker has done its part."""

    def found() -> bool:
        page.reload()
        return words in page.locator("main").inner_text()

    until(found, words)


def read_now(page: Page) -> None:
    """Press the button and wait for its page: whoever loads another meanwhile takes the press back."""
    with page.expect_navigation():
        page.get_by_role("button", name="Read it now").click()


def test_a_feed_is_followed_from_its_first_reading_to_a_fault(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(
        base_url=demo.desk, locale="en-GB", java_script_enabled=False, viewport={"width": 320, "height": 640}
    )
    context.add_cookies(session_of(demo.visitor()))
    page = context.new_page()
    with feed_site() as site:
        site.show("Harbour closed", etag='"1"')
        demo.cli("feeds", "add", "CITY", site.url(), "--to", "draft", "--loopback")
        page.goto("/lists")
        page.get_by_role("link", name=re.compile("^Feeds – City News")).click()
        page.get_by_role("link", name=re.compile("127.0.0.1|City news")).last.click()
        shown(page, "was there when the feed was first read")

        page.get_by_role("button", name="Take the newest now").click()
        expect(page.locator("#text")).to_have_value(f"Harbour closed\n{site.url('/Harbour%20closed')}")
        page.go_back()
        site.show("Harbour open", "Harbour closed", etag='"2"')
        read_now(page)
        shown(page, "Harbour open")
        assert page.get_by_role("link", name="Draft").count() == 2
        assert overflow(page) == 0

        site.pages["/feed.xml"] = FeedPage(b"<rss><channel>\n<item>")
        read_now(page)
        shown(page, "Line 2, column 7: the XML is broken (no element found).")
    page.get_by_text("Remove this feed").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("is not read any more")).to_be_visible()
    context.close()


def test_the_form_for_a_feed_is_accessible_with_its_faults_named(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(base_url=demo.desk, locale="en-GB", reduced_motion="reduce")
    context.add_cookies(session_of(demo.visitor()))
    page = context.new_page()
    page.goto("/lists/1/feeds")
    page.get_by_label("Address").fill("http://127.0.0.1/feed")
    page.get_by_role("button", name="Add this feed").click()

    expect(page.locator("#errors")).to_contain_text("Write the address of a feed in full")
    assert faults(page) == []
    context.close()
