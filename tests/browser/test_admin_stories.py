"""What an admin does: accounts, words of a notice, health and the big pause, the audit log, reports."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from app.demo.seed import SENDER
from tests.browser.demo import Demo, Editor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def harbour(demo: Demo) -> Iterator[str]:
    """A list of its own, without people; yields its number."""
    made = demo.cli(
        "lists", "create", "Harbour", "--keyword", "HARBOUR", "--purpose", "News of the harbour",
        "--sender", SENDER, "--from-hour", "0", "--until-hour", "24", "--any-hour", "A test.",
    )  # fmt: skip
    yield str(made["id"])
    demo.cli("lists", "archive", "Harbour")


def test_somebody_gets_an_account_signs_in_as_an_editor_and_is_shut_out_when_it_is_closed(
    open_page: Callable[..., Page],
) -> None:
    admin, newcomer = open_page(signed_in=True), open_page()
    email, password = "nora@example.org", "four words for nora"
    admin.goto("/users")
    admin.get_by_label("Name").fill("Nora Newcomer")
    admin.get_by_label("E-mail address").fill(email)
    admin.locator("#password").fill(password)
    admin.get_by_label("Editor: writes").check()
    admin.get_by_role("button", name="Add", exact=True).click()
    row = admin.get_by_role("listitem").filter(has_text=email)
    expect(row).to_contain_text("Editor")

    newcomer.goto("/sign-in")
    newcomer.get_by_label("E-mail address").fill(email)
    newcomer.get_by_label("Password").fill(password)
    newcomer.get_by_role("button", name="Sign in").click()
    newcomer.locator(".menu summary").click()
    expect(newcomer.get_by_role("link", name="Saved texts")).to_be_visible()
    expect(newcomer.get_by_role("link", name="People at the desk")).to_have_count(0)
    newcomer.goto("/people?q=0143")
    expect(newcomer.get_by_role("main")).to_contain_text("***143")

    row.get_by_role("button", name="Close account Nora Newcomer").click()
    expect(row.get_by_text("closed", exact=True)).to_be_visible()
    newcomer.goto("/broadcasts")
    expect(newcomer.get_by_role("button", name="Sign in")).to_be_visible()


def test_new_words_of_a_notice_are_checked_shown_and_become_the_next_version(
    open_page: Callable[..., Page], harbour: str
) -> None:
    page = open_page(signed_in=True)
    page.goto(f"/lists/{harbour}/notice")
    words = page.get_by_label("Words of the next version")
    before = words.input_value()

    words.fill("Welcome.")
    expect(page.locator("#counter")).to_contain_text("STOP")
    words.fill(f"{before} Thank you.")
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Thank you.")
    page.get_by_role("button", name="Show these words from now on").click()

    newest = page.locator(".timeline li").first
    expect(newest).to_contain_text("Version 2")
    expect(newest.locator("blockquote")).to_contain_text("Thank you.")
    page.goto("/join/harbour")
    expect(page.get_by_role("main")).to_contain_text("Thank you.")


def test_the_big_pause_is_seen_on_every_page_until_sending_goes_on(open_page: Callable[..., Page]) -> None:
    page, elsewhere = open_page(signed_in=True), open_page(signed_in=True)
    page.goto("/health-page")
    expect(page.get_by_role("table").first).to_contain_text("well")

    page.get_by_role("button", name="Pause all sending").click()
    elsewhere.goto("/lists")
    expect(elsewhere.locator(".pulse")).to_contain_text("Paused")
    expect(page.get_by_role("main")).to_contain_text("All sending is paused.")
    page.get_by_role("button", name="Let sending go on").click()

    expect(page.get_by_role("button", name="Pause all sending")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.locator(".pulse")).to_have_text("Sending on")


def test_the_audit_log_shows_one_kind_of_deed_and_gives_it_as_a_file(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    demo.visitor().submit("/texts", "name", name="Audited words", text="Good night.", list_id="")
    page = open_page(signed_in=True)
    page.goto("/audit")

    page.get_by_label("What", exact=True).select_option(label="Saved texts")
    page.get_by_role("button", name="Show").click()
    table = page.get_by_role("table")
    expect(table).to_contain_text("Audited words")
    expect(table).not_to_contain_text("broadcast.")
    with page.expect_download() as download:
        page.get_by_role("button", name="All lines as CSV").click()

    lines = download.value.path().read_text("utf-8").splitlines()
    assert any("snippet.add" in line and "Audited words" in line for line in lines)
    assert not any("broadcast." in line for line in lines)


def test_reports_lead_from_all_broadcasts_to_one_and_to_a_file(
    open_page: Callable[..., Page], demo: Demo
) -> None:
    title = "Reported on"
    path = demo.visitor().send(title, "Riverside News: a report is due. Reply STOP to leave.")
    page = open_page(signed_in=True)
    page.goto("/reports")
    page.get_by_label("Time").select_option("7")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("table")).to_contain_text(title)
    with page.expect_download() as download:
        page.get_by_role("button", name="All rows as CSV").click()
    assert title in download.value.path().read_text("utf-8")
    page.get_by_role("navigation", name="Reports").get_by_role("link", name="Growth").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reports:")
    page.goto(f"{path}/report")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Report: {title}")
    Editor(demo.desk, demo.email, demo.password).submit(f"{path}/stop", "/stop")
