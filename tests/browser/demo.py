"""A demo of one's own, started as a newcomer starts it, with the means to set a scene in it quickly."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from app.config import Settings
from app.demo.front_door import Visitor
from app.demo.seed import NUMBER, SENDER

ROOT = Path(__file__).parents[2]
LAST_WORDS = "Ctrl-C stops everything."
PACE = 100
"""Messages a second: the thousand are reached in ten seconds, time enough to press a button or to say STOP."""


@dataclass
class Demo:
    """A running demo: its folder, its two addresses and its sign-in, as it printed them."""

    home: Path
    phones: str
    desk: str
    email: str
    password: str

    def cli(self, *words: str, given: str | None = None) -> Any:
        """Run a command beside the demo, with `given` to read, and return what it says as JSON."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *words, "--json"],
            env=_environment(self.home),
            cwd=ROOT,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)} said: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def pace(self, rate: int) -> None:
        """Let the sender hand over `rate` messages a second; a broadcast that is going out may keep its pace."""
        self.cli("senders", "rate", SENDER, str(rate))

    def text(self, phone: str, words: str, to: str = NUMBER) -> None:
        """Text from any phone, on the screen or not, to our number or an account on a messenger."""
        answer = requests.post(
            f"{self.phones}/control/inbound", json={"from": phone, "to": to, "body": words}, timeout=30
        )
        assert answer.json().get("webhook_status") == 200, answer.text

    def block(self, phone: str) -> None:
        """Block our number on a handset: the network takes what we send, then reports that it did not arrive."""
        answer = requests.post(
            f"{self.phones}/control/block", json={"phone": phone, "sender": NUMBER}, timeout=30
        )
        answer.raise_for_status()

    def heard(self, phone: str) -> list[str]:
        """Return what a phone was sent, newest first."""
        answer = requests.get(f"{self.phones}/control/messages", params={"to": phone}, timeout=30)
        return [message["body"] for message in answer.json()["messages"]]

    def visitor(self) -> "Editor":
        """Return somebody who is signed in as the demo's editor."""
        return Editor(self.desk, self.email, self.password)


class Editor(Visitor):
    """Somebody at the desk who works faster than a browser can, for what a test needs and does not look at."""

    def __init__(self, desk: str, email: str, password: str) -> None:
        super().__init__(desk)
        self.desk = desk
        self.submit("/sign-in", "password", email=email, password=password)

    def press(self, page: str, target: str) -> None:
        """Press a button of a page that posts its form to another address than the form's own."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.open(page))
        assert token, f"the page {page} has no form"
        where = f"{self.desk}{target}"
        form = {"csrf_token": token.group(1)}
        self._checked(self._session.post(where, data=form, timeout=30, headers={"Referer": where}))

    @property
    def cookies(self) -> Mapping[str, str]:
        """What the desk knows them by."""
        return dict(self._session.cookies)

    @cached_property
    def city_news(self) -> str:
        """The number of the English list in the form."""
        found = re.search(
            r'name="list_ids" value="(\d+)"[^>]*>\s*<span>City News', self.open("/broadcasts/new")
        )
        assert found, "the form for a broadcast does not offer City News"
        return found.group(1)

    def draft(self, title: str, text: str) -> str:
        """Write a draft to City News; returns its path, such as `/broadcasts/7`."""
        values = {"title": title, "text": text, "list_ids": self.city_news, "act": "save"}
        saved = self.submit("/broadcasts/new", "title", **values)
        return re.sub(r".*(/broadcasts/\d+)/edit.*", r"\1", saved.url)

    def send(self, title: str, text: str) -> str:
        """Write and send at once; returns the path."""
        path = self.draft(title, text)
        self.confirm(path, choice="now")
        return path

    def confirm(self, path: str, **when: str) -> None:
        """Schedule a draft: `choice`, `day`, `hour`, as the form calls them."""
        values = {"zone": "Europe/Berlin", **when}
        query = "&".join(f"{name}={value}" for name, value in values.items())
        self.submit(f"{path}/review?{query}", "/review", **values)


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Start a demo in a folder of its own and end it with Ctrl-C."""
    home = Path(tempfile.mkdtemp(prefix="tidings-demo-"))  # short, for the path of a socket in it
    port = 20000 + 10 * os.getpid() % 10000  # apart from those of a demo that starts at this same moment
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "demo", "--port", str(port)],
        env=_environment(home),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield _read(home, process)
    finally:
        _stop(process)
        shutil.rmtree(home, ignore_errors=True)


def _read(home: Path, process: "subprocess.Popen[str]") -> Demo:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if LAST_WORDS in line:
            break
    found = re.search(r"Phones +(\S+)\s+Desk +(\S+)\s+sign in as (\S+) with (\S+)", said)
    assert found, f"the demo did not say where it runs:\n{said}"
    return Demo(home, *found.groups())


def _stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()  # its watchman ends what it started
        process.communicate()


def _environment(home: Path) -> dict[str, str]:
    """What a developer exported for an installation of their own is no part of the demo."""
    own = {item.metadata["name"] for item in fields(Settings)}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return kept | {"TIDINGS_HOME": str(home), "TIDINGS_UNDO_SECONDS": "0", "PYTHONUNBUFFERED": "1"}
