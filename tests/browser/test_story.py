"""The whole promise in a real browser: join, write, send, watch, receive, say STOP, look it up, report."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo.story import PHONE
from tests.browser.archive import Archive
from tests.browser.demo import Demo
from tests.browser.steps import Phone, count_of, number, review_for_now, see_it_end, send, sign_in, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def phones(open_page: Callable[..., Page], demo: Demo) -> Page:
    page = open_page()
    page.goto(demo.phones)
    return page


def test_two_join_a_broadcast_goes_out_and_whoever_says_stop_meanwhile_gets_nothing_more(
    phones: Page, open_page: Callable[..., Page], demo: Demo
) -> None:
    ada, grace = Phone(phones, "Ada Okafor"), Phone(phones, "Grace Bennett")
    ada.join()
    grace.join()
    desk = open_page()
    sign_in(desk, demo)
    write(desk, "Pool", "The pool is open until ten.")
    announced = review_for_now(desk)
    send(desk)
    expect(count_of(desk, "waiting")).not_to_have_text("0")

    ada.type("STOP")
    expect(ada.messages.last).to_contain_text("you are unsubscribed")
    heard = demo.heard(PHONE)
    see_it_end(desk)

    # Of those announced, Ada alone drops out. Who was left out at the review is skipped too, and was not announced.
    assert number(desk, "skipped") >= 1
    assert number(desk, "delivered") + number(desk, "failed") == announced - 1 >= 1001
    expect(grace.messages.last).to_contain_text("The pool is open until ten.")
    desk.goto(demo.visitor().send("Library", "The library opens on Monday."))
    see_it_end(desk)
    expect(grace.messages.last).to_contain_text("The library opens on Monday.")
    assert demo.heard(PHONE) == heard
    assert [words for words in heard if "pool" in words] == []


def test_counter_and_preview_follow_the_typing(open_page: Callable[..., Page]) -> None:
    desk = open_page(signed_in=True)
    desk.goto("/broadcasts/new")
    text, counter = desk.get_by_label("Text", exact=True), desk.locator("#counter")
    preview = desk.get_by_role("region", name="Preview on a phone")

    text.press_sequentially("Good morning ")
    expect(counter).to_contain_text("12 of 160")
    desk.get_by_role("button", name="First name").click()
    expect(text).to_have_value("Good morning {{first_name|friend}}")
    expect(preview).to_contain_text("Good morning Alexandra")
    desk.get_by_label("whose name we do not know").check()
    expect(preview).to_contain_text("Good morning friend")
    text.press_sequentially(" – “" + 10 * "all is open ")

    expect(counter).to_contain_text("UCS-2")
    expect(counter).to_contain_text("3 parts")
    expect(preview).to_contain_text("part 1 ends here")


def test_a_persons_page_tells_what_they_agreed_to_in_which_words(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    demo.text(PHONE, "START")
    demo.text(PHONE, "STOP")
    desk = open_page(signed_in=True)
    desk.goto("/people")

    desk.get_by_label("Number, or its last four digits").fill("+1 202 555 0143")
    desk.get_by_role("button", name="Search").click()
    desk.get_by_role("link", name=re.compile(r"555.?0143")).first.click()

    timeline = desk.locator(".timeline")
    expect(timeline.get_by_text("STOP", exact=True).first).to_be_visible()
    expect(timeline.get_by_text("START", exact=True).first).to_be_visible()
    agreed = timeline.locator("li.consent", has_text="Words shown, version 1").first
    agreed.get_by_text("Evidence").click()
    expect(agreed.get_by_role("blockquote")).to_be_visible()
    expect(agreed.locator("code").first).to_have_text(re.compile("^[0-9a-f]{64}$"))


def test_the_report_has_a_row_for_each_person_and_comes_as_csv(
    open_page: Callable[..., Page], archive: Archive, tmp_path: Path
) -> None:
    desk = open_page(signed_in=True)
    desk.goto(archive.sent)
    desk.get_by_role("button", name="Report").click()
    expect(desk.get_by_role("row")).to_have_count(51)  # fifty people, and the heads of the columns
    audience = desk.locator(".counts div", has_text="Audience").locator("dd").inner_text()

    with desk.expect_download() as download:
        desk.get_by_role("button", name="Download all rows as CSV").click()
    file = tmp_path / "report.csv"
    download.value.save_as(file)

    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert len(rows) == int(re.sub(r"\D", "", audience)) >= 1000


def test_everything_from_text_to_report_works_without_javascript(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    desk = open_page(java_script_enabled=False)
    sign_in(desk, demo)

    write(desk, "Bus 11", "Bus 11 runs again, ")
    desk.get_by_role("button", name="First name").click()
    expect(desk.get_by_label("Text", exact=True)).to_have_value("Bus 11 runs again, {{first_name|friend}}")
    expect(desk.get_by_role("region", name="Preview on a phone")).to_contain_text("again, Alexandra")
    announced = review_for_now(desk)
    send(desk)
    while not desk.locator(".counts").count() or number(desk, "delivered") == 0:
        desk.reload()
    desk.get_by_role("button", name="Stop …").click()
    desk.get_by_role("button", name="Stop for good").click()
    expect(desk.locator("#live .pill")).to_have_text("Stopped for good")
    desk.get_by_role("button", name="Report").click()

    expect(desk.get_by_role("heading", level=1)).to_have_text("Report: Bus 11")
    everybody = ("delivered", "sent", "failed", "unknown", "skipped", "waiting")
    assert sum(number(desk, name) for name in everybody) >= announced
