"""A second person's yes: asked for by one, read and given by another outside the promised hours, then scheduled."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from app.demo.seed import SENDER
from tests.browser.chromium import faults, overflow, session_of
from tests.browser.demo import Demo, Editor
from tests.browser.steps import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SECOND = ("second@example.org", "another four random words")


@pytest.fixture
def council(demo: Demo) -> Iterator[int]:
    """A list that asks for a second person, and promised nothing for the present hour; yields its first hour in UTC."""
    hour = (datetime.now(UTC).hour + 6) % 23
    demo.cli(
        "lists", "create", "Council", "--keyword", "COUNCIL", "--purpose", "What the council decided",
        "--sender", SENDER, "--from-hour", str(hour), "--until-hour", str(hour + 1), "--any-hour", "A test.",
    )  # fmt: skip
    demo.cli("lists", "approval", "Council", "on")
    demo.cli("users", "create", SECOND[0], "--name", "Second Person", "--password-stdin", given=SECOND[1])
    yield hour
    demo.cli("users", "disable", SECOND[0])
    demo.cli("lists", "archive", "Council")


def fits(page: Page) -> None:
    """Axe finds nothing, and the page does not move sideways at 320 px."""
    assert faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0
    page.set_viewport_size({"width": 1200, "height": 800})


def choose(page: Page, hour: int) -> None:
    """From When to the review, for the hour that the list promised of a day at which nobody has had too much."""
    expect(page.get_by_label("Time zone")).to_be_hidden()
    page.get_by_label("At a time", exact=True).check()
    page.get_by_label("Day", exact=True).fill((datetime.now(UTC) + timedelta(days=3)).date().isoformat())
    page.get_by_label("Time", exact=True).fill(f"{hour:02}:30")
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_role("button", name="Go on to the review").click()


def test_a_second_person_says_yes_in_the_evening_and_the_first_schedules(
    open_page: Callable[..., Page], demo: Demo, council: int
) -> None:
    writer = open_page(signed_in=True)
    writer.goto("/broadcasts")
    write(writer, "Budget", "Riverside News: the budget is decided. Reply STOP to leave.")
    writer.get_by_label("Council").check()
    writer.get_by_role("button", name="Save and choose when").click()
    choose(writer, council)
    button = writer.get_by_role("button", name=re.compile(r"^Schedule "))
    expect(button).to_be_disabled()
    writer.get_by_role("button", name="Ask for approval").click()
    expect(writer.locator("#approval")).to_contain_text("asks for a yes, since")

    second = open_page()
    second.context.add_cookies(session_of(Editor(demo.desk, *SECOND)))
    second.goto("/broadcasts?tab=drafts")
    second.get_by_role("link", name=re.compile("^Read and approve.*Budget$")).click()
    expect(second.get_by_text("It can be approved all the same")).to_be_visible()
    fits(second)
    second.get_by_role("button", name="Approve").click()
    expect(second.locator("#approval")).to_contain_text("Second Person said yes")
    fits(second)

    writer.reload()
    expect(button).to_be_enabled()
    button.click()
    expect(writer.get_by_text(re.compile(r"^Scheduled for "))).to_be_visible()
    demo.cli("broadcasts", "cancel", re.sub(r".*/broadcasts/(\d+).*", r"\1", writer.url))
