"""Takes the pictures of the documentation: `python -m tests.browser.screenshots` writes docs/images.

Starts a demo, plays a morning in a newsroom, and photographs each page wide and narrow, light and dark; with names of
scenes behind it, such as `desk-review desk-held`, only those.
"""

import re
import sys
from collections.abc import Callable, Collection
from datetime import date, timedelta
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.demo.chats import ADDRESSES
from app.demo.story import PHONE
from tests.browser import archive
from tests.browser.chromium import PATIENCE, launch_options, session_of
from tests.browser.demo import Demo, Editor, running_demo
from tests.browser.more_scenes import photograph_the_rest
from tests.browser.pictures import FOLDER, SCENES, SCHEMES, WIDE_ONLY, WIDTHS, file_name, widths_of

LOWEST, HIGHEST = 560, 1080
"""Height of a picture in pixels; what is longer is cut, as on a screen."""
CRAWL, BRISK = 4, 60
"""Messages a second: hardly moving, so that all four pictures show the same; and at a pace to get there."""

LAST_TEXT = "The library is open until ten."


class Photographer:
    """Takes each scene in its four looks."""

    def __init__(
        self, browser: Browser, demo: Demo, editor: Editor, folder: Path, only: Collection[str]
    ) -> None:
        self._folder, self._only = folder, only
        self.context = browser.new_context(base_url=demo.desk, locale="en-GB", reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE)
        self._page = self.context.new_page()
        self._editor = editor

    def sign_in(self) -> None:
        self.context.add_cookies(session_of(self._editor))

    def take(
        self,
        scene: str,
        path: str,
        prepare: Callable[[Page], None] = lambda page: None,
        highest: int = HIGHEST,
    ) -> None:
        """Open `path`, let `prepare` bring it into position, and photograph the top of it, as far as a screen goes.

        `highest` is less for a page so full of words that its picture would be too heavy.
        """
        if scene not in self._only:
            return
        for width, scheme in product(widths_of(scene), SCHEMES):
            self._page.set_viewport_size({"width": WIDTHS[width], "height": LOWEST})
            self._page.emulate_media(color_scheme=SCHEMES[scheme])
            self._page.goto(path)
            prepare(self._page)
            height = min(self._page.evaluate("() => document.scrollingElement.scrollHeight"), highest)
            self._page.set_viewport_size({"width": WIDTHS[width], "height": height})
            self._page.screenshot(path=self._folder / file_name(scene, width, scheme))
        sys.stdout.write(f"{scene}\n")


def main(only: Collection[str], folder: Path = FOLDER) -> None:
    """Write the pictures of the scenes `only` to `folder`; of none named, all."""
    folder.mkdir(parents=True, exist_ok=True)
    options = launch_options()
    if options is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium fonts-noto-color-emoji")
    expect.set_options(timeout=PATIENCE)
    with running_demo() as demo, sync_playwright() as driver:
        browser = driver.chromium.launch(**options)
        editor = demo.visitor()
        camera = Photographer(browser, demo, editor, folder, only or (*SCENES, *WIDE_ONLY))
        camera.take("sign-in", "/sign-in")
        camera.sign_in()
        photograph_the_morning(camera, demo, editor)
        browser.close()


def photograph_the_morning(camera: Photographer, demo: Demo, editor: Editor) -> None:
    """Play the morning in its order: letters come, a broadcast is written, goes out, and is looked at."""
    demo.pace(BRISK)
    earlier = editor.send(
        "School holidays: what is open", "Pools and libraries keep their usual hours next week."
    )
    archive.until(lambda: archive.is_finished(editor, earlier), "the earlier broadcast to end")
    archive.receive_texts(demo)
    archive.waiting_of(editor)
    headline = archive.draft_of(editor)
    camera.take("desk-inbox", "/inbox")
    camera.take("desk-lists", "/lists")
    camera.take("desk-poster", "/lists/1/poster")
    camera.take("sign-up", "/join/city")
    camera.take("desk-feed", archive.feed_of(demo, editor))
    camera.take("desk-ticker", archive.ticker_of(demo, editor))
    camera.take("desk-rehearsal", archive.rehearsed_of(editor))
    archive.fill_board(editor)
    camera.take("desk-today", "/board/1")
    camera.take("desk-notice", "/lists/1/notice")
    archive.save_texts(editor)
    archive.write_again(editor, headline)
    camera.take("desk-texts", "/texts")
    camera.take("desk-versions", f"{headline}/versions")
    camera.take("desk-compose", f"{headline}/edit")
    camera.take("desk-buttons", f"{archive.question_of(editor)}/edit", _buttons_in_view)
    camera.take("desk-styles", f"{archive.styled_of(editor)}/edit", _on_telegram)
    camera.take("desk-media", f"{archive.picture_of(editor)}/edit", _file_in_view, highest=760)
    camera.take(
        "desk-when", f"{headline}/when?choice=at&day={archive.tomorrow()}&hour=07:30&zone=Europe/Berlin"
    )
    camera.take(
        "desk-local", f"{headline}/when?choice=local&day={archive.tomorrow()}&hour=09:00&zone=Europe/Berlin"
    )
    photograph_what_repeats(camera, editor, headline)
    camera.take("desk-segment", archive.segment_of(editor, earlier))
    camera.take("desk-review", f"{headline}/review?choice=now&zone=Europe/Berlin")
    photograph_the_rest(camera, demo, editor, headline)
    editor.confirm(headline, choice="now")
    _slow_down_half_way(demo, editor, headline)
    _some_leave_meanwhile(demo)
    camera.take("desk-progress", headline)
    camera.take("desk-broadcasts", "/broadcasts?tab=sending")
    _to_the_end(demo, editor, headline)
    photograph_what_came_of_it(camera, demo, editor, headline)


