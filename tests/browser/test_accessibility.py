"""Every page, in both languages, light and dark, wide and narrow: axe finds no fault, and 320 px are enough."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.archive import Archive, tomorrow
from tests.browser.chromium import NARROW, PATIENCE, WIDE, Complaints, faults, overflow, session_of
from tests.browser.demo import Demo, Editor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAGES = {
    "drafts": "/broadcasts?tab=drafts",
    "waiting": "/broadcasts?tab=waiting",
    "sending": "/broadcasts?tab=sending",
    "sent": "/broadcasts?tab=sent",
    "write": "/broadcasts/new",
    "edit": "{draft}/edit",
    "who": "{draft}/segment",
    "segments": "/lists/1/segments",
    "segment": "{segment}",
    "when": "{draft}/when",
    "when, at a time": "{draft}/when?choice=at&day={tomorrow}&hour=07:30&zone=Europe/Berlin",
    "when, repeating": "{draft}/when?choice=repeat&day={tomorrow}&hour=07:30&zone=Europe/Berlin&every=week",
    "when, own clocks": "{draft}/when?choice=local&day={tomorrow}&hour=09:00&zone=Europe/Berlin",
    "review, own clocks": "{draft}/review?choice=local&day={tomorrow}&hour=09:00&zone=Europe/Berlin",
    "move": "{waiting}/move?day={tomorrow}&hour=11:00",
    "review": "{draft}/review?choice=now&zone=Europe/Berlin",
    "review of a rule": "{draft}/review?choice=repeat&day={tomorrow}&hour=07:30&zone=Europe/Berlin&every=day",
    "rules": "/rules",
    "rule": "{rule}",
    "calendar, month": "/calendar",
    "calendar, week": "/calendar?view=week&day={tomorrow}",
    "progress, waiting": "{waiting}",
    "progress, paused": "{paused}",
    "progress, finished": "{sent}",
    "stop": "{paused}/stop",
    "correct": "{sent}/correct",
    "correct, paused": "{paused}/correct",
    "versions": "{draft}/versions",
    "saved texts": "/texts",
    "templates": "/templates",
    "template": "{template}",
    "template, remove": "{template}/remove",
    "template, keep": "{draft}/template",
    "keyboard": "/keys",
    "report": "{sent}/report",
    "reports": "/reports",
    "reports, days": "/reports?sheet=days&days=7",
    "reports, lists": "/reports?sheet=lists",
    "reports, growth": "/reports?sheet=growth&days=7",
    "reports, not delivered": "/reports?sheet=failures",
    "reports, hours": "/reports?sheet=hours",
    "clicks": "/lists/1/clicks",
    "approval": "/lists/1/approval",
    "health": "/health-page",
    "audit log": "/audit",
    "today": "/board/1",
    "lists": "/lists",
    "new list": "/lists/new",
    "list": "/lists/1",
    "list, a year": "/lists/1?days=365",
    "list, change": "/lists/1/change",
    "list, close": "/lists/1/close",
    "poster": "/lists/1/poster",
    "live events": "/tickers",
    "live event, new": "/tickers/new",
    "live event": "{ticker}",
    "live event, end": "{ticker}/end",
    "rehearsal": "{draft}/rehearsal",
    "rehearsal, report": "{rehearsed}",
    "feeds": "/lists/1/feeds",
    "feed": "{feed}",
    "people": "/people",
    "people found": "/people?q=0143",
    "nobody found": "/people?q=9999",
    "people filtered": "/people?status=active&list=1",
    "town": "{person}/place",
    "person": "{person}",
    "inbox": "/inbox",
    "was this a stop": "/held",
    "notice": "/lists/1/notice",
    "notice in German": "/lists/1/notice?language=de",
    "ask somebody": "/people/ask",
    "stop, any number": "/people/stop",
    "stop, one person": "{person}/stop",
    "imports": "/imports",
    "import, new": "/imports/new",
    "import, checked": "{import_checked}",
    "sign-up": "/join/city",
    "sign-up sent": "/join/city/sent",
    "signed up": "/confirmed",
    "erase somebody": "{person}/erase",
    "requests for erasure": "/requests",
    "retention": "/retention",
    "words": "/words",
    "words in Arabic": "/words?language=ar",
    "account": "/account",
    "addresses for tests": "/account/tests",
    "users": "/users",
    "role": "/users/1/role",
}
BOTH: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
# Each page in all four looks in English; in German, whose words are longer, in the two that differ in everything.
LOOKS: dict[str, list[tuple[ViewportSize, Literal["light", "dark"]]]] = {
    "en": [(size, scheme) for size in (WIDE, NARROW) for scheme in BOTH],
    "de": [(WIDE, "light"), (NARROW, "dark")],
}
SMALLEST = ViewportSize(width=320, height=640)


@pytest.fixture(scope="session")
def editors(demo: Demo) -> dict[str, Editor]:
    """Two people at the desk: one reads it in English, one in German."""
    english = demo.visitor()
    email, password = "redaktion@example.org", "vier zufällige Wörter hier"
    english.submit("/users", "role", name="Mia Schubert", email=email, password=password, role="admin")
    german = Editor(demo.desk, email, password)
    german.submit("/broadcasts", "/language", language="de", next="/broadcasts")
    return {"en": english, "de": german}


@pytest.fixture(scope="session")
def windows(browser: Browser, editors: dict[str, Editor]) -> Iterator[dict[str, Page]]:
    """A window for each of them, kept open: a hundred fresh ones would take minutes."""
    found = {}
    for language, editor in editors.items():
        context = browser.new_context(base_url=editor.desk, locale=language, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        context.add_cookies(session_of(editor))
        found[language] = context.new_page()
    yield found
    for page in found.values():
        page.context.close()


@pytest.fixture
def look(windows: dict[str, Page], complaints: Complaints) -> Iterator[Callable[[str], Page]]:
    """Give the window of a language, with somebody listening to its console."""
    taken = []

    def take(language: str) -> Page:
        page = windows[language]
        complaints.listen(page)
        taken.append(page)
        return page

    yield take
    for page in taken:
        complaints.leave(page)


def assert_fit(page: Page, language: str) -> None:
    """Look at the open page in each of its looks, and at the smallest width."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    found = []
    for size, scheme in LOOKS[language]:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}, {size['width']} px: {fault}" for fault in faults(page)]
    page.set_viewport_size(SMALLEST)
    assert found == []
    assert overflow(page) == 0, "the page moves sideways at 320 px"


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_in_every_look(
    name: str, language: str, archive: Archive, look: Callable[[str], Page]
) -> None:
    page = look(language)

    answer = page.goto(PAGES[name].format(**asdict(archive), tomorrow=tomorrow()))

    assert answer is not None
    assert answer.status == 200
    assert_fit(page, language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_form_for_a_broadcast_is_accessible_with_all_its_faults_named(
    language: str, look: Callable[[str], Page], complaints: Complaints
) -> None:
    page = look(language)
    page.goto("/broadcasts/new")
    page.locator("#text").fill("“Quotes” {{nonsense}} https://bit.ly/x")
    with complaints.refused(422):
        page.locator(".ends [value=when]").click()
        expect(page.locator("#errors")).to_be_focused()

    assert_fit(page, language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_forms_of_an_import_are_accessible_with_their_faults_named(
    language: str, look: Callable[[str], Page], complaints: Complaints
) -> None:
    page = look(language)
    page.goto("/imports/new")
    with complaints.refused(422):
        page.locator(".ends button").click()
        expect(page.locator("#errors")).to_be_focused()
    assert_fit(page, language)

    text = "Phone;First name;A column with a name that is longer than others\n+447700900840;Zoë;=1+1\n"
    page.locator("#file").set_input_files(
        {"name": f"club-{language}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.locator("#encoding").select_option("utf-8")
    page.locator(".ends button").click()
    with complaints.refused(422):
        page.locator("[action$=check] .ends button").click()
        expect(page.locator("#errors")).to_be_focused()

    assert_fit(page, language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_page_that_is_not_there_is_accessible(
    language: str, look: Callable[[str], Page], complaints: Complaints
) -> None:
    page = look(language)
    with complaints.refused(404):
        page.goto("/broadcasts/987654321")

    assert_fit(page, language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_account_menu_is_accessible_when_it_is_open(language: str, look: Callable[[str], Page]) -> None:
    page = look(language)
    page.goto("/lists")
    page.locator(".menu summary").click()

    assert_fit(page, language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_sign_in_is_accessible_before_and_after_a_refusal(
    language: str, open_page: Callable[..., Page], complaints: Complaints
) -> None:
    page = open_page(locale=language, reduced_motion="reduce")
    page.goto("/sign-in")
    assert_fit(page, language)

    page.locator("#email").fill("nobody@example.org")
    page.locator("#password").fill("not this one")
    with complaints.refused(422):
        page.locator("form button").first.click()
        expect(page.get_by_role("alert")).to_be_visible()

    assert_fit(page, language)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_phones_are_accessible(
    language: str, open_page: Callable[..., Page], archive: Archive, demo: Demo
) -> None:
    page = open_page(locale=language, reduced_motion="reduce")
    page.goto(f"{demo.phones}/?lang={language}")
    expect(page.locator(".bubble").first).to_be_visible()

    assert_fit(page, language)
