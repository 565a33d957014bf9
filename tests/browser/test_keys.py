"""The keys of the desk: a dialog that lists them, ways to pages, save and go on; at rest while one types."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Complaints, faults, overflow, session_of
from tests.browser.demo import Demo, Editor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

EMAIL, PASSWORD = "keys@example.org", "four words for keys"


@pytest.fixture
def typist(demo: Demo) -> Iterator[Editor]:
    """An editor with an account of their own."""
    demo.cli("users", "create", EMAIL, "--name", "Theo Typist", "--password-stdin", given=PASSWORD)
    yield Editor(demo.desk, EMAIL, PASSWORD)
    demo.cli("users", "disable", EMAIL)


def test_a_question_mark_lists_the_keys_and_escape_leads_back(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts")
    here = page.get_by_role("button", name="Write a broadcast")
    here.focus()
    dialog = page.get_by_role("dialog", name="Keyboard")

    page.keyboard.press("?")

    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("Save what is being written")).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/broadcasts$"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(here).to_be_focused()


def test_the_way_out_of_the_dialog_stays_in_view(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True, viewport={"width": 360, "height": 500})
    page.goto("/broadcasts")
    dialog = page.get_by_role("dialog", name="Keyboard")
    page.keyboard.press("?")
    close = dialog.get_by_role("button", name="Close")

    expect(close).to_be_focused()
    dialog.get_by_role("link", name="Turn the keys off").scroll_into_view_if_needed()
    expect(close).to_be_in_viewport()
    close.click()

    expect(dialog).to_be_hidden()


@pytest.mark.parametrize(
    ("letter", "heading"),
    [
        ("b", "Broadcasts"),
        ("l", "Lists"),
        ("p", "People"),
        ("i", "Inbox"),
        ("r", re.compile("^Reports")),
    ],
)
def test_g_and_a_letter_go_to_a_page(
    letter: str, heading: str | re.Pattern[str], open_page: Callable[..., Page]
) -> None:
    page = open_page(signed_in=True)
    page.goto("/account")

    page.keyboard.press("g")
    page.keyboard.press(letter)

    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_a_slash_puts_the_cursor_into_the_search_from_any_page(open_page: Callable[..., Page]) -> None:
    page = open_page(signed_in=True)
    page.goto("/lists")

    page.keyboard.press("/")

    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("?/gb0143")
    expect(field).to_have_value("?/gb0143")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_control_s_saves_while_typing_and_control_enter_goes_to_the_review_and_no_further(
    open_page: Callable[..., Page],
) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts/new")
    expect(page.locator("kbd", has_text="Ctrl+S").first).to_be_visible()
    page.get_by_label("Title").fill("Keys")
    text = page.get_by_label("Text", exact=True)
    text.press_sequentially("Riverside News: g b ? / is text. Reply STOP to leave.")

    page.keyboard.press("Control+s")
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    text.focus()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("When shall it go?")
    page.keyboard.press("Control+Enter")
    send = page.get_by_role("button", name=re.compile(r"^Send .* now$"))
    expect(send).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(500)

    expect(send).to_be_visible()


def test_keys_that_are_off_stay_off_and_the_page_still_lists_them(
    open_page: Callable[..., Page], typist: Editor
) -> None:
    page = open_page()
    page.context.add_cookies(session_of(typist))
    page.goto("/account")
    page.get_by_role("link", name="Keys: see them, turn them on or off").click()
    page.get_by_role("button", name="Turn the keys off").click()
    expect(page.get_by_text("The keys are off.", exact=True)).to_be_visible()
    assert faults(page) == []

    page.goto("/lists")
    for key in ("?", "g", "b"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("/lists$"))

    page.goto("/keys")
    expect(page.get_by_role("table")).to_contain_text("Save what is being written")
    page.get_by_role("button", name="Turn the keys on").click()
    expect(page.get_by_text("The keys are on.", exact=True)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_focus_goes_to_the_errors_after_a_form_came_back_and_stays_where_it_was_after_a_swap(
    open_page: Callable[..., Page], demo: Demo, complaints: Complaints
) -> None:
    page = open_page(signed_in=True)
    page.goto("/broadcasts/new")
    with complaints.refused(422), page.expect_response(re.compile("/broadcasts/new")):
        page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#errors")).to_be_focused()

    page.goto(f"{demo.visitor().draft('Swap', 'Riverside News: a swap.')}/edit")
    button = page.get_by_role("button", name="First name")
    page.get_by_label("Text", exact=True).fill("“Curly” quotes")
    button.focus()
    fix = page.get_by_role("button", name="Use plain quotes and dashes")
    expect(fix).to_be_visible()
    expect(button).to_be_focused()
    fix.focus()
    with page.expect_response(re.compile("measure")):
        page.locator("#text").dispatch_event("input")
    page.wait_for_timeout(200)
    expect(fix).to_be_focused()
