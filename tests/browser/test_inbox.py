"""The inbox in a real browser, on a page of somebody else's origin with a strict policy of its own."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.archive import until
from tests.browser.chromium import NARROW, Complaints, faults, overflow
from tests.browser.demo import Demo
from tests.support.other_site import other_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

POLICY = "default-src 'none'; img-src data:; script-src {desk}; connect-src {desk}"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def demo(readers_demo: Demo) -> Demo:
    return readers_demo


@dataclass
class Site:
    """A page of a site, and the list whose inbox is on it."""

    url: str
    name: str
    word: str


@pytest.fixture(params=["en"])
def site(request: pytest.FixtureRequest, demo: Demo) -> Iterator[Site]:
    """A site, a sender that names it, and a list of its own that nobody else is on."""
    number = next(_numbers)
    name, word = f"Harbour {number}", f"HARBOUR{number}"
    tag = f'<script src="{demo.desk}/inbox.js" data-list="{word}" async></script>'
    with other_site(tag, request.param, POLICY.format(desk=demo.desk)) as url:
        sender = f"site-{number}"
        demo.cli("senders", "add", sender, "--gateway", "inapp", "--set", f"origins={url.rstrip('/')}")
        demo.cli(
            "lists", "create", name, "--keyword", word, "--sender", sender, "--zone", "UTC",
            "--max-per-day", "20", "--from-hour", "0", "--until-hour", "24",
            "--purpose", "the news of the harbour", "--language", request.param,
        )  # fmt: skip
        demo.cli("lists", "any-hour", name, "--reason", "a test may run at night")
        yield Site(url, name, word)


def broadcast(demo: Demo, site: Site, text: str) -> str:
    """Send to the list at once; returns the number of the broadcast."""
    made = demo.cli("broadcasts", "create", "--title", "Harbour", "--text", text, "--list", site.word)
    demo.cli("broadcasts", "schedule", str(made["id"]))
    return str(made["id"])


def test_a_reader_agrees_reads_and_leaves_on_the_sites_own_page(
    open_page: Callable[..., Page], demo: Demo, site: Site
) -> None:
    page = open_page()
    page.goto(site.url)
    assert page.evaluate("localStorage.length") == 0
    page.get_by_role("button", name=f"Yes, show me {site.name} here").click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    expect(page.get_by_text(f"you asked for {site.name}")).to_be_visible()

    sent = broadcast(demo, site, "The ferry is late. See https://example.org/ferry.")
    until(lambda: tally(demo, sent)["sent"] == 1, "the message to be stored")
    page.reload()

    news = page.get_by_role("listitem").filter(has_text="The ferry is late.")
    expect(news.get_by_role("link")).to_have_attribute("href", "https://example.org/ferry")
    news.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_role("status")).to_have_text("Marked as read.")
    expect(news.get_by_role("button")).to_have_count(0)
    until(lambda: tally(demo, sent)["delivered"] == 1, "the receipt")

    page.get_by_role("button", name=f"Stop {site.name}").click()
    expect(page.get_by_role("status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name=f"Yes, show me {site.name} here")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=re.compile("START"))).to_be_visible()
    assert page.context.cookies() == []


def tally(demo: Demo, number: str) -> dict[str, int]:
    found: dict[str, int] = demo.cli("broadcasts", "status", number)["tally"]
    return found


@pytest.mark.parametrize("site", ["en", "de"], indirect=True)
def test_the_inbox_is_accessible_before_and_after(
    open_page: Callable[..., Page], demo: Demo, site: Site
) -> None:
    page = open_page(viewport=NARROW)
    page.goto(site.url)
    button = page.locator(".tidings-inbox").get_by_role("button")
    expect(button).to_be_visible()
    found = faults(page)

    button.click()
    expect(page.get_by_role("listitem")).to_be_visible()
    found += faults(page)

    assert found == []
    assert overflow(page) == 0


def test_a_site_that_the_sender_does_not_name_shows_nothing(
    open_page: Callable[..., Page], complaints: Complaints, demo: Demo, site: Site
) -> None:
    page = open_page()
    tag = f'<script src="{demo.desk}/inbox.js" data-list="{site.word}"></script>'
    with other_site(tag) as elsewhere:
        page.goto(elsewhere)
        until(lambda: page.wait_for_timeout(50) is None and told(complaints), "the reason in the console")

    expect(page.locator(".tidings-inbox")).to_have_count(0)
    complaints.said.clear()


def told(complaints: Complaints) -> bool:
    return any("sender of this list does not name the origin" in one for one in complaints.said)
