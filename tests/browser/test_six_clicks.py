"""From sign-in to a scheduled broadcast: how often an editor presses, and how many pages they see."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MOST_CLICKS = 6
# Far enough for nobody to have had the messages of that day.
LATER = datetime.now(UTC).date() + timedelta(days=3)
PAGES = [
    "/sign-in",
    "/broadcasts",
    "/broadcasts/new",
    "/broadcasts/N/when",
    "/broadcasts/N/review",
    "/broadcasts/N",
]


@dataclass
class Effort:
    """What the browser itself saw: each press of a button of the mouse, and each page that was shown."""

    presses: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.expose_function("pressed", self._pressed)
        page.add_init_script(
            "addEventListener('pointerdown', e => pressed(e.target.textContent.trim()), true)"
        )
        page.on("framenavigated", self._shown)

    def _pressed(self, what: str) -> None:
        self.presses.append(what)

    def _shown(self, frame: Frame) -> None:
        path = re.sub(r"/\d+", "/N", re.sub(r"^https?://[^/]+|\?.*", "", frame.url))
        if frame.parent_frame is None:
            self.pages.append(path)


@pytest.fixture
def taken_off(demo: Demo) -> Iterator[list[str]]:
    """Addresses of broadcasts that wait, which are stopped when the test is over."""
    paths: list[str] = []
    yield paths
    for path in paths:
        demo.cli("broadcasts", "cancel", re.sub(r".*/broadcasts/(\d+).*", r"\1", path))


def test_a_broadcast_is_scheduled_in_six_clicks_and_one_page_of_typing(
    open_page: Callable[..., Page], demo: Demo, taken_off: list[str]
) -> None:
    page, effort = open_page(), Effort()
    effort.watch(page)
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(demo.email)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("button", name="Write a broadcast").click()
    page.get_by_label("Title").fill("Night bus")
    page.get_by_label("Text", exact=True).fill(
        "Riverside News: the night bus runs again. Reply STOP to leave."
    )
    page.get_by_role("button", name="Save and choose when").click()

    page.get_by_label("At a time", exact=True).check()
    page.get_by_label("Day", exact=True).fill(LATER.isoformat())
    page.get_by_label("Time", exact=True).fill("11:00")
    page.get_by_role("button", name="Go on to the review").click()
    page.get_by_role("button", name=re.compile(r"^Schedule [\d,]+ messages? for ")).click()

    expect(page.get_by_text(re.compile(r"^Scheduled for .*, 11:00"))).to_be_visible()
    taken_off.append(page.url)
    assert len(effort.presses) <= MOST_CLICKS, effort.presses
    assert effort.presses, "no press was seen at all"
    assert effort.pages == PAGES
