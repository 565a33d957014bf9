"""Parts that renew themselves: at work, failed with a way to try again, or old, they say so."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.archive import is_sending, until
from tests.browser.chromium import Complaints, faults
from tests.browser.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MEASURE = re.compile("/broadcasts/measure$")
NUMBER = "0123456789abcdef"


def broken(route: Route) -> None:
    route.fulfill(status=500, headers={"X-Request-Id": NUMBER}, body="Something broke")


def gone(route: Route) -> None:
    route.abort("connectionrefused")


def slow(route: Route) -> None:
    time.sleep(1.2)
    route.continue_()


@pytest.mark.parametrize(("answer", "number"), [(broken, NUMBER), (gone, "")])
def test_a_part_that_failed_says_so_with_a_way_to_try_again_and_keeps_what_was_written(
    answer: Callable[[Route], None], number: str, open_page: Callable[..., Page], complaints: Complaints
) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts/new")
    text, line = page.get_by_label("Text", exact=True), page.locator(".part-failed")
    complaints.leave(page)  # the browser tells of each answer that failed
    page.route(MEASURE, answer)

    text.fill("The pool")
    expect(line).to_contain_text("This part could not be renewed; what you wrote is still here.")
    assert line.locator("code").inner_text() == number if number else line.locator("code").is_hidden()
    text.press_sequentially(" is open.")
    page.wait_for_timeout(600)
    expect(line).to_have_count(1)
    expect(text).to_be_focused()
    assert faults(page) == []

    page.unroute(MEASURE)
    line.get_by_role("button", name="Renew it now").click()
    expect(line).to_have_count(0)
    expect(page.locator("#counter")).to_contain_text("17 of 160")
    expect(page.locator("#counter")).to_be_focused()
    complaints.listen(page)


def test_a_part_is_busy_only_when_it_takes_long(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts/new")
    counter, text = page.locator("#counter"), page.get_by_label("Text", exact=True)
    page.evaluate(
        """() => { window.busy = 0; new MutationObserver(() => {
          if (document.querySelector("#counter[aria-busy]")) window.busy += 1;
        }).observe(document.body, { attributes: true, subtree: true }); }"""
    )

    with page.expect_response(MEASURE):
        text.fill("Quick")
    expect(counter).to_contain_text("5 of 160")
    quick = page.evaluate("window.busy")
    page.route(MEASURE, slow)
    text.fill("Slow and steady")
    expect(counter).to_have_attribute("aria-busy", "true")
    expect(counter).to_contain_text("15 of 160")

    expect(counter).not_to_have_attribute("aria-busy", "true")
    assert quick == 0


def test_numbers_of_a_broadcast_say_how_old_they_are_while_the_server_is_away(
    open_page: Callable[..., Page], demo: Demo, complaints: Complaints
) -> None:
    editor = demo.visitor()
    path = editor.send("Away", "Riverside News: the line is down. Reply STOP to leave.")
    until(lambda: is_sending(editor, path), "the broadcast to begin")
    page = open_page(signed_in=True)
    live = re.compile(f"{path}/live")
    page.goto(path)
    complaints.leave(page)

    page.route(live, gone)
    stale = page.locator("#live .stale")
    expect(stale).to_be_visible()
    expect(stale).to_have_text(re.compile(r"These numbers are from .*\d\d:\d\d.*; trying again\."))
    page.unroute(live)
    expect(stale).to_be_hidden()
    page.route(live, broken)
    expect(page.locator(".part-failed code")).to_have_text(NUMBER)
    page.unroute(live)
    expect(page.locator(".part-failed")).to_have_count(0)

    complaints.listen(page)
    editor.submit(f"{path}/stop", "/stop")
