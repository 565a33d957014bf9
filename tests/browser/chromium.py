"""How the machine's own Chromium is started, and what every page that it shows has to keep to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import ConsoleMessage, Error, Page, ViewportSize

from tests.browser.demo import Editor

PATIENCE = 15_000
"""Milliseconds that a slow machine may take for anything on a page."""
WIDE = ViewportSize(width=1200, height=800)
NARROW = ViewportSize(width=360, height=740)
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def launch_options() -> dict[str, Any] | None:
    """Return what starts the Chromium of this machine; None where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return {"executable_path": path, "args": ARGUMENTS} if path else None


@dataclass
class Complaints:
    """What a page said to its console: errors of scripts, of the content policy, of anything that did not load."""

    said: list[str] = field(default_factory=list)
    _late: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", self._fail)

    def leave(self, page: Page) -> None:
        page.remove_listener("console", self._hear)
        page.remove_listener("pageerror", self._fail)

    def _fail(self, error: Error) -> None:
        self.said.append(str(error))

    def _hear(self, message: ConsoleMessage) -> None:
        if late := next((one for one in self._late if one in message.text), None):
            self._late.remove(late)
        elif message.type in ("error", "warning"):
            self.said.append(f"{message.location.get('url')}: {message.text}")

    @contextmanager
    def refused(self, status: int) -> Iterator[None]:
        """The browser complains of each page that answers so; here that answer is what was asked for.

        On a busy machine it complains a moment later.
        """
        before, asked_for = list(self.said), f"status of {status}"
        yield
        meanwhile = self.said[len(before) :]
        self.said[:] = before + [one for one in meanwhile if asked_for not in one]
        if len(self.said) == len(before) + len(meanwhile):
            self._late.append(asked_for)


def faults(page: Page) -> list[str]:
    """Return what axe finds against the page as it is shown now, one line for each element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def session_of(editor: Editor) -> list[Any]:
    """The session of somebody who is signed in, as a browser takes it."""
    return [{"name": name, "value": value, "url": editor.desk} for name, value in editor.cookies.items()]


def overflow(page: Page) -> int:
    """Return by how many pixels the page can be moved sideways."""
    wider: int = page.evaluate(
        "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )
    return wider
