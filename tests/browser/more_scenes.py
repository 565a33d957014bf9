"""The smaller pages of the desk, for the pictures of the documentation, each filled with something."""

import re
from typing import TYPE_CHECKING, Protocol

from tests.browser import archive
from tests.browser.demo import Demo, Editor

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

HIGHEST = 820
"""Pixels: these pages need no more to be known again."""


class Camera(Protocol):
    """Takes a scene; see `screenshots.Photographer`."""

    def take(
        self, scene: str, path: str, prepare: "Callable[[Page], None]" = ..., highest: int = ...
    ) -> None: ...


def photograph_the_rest(camera: Camera, demo: Demo, editor: Editor, draft: str) -> None:
    """Take every page that the morning does not come by; `draft` is the path of one with comments."""
    for scene, path in (
        ("desk-templates", archive.template_of(editor).rpartition("/")[0]),
        ("desk-keys", "/keys"),
        ("desk-list-new", "/lists/new"),
        ("desk-rules", "/rules"),
        ("desk-segments", "/lists/1/segments"),
        ("desk-feeds", "/lists/1/feeds"),
        ("desk-tickers", "/tickers"),
        ("desk-ticker-new", "/tickers/new"),
        ("desk-words", "/words"),
        ("desk-ask", "/people/ask"),
        ("desk-revocation", "/people/stop"),
        ("desk-import-new", "/imports/new"),
        ("desk-users", "/users"),
        ("desk-role", "/users/1/role"),
        ("desk-account", "/account"),
    ):
        camera.take(scene, path, highest=HIGHEST)
    camera.take("desk-template", archive.template_of(editor), highest=HIGHEST)
    camera.take("desk-move", f"{_waiting(editor)}/move?day={archive.tomorrow()}&hour=11:00", highest=HIGHEST)
    camera.take("desk-who", f"{draft}/segment", highest=HIGHEST)
    photograph_tests(camera, demo, editor, draft)
    photograph_approval(camera, demo, editor, draft)
    demo.text(archive.READER, "too many texts, not so often please")
    camera.take("desk-held", "/held", highest=HIGHEST)
    camera.take("desk-requests", "/requests", highest=HIGHEST)


def photograph_tests(camera: Camera, demo: Demo, editor: Editor, draft: str) -> None:
    """A tester proves a phone, and a draft is tried out there; below it stand comments."""
    editor.press("/account/tests", "/account/tests")
    code = re.search(r"<code>([^<]+)</code>", editor.open("/account/tests"))
    assert code, "no code is shown"
    camera.take("desk-testers", "/account/tests", highest=HIGHEST)
    demo.text(archive.GRACE, code.group(1))
    archive.until(lambda: "Tests go here." in editor.open("/account/tests"), "the tester to be proved")
    tester = re.search(r'name="testers" value="(\d+)"', editor.open(f"{draft}/edit"))
    assert tester, "the draft offers no tester"
    editor.submit(f"{draft}/edit", "/tests", testers=tester.group(1))
    archive.until(lambda: "Delivered" in editor.open(f"{draft}/tests"), "the test to come")
    camera.take("desk-tests", f"{draft}/edit", _tests_in_view, highest=HIGHEST)
    for comment in ("Is it Mill Street or Mill Lane?", "Bus 11, too?"):
        editor.submit(f"{draft}/edit", "/comments", comment=comment)
    editor.submit(f"{draft}/edit", "/resolve")
    camera.take("desk-comments", f"{draft}/edit", _comments_in_view, highest=HIGHEST)


def photograph_approval(camera: Camera, demo: Demo, editor: Editor, draft: str) -> None:
    """The list asks for a second person, who is shown the sheet; then it asks no more."""
    demo.cli("lists", "approval", "City News", "on")
    camera.take("desk-approval", "/lists/1/approval", highest=HIGHEST)
    editor.submit(f"{draft}/review?choice=now&zone=UTC", "/approval/ask", choice="now", zone="UTC")
    camera.take("desk-read", f"{draft}/approval", highest=HIGHEST)
    demo.cli("lists", "approval", "City News", "off")


def _waiting(editor: Editor) -> str:
    found = re.search(r'href="(/broadcasts/\d+)"', editor.open("/broadcasts?tab=waiting"))
    assert found, "nothing waits"
    return found.group(1)


def _tests_in_view(page: "Page") -> None:
    page.get_by_role("region", name="Send a test").evaluate("one => one.scrollIntoView()")


def _comments_in_view(page: "Page") -> None:
    page.locator("#comments").evaluate("one => one.scrollIntoView()")
