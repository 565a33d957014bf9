"""One demo and one Chromium for all tests of this folder; a page that complains in its console fails its test."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.archive import Archive, fill
from tests.browser.demo import PACE, Demo, running_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.chromium import Complaints

MISSING = [
    name for name in ("playwright", "pytest_playwright", "axe_playwright_python") if not find_spec(name)
]
# Tests that drive a browser import its driver; where it is not installed there is nothing to collect.
NEEDING_IT = [
    one.name for one in Path(__file__).parent.glob("test_*.py") if "from playwright" in one.read_text("utf-8")
]
collect_ignore = NEEDING_IT if MISSING else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MISSING:
        terminalreporter.write_line(
            f"Browser tests: not run, {', '.join(MISSING)} missing. Install the extra: pip install '.[e2e]'"
        )


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    from tests.browser.chromium import launch_options

    options = launch_options()
    if options is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-color-emoji")
    return options


@pytest.fixture(scope="session")
def demo(browser_type_launch_args: dict[str, Any]) -> Iterator[Demo]:
    """A demo that runs as long as the tests do."""
    from playwright.sync_api import expect

    from tests.browser.chromium import PATIENCE

    expect.set_options(timeout=PATIENCE)
    with running_demo() as started:
        started.pace(PACE)
        yield started


@pytest.fixture(scope="session")
def readers_demo(browser_type_launch_args: dict[str, Any]) -> Iterator[Demo]:
    """One more demo, for channels whose other end goes away with the test, and leaves its people behind."""
    from playwright.sync_api import expect

    from tests.browser.chromium import PATIENCE

    expect.set_options(timeout=PATIENCE)
    with running_demo() as started:
        yield started


@pytest.fixture(scope="session")
def archive(demo: Demo) -> Archive:
    """The demo after some use."""
    return fill(demo)


@pytest.fixture
def complaints() -> Iterator["Complaints"]:
    """What the pages of this test said to their consoles: nothing, at its end."""
    from tests.browser.chromium import Complaints

    heard = Complaints()
    yield heard
    assert heard.said == []


@pytest.fixture
def open_page(browser: "Browser", complaints: "Complaints", demo: Demo) -> Iterator[Callable[..., "Page"]]:
    """Open a page in a browser of its own; with `signed_in=True` as the demo's editor."""
    from tests.browser.chromium import PATIENCE, WIDE, session_of

    contexts = []

    def begin(signed_in: bool = False, **options: Any) -> "Page":
        context = browser.new_context(
            **{"viewport": WIDE, "locale": "en-GB", "base_url": demo.desk} | options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if signed_in:
            context.add_cookies(session_of(demo.visitor()))
        page = context.new_page()
        complaints.listen(page)
        return page

    yield begin
    for context in contexts:
        context.close()
