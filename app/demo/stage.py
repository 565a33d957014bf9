"""Where the demo's story plays: the desk, the simulator, our commands, and one phone."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from app.demo.front_door import StoryFailed
from app.demo.seed import NUMBER

PATIENCE = 60.0


@dataclass(frozen=True)
class Stage:
    """Where the story plays: the two addresses, the folder, and the environment of the commands."""

    desk: str
    simulator: str
    home: Path
    env: Mapping[str, str]
    cli: Path
    phone: str

    def command(self, *words: str) -> Any:
        """Run a command of ours and return its JSON; raises `StoryFailed` with its own reason."""
        done = subprocess.run(  # noqa: S603  (our own program, words of our own)
            [sys.executable, str(self.cli), *words, "--json"],
            env=dict(self.env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise StoryFailed(f"tidings {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout)

    def simulated(self, path: str) -> Any:
        """Ask the simulator."""
        return requests.get(f"{self.simulator}/control/{path}", timeout=10).json()

    def text(self, words: str, to: str = NUMBER) -> None:
        """Text from our phone, to our number or an account on a messenger."""
        answer = requests.post(
            f"{self.simulator}/control/inbound",
            json={"from": self.phone, "to": to, "body": words},
            timeout=30,
        ).json()
        expect(answer.get("webhook_status") == 200, f"The webhook for {words} answered {answer}.")

    def heard(self) -> list[str]:
        """Return the bodies that our phone got from us by SMS, newest first."""
        found = requests.get(
            f"{self.simulator}/control/messages", params={"to": self.phone}, timeout=10
        ).json()
        return [message["body"] for message in found["messages"]]

    def chatted(self) -> int:
        """Return how many messages of ours people read on messengers."""
        return int(self.simulated("stats")["chats"]["total"])


def until(check: Callable[[], Any], failure: str) -> Any:
    """Wait until `check()` is true, and return what it returned; raises `StoryFailed`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.2)
    raise StoryFailed(f"Within {PATIENCE:.0f} seconds {failure}.")


def expect(held: bool, failure: str) -> None:
    """Raise `StoryFailed` unless it held."""
    if not held:
        raise StoryFailed(failure)