def photograph_what_repeats(camera: Photographer, editor: Editor, draft: str) -> None:
    """The question with a rule in it, a rule with a date left out, and the month with all that goes out."""
    camera.take(
        "desk-repeat",
        f"{draft}/when?choice=repeat&day=2027-03-27&hour=02:30&zone=Europe/Berlin&every=day&interval=1&times=30",
        lambda page: page.get_by_role("group", name="How it repeats").scroll_into_view_if_needed(),
    )
    camera.take("desk-rule", archive.rule_of(editor))
    # Next month, for this one may be almost over.
    next_month = date.fromisoformat(archive.tomorrow()).replace(day=1) + timedelta(days=31)
    camera.take("desk-calendar", f"/calendar?day={next_month}")


def photograph_what_came_of_it(camera: Photographer, demo: Demo, editor: Editor, headline: str) -> None:
    """The report, the people, and their phones."""
    demo.text(archive.JONAS, "STADT")
    _one_phone_on_four_channels(demo, editor)
    camera.take("demo-phones", demo.phones, _last_messages)
    demo.text(PHONE, "STOP")
    camera.take("desk-report", f"{headline}/report")
    camera.take("desk-correct", f"{headline}/correct")
    correction = archive.correction_of(editor, headline)
    camera.take("desk-correction", f"{correction}/review?choice=now&zone=Europe/Berlin")
    camera.take("desk-people", "/people?q=0143")
    person = archive.person_of(editor, PHONE)
    camera.take("desk-person", person)
    camera.take("desk-import", archive.import_of(editor))
    camera.take("desk-erase", f"{person}/erase")
    camera.take("desk-retention", "/retention", highest=860)
    camera.take("desk-clicks", "/lists/1/clicks")
    camera.take("desk-list", "/lists/1")  # now, when the clock has counted who came
    camera.take("desk-reports", "/reports?sheet=broadcasts&days=7")
    camera.take("desk-health", "/health-page", highest=900)
    camera.take("desk-audit", "/audit", highest=860)


def _slow_down_half_way(demo: Demo, editor: Editor, path: str) -> None:
    archive.until(lambda: _handed_over(editor, path) > 350, "a third to be handed over")
    _change_pace(demo, editor, path, CRAWL)
    archive.until(lambda: archive.is_sending(editor, path), "the broadcast to go on")


def _some_leave_meanwhile(demo: Demo) -> None:
    for phone in archive.LATE_READERS[:3]:
        demo.text(phone, "STOP")
    for phone in archive.LATE_READERS[3:]:
        demo.block(phone)


def _to_the_end(demo: Demo, editor: Editor, path: str) -> None:
    _change_pace(demo, editor, path, BRISK)
    archive.until(lambda: archive.is_finished(editor, path), "the broadcast to end")


def _change_pace(demo: Demo, editor: Editor, path: str, rate: int) -> None:
    """A worker at work keeps its pace for a while; after a pause it asks for it again."""
    editor.submit(path, "/pause")
    demo.pace(rate)
    editor.submit(path, "/resume")


def _handed_over(editor: Editor, path: str) -> int:
    found = re.search(r"([\d,]+) of [\d,]+ handed over", editor.open(path))
    return int(found.group(1).replace(",", "")) if found else 0


def _one_phone_on_four_channels(demo: Demo, editor: Editor) -> None:
    """Ada joins on each messenger too; a short broadcast, so that all four copies are in view on her phone."""
    for to in ADDRESSES:
        demo.text(PHONE, "START", to)
    editor.send("Library", LAST_TEXT)
    archive.until(lambda: LAST_TEXT in demo.heard(PHONE), "the last broadcast to come by SMS")


def _buttons_in_view(page: Page) -> None:
    page.locator("details.rich").first.evaluate("one => one.scrollIntoView()")


def _on_telegram(page: Page) -> None:
    page.get_by_role("radio", name="Telegram").check()


def _file_in_view(page: Page) -> None:
    page.get_by_role("group", name="With the message").evaluate(
        "one => one.closest('details').scrollIntoView()"
    )


def _last_messages(page: Page) -> None:
    expect(page.locator("#phone-ada .bubble.in", has_text=LAST_TEXT)).to_have_count(1 + len(ADDRESSES))
    expect(page.locator(".bubble.in", has_text="bridge opens again").first).to_be_visible()
    expect(page.locator("#phone-jonas .bubble.in")).to_have_count(1)


if __name__ == "__main__":
    main(sys.argv[1:])
