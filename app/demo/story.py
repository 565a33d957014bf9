"""The whole promise, walked through the front doors: `tidings demo --smoke`.

A phone joins, an editor writes a broadcast in the web form, workers fan it out to a thousand people through the
provider's wire protocol, receipts come back, a phone says STOP in the middle and gets nothing more, and the proof
of its consent is printed and checked. Every verdict is the simulator's count or a command's own answer.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from app.demo.front_door import StoryFailed, Visitor
from app.demo.seed import NUMBER, sign_in

PHONE = "+12025550143"
# A phone of its own for each time the story is played: the fourth same text within ten minutes gets no answer.
PHONES = tuple(f"+1202555{last:04d}" for last in range(150, 200))
TEXT = "Good morning {{first_name|reader}}: the bridge is open again."
PATIENCE = 60.0
Say = Callable[[str], None]


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

    def text(self, words: str) -> None:
        """Text from our phone."""
        answer = requests.post(
            f"{self.simulator}/control/inbound",
            json={"from": self.phone, "to": NUMBER, "body": words},
            timeout=30,
        ).json()
        _expect(answer.get("webhook_status") == 200, f"The webhook for {words} answered {answer}.")

    def heard(self) -> list[str]:
        """Return the bodies that our phone got from us, oldest first."""
        found = requests.get(
            f"{self.simulator}/control/messages", params={"to": self.phone}, timeout=10
        ).json()
        return [message["body"] for message in found["messages"]]


def play(stage: Stage, say: Say) -> None:
    """Play the story; raises `StoryFailed` at the first step that does not hold."""
    requests.post(f"{stage.simulator}/control/reset", timeout=10).raise_for_status()
    _start(stage, say)
    broadcast_id = _write_and_send(stage, say)
    _stop_in_the_middle(stage, say)
    _all_reached_once(stage, broadcast_id, say)
    _proof(stage, say)


def _start(stage: Stage, say: Say) -> None:
    stage.text("START")
    _until(lambda: any("STOP" in body for body in stage.heard()), "the phone was not welcomed")
    say("A phone texted START and was welcomed.")


def _write_and_send(stage: Stage, say: Say) -> int:
    editor = Visitor(stage.desk)
    email, password = sign_in(stage.home)
    editor.submit("/sign-in", "password", email=email, password=password)
    lists = stage.command("lists", "list")
    city = next(row["id"] for row in lists if row["name"] == "City News")
    saved = editor.submit("/broadcasts/new", "title", title="Bridge", text=TEXT, list_ids=city, act="save")
    found = re.search(r"/broadcasts/(\d+)/edit", saved.url)
    if found is None:
        raise StoryFailed(f"Saving the draft led to {saved.url}.")
    broadcast_id = int(found.group(1))
    review = f"/broadcasts/{broadcast_id}/review?choice=now&zone=Europe/Berlin"
    editor.submit(review, "/review", choice="now", zone="Europe/Berlin")
    say("An editor wrote a broadcast in the web form and sent it.")
    return broadcast_id


def _stop_in_the_middle(stage: Stage, say: Say) -> None:
    _until(lambda: stage.simulated("stats")["total"] > 100, "the fan-out did not start")
    heard = stage.heard()
    stage.text("STOP")
    _until(lambda: len(stage.heard()) == len(heard) + 1, "the STOP was not confirmed exactly once")
    say("The phone texted STOP in the middle.")


def _all_reached_once(stage: Stage, broadcast_id: int, say: Say) -> None:
    _until(lambda: _quiet(stage), "the simulator's receipts did not end")
    status = _until(lambda: _finished(stage, broadcast_id), "the broadcast did not finish")
    tally = status["tally"]
    parts = ("pending", "handing_over", "sent", "delivered", "failed", "unknown", "skipped")
    _expect(sum(tally[name] for name in parts) == tally["audience"], f"The counts do not add up: {tally}")
    texts = [body for body in stage.heard() if "bridge" in body]
    _expect(texts == [], "The phone got the broadcast after its STOP.")
    stats = stage.simulated("stats")
    _expect(stats["duplicates"] == 0, f"The simulator counted {stats['duplicates']} doubled messages.")
    # Our phone got a welcome and a confirmation; everybody else exactly the broadcast.
    _expect(
        stats["total"] == tally["audience"] - tally["skipped"] + 2, f"The simulator counted {stats['total']}."
    )
    say(
        f"{tally['delivered']} of {tally['audience']} people got it, once each, with receipts; "
        f"{tally['skipped']} had said stop."
    )


def _quiet(stage: Stage) -> bool:
    """Nothing new came in for a second, and every receipt was taken."""
    before = stage.simulated("stats")
    time.sleep(1.0)
    after = stage.simulated("stats")
    return bool(before["total"] == after["total"] and after["callbacks"]["queued"] == 0)


def _finished(stage: Stage, broadcast_id: int) -> Any:
    status = stage.command("broadcasts", "status", str(broadcast_id))
    tally = status["tally"]
    done = status["state"] == "finished" and tally["sent"] == 0 and tally["delivered"] > 0
    return status if done else None


def _proof(stage: Stage, say: Say) -> None:
    pack = stage.home / "proof.json"
    stage.command("consent", "prove", stage.phone, "--out", str(pack))
    _expect(pack.exists(), f"{pack} was not written.")
    verified = stage.command("consent", "verify")
    _expect(verified["bad"] is None, f"The ledger does not verify: {verified}")
    say(f"The proof of consent lies in {pack}; all {verified['count']} entries of the ledger verify.")


def _until(check: Callable[[], Any], failure: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.2)
    raise StoryFailed(f"Within {PATIENCE:.0f} seconds {failure}.")


def _expect(held: bool, failure: str) -> None:
    if not held:
        raise StoryFailed(failure)
