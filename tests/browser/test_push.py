"""Notifications in a real browser: the click, the consent, a message that its worker shows, STOP on it and on the page.

No push service of a browser maker can be reached from here. So the browser's subscription is one of ours, whose private
key the test has: it decrypts what we sent, and hands the plaintext to the worker as the browser would.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain.push import read_subscription
from tests.browser.archive import until
from tests.browser.chromium import NARROW, faults, overflow
from tests.browser.demo import Demo
from tests.support.other_site import other_site
from tests.support.push_peer import Browser, PushService, push_service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SUBSCRIBED = """(() => {
  const given = %s;
  const fake = (options) => ({ options, toJSON: () => given, unsubscribe: async () => localStorage.removeItem("key") });
  const bytes = (key) => Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const key = () => localStorage.getItem("key");
  const there = () => key() && fake({ applicationServerKey: bytes(key()).buffer });
  PushManager.prototype.getSubscription = async () => there() || null;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly) throw new Error("a browser refuses what it may not show");
    localStorage.setItem("key", applicationServerKey);
    return there();
  };
})()"""


@pytest.fixture(scope="module")
def demo(readers_demo: Demo) -> Demo:
    return readers_demo


@pytest.fixture(scope="module")
def service(demo: Demo) -> Iterator[PushService]:
    """A push service, and the demo's list on a sender whose requests go there."""
    with push_service() as running:
        settings = (
            "--gateway",
            "webpush",
            "--set",
            "subject=mailto:desk@example.org",
            "--base-url",
            running.url,
        )
        demo.cli("senders", "add", "city-push", *settings)
        demo.cli("lists", "sender", "City News", "city-push")
        yield running


def come_by(open_page: Callable[..., Page], browser: Browser, **options: object) -> Page:
    """Open a browser that has the notifications' permission to give, and a subscription to be made."""
    page = open_page(**{"permissions": ["notifications"], **options})
    page.add_init_script(SUBSCRIBED % json.dumps(browser.subscription))
    return page


def arrived(service: PushService, browser: Browser, count: int) -> list[bytes]:
    """Wait for messages, and return them decrypted."""
    until(lambda: len(service.to(browser)) >= count, f"message {count} to arrive")
    return [browser.decrypt(one.body) for one in service.to(browser)]


def hand_over(page: Page, plain: bytes) -> None:
    """Give the worker what the browser decrypted."""
    tools = page.context.new_cdp_session(page)
    ids: list[str] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: ids.extend(one["registrationId"] for one in told["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    until(lambda: page.wait_for_timeout(50) is None and bool(ids), "the worker to be registered")
    origin = page.evaluate("location.origin")
    tools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": ids[0], "data": plain.decode()},
    )


def shown(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((one) => one.body)"
    )
    return found


def line_of(browser: Browser, demo: Demo, file: Path) -> str:
    """What the report of the newest broadcast says of one browser."""
    newest = max(one["id"] for one in demo.cli("broadcasts", "list"))
    demo.cli("broadcasts", "report", str(newest), "--csv", str(file))
    address = read_subscription(browser.subscription, "").name
    return next(line for line in file.read_text().splitlines() if address in line)


def test_a_click_subscribes_the_worker_shows_what_comes_and_its_stop_ends_it(
    open_page: Callable[..., Page], demo: Demo, service: PushService
) -> None:
    ada = Browser("https://push.example.net/s/ada")
    page = come_by(open_page, ada)
    page.goto(f"{demo.desk}/push/city")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    page.get_by_role("button", name="Yes, send me City News").click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    (welcome,) = arrived(service, ada, 1)
    assert b"you asked for City News" in welcome

    hand_over(page, welcome)
    until(
        lambda: any("you asked for City News" in one for one in shown(page)), "the notification to be shown"
    )
    page.context.service_workers[0].evaluate(
        """async () => {
          const [notification] = await self.registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action: "stop" }));
        }"""
    )

    goodbye = arrived(service, ada, 2)[-1]
    assert b"START" in goodbye  # how to come back
    page.reload()
    expect(page.get_by_role("button", name="Yes, send me City News")).to_be_visible()


def test_the_pages_button_ends_one_list_and_a_broadcast_before_it_is_reported_as_shown(
    open_page: Callable[..., Page], demo: Demo, service: PushService, tmp_path: Path
) -> None:
    grace = Browser("https://push.example.net/s/grace")
    page = come_by(open_page, grace, locale="de-DE")
    page.goto(f"{demo.desk}/push/city")
    page.get_by_role("button", name="Ja, City News senden").click()
    expect(page.get_by_role("status")).to_contain_text("Fertig.")
    arrived(service, grace, 1)
    demo.visitor().send("Bridge", "The bridge is open again.")
    news = arrived(service, grace, 2)[-1]
    assert b"The bridge is open again." in news
    hand_over(page, news)
    until(
        lambda: any("The bridge is open again." in one for one in shown(page)), "the notification to be shown"
    )
    until(lambda: "delivered" in line_of(grace, demo, tmp_path / "report.csv"), "the receipt")

    page.reload()
    page.get_by_role("button", name="City News abmelden").click()

    expect(page.get_by_role("status")).to_contain_text("Abgemeldet.")
    expect(page.get_by_role("button", name="Ja, City News senden")).to_be_visible()
    arrived(service, grace, 3)


def test_who_says_no_to_the_browsers_question_is_told_what_else_there_is(
    open_page: Callable[..., Page], demo: Demo, service: PushService
) -> None:
    page = come_by(open_page, Browser("https://push.example.net/s/no"), permissions=[])
    page.add_init_script("Notification.requestPermission = async () => 'denied';")
    page.goto(f"{demo.desk}/push/city")

    page.get_by_role("button", name="Yes, send me City News").click()

    expect(page.get_by_role("status")).to_contain_text("does not show notifications")
    page.get_by_role("link", name="Get City News on your phone or in a messenger").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign up for City News")


def test_without_scripts_the_page_says_that_it_needs_them(
    open_page: Callable[..., Page], demo: Demo, service: PushService
) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{demo.desk}/push/city")

    expect(page.get_by_text("Notifications need JavaScript, which does not run here.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("is_on", [False, True], ids=["off", "on"])
def test_the_page_is_accessible_in_both_languages(
    language: str, is_on: bool, open_page: Callable[..., Page], demo: Demo, service: PushService
) -> None:
    page = come_by(
        open_page, Browser(f"https://push.example.net/s/{language}{is_on}"), locale=language, viewport=NARROW
    )
    page.goto(f"{demo.desk}/push/city?lang={language}")
    if is_on:
        page.locator("#turn-on").click()
        expect(page.locator("#turn-off")).to_be_visible()

    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += faults(page)

    assert found == []
    assert overflow(page) == 0


def test_a_site_of_somebody_else_leads_to_the_page(
    open_page: Callable[..., Page], demo: Demo, service: PushService
) -> None:
    page = open_page()
    with other_site(f'<script src="{demo.desk}/push.js" data-list="CITY" async></script>', "de") as site:
        page.goto(site)
        link = page.get_by_role("link", name="Unsere Nachrichten als Mitteilungen")
        expect(link).to_be_visible()
        assert faults(page) == []
        link.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("City News in diesem Browser")
