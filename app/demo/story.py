"""The whole promise, walked through the front doors: `tidings demo --smoke`.

A phone joins on four channels, an editor writes a broadcast in the web form, workers fan it out to a thousand people
through the providers' wire protocols, receipts come back, the phone says STOP by SMS in the middle and gets nothing
more there, and the proof of its consent is printed and checked. Every verdict is the simulator's count or a command's
own answer.
"""

import csv
import re
import time
from collections.abc import Callable
from typing import Any

import requests

from app.demo.chats import ADDRESSES
from app.demo.front_door import StoryFailed, Visitor
from app.demo.seed import NUMBER, sign_in
from app.demo.stage import Stage, expect, until

PHONE = "+12025550143"
# A phone of its own for each time the story is played: the fourth same text within ten minutes gets no answer.
PHONES = tuple(f"+1202555{last:04d}" for last in range(150, 200))
# On messengers: one for each START, and LINE's answer to whoever befriends the account.
WELCOMES = len(ADDRESSES) + 1
TEXT = "Good morning {{first_name|reader}}: the bridge is open again."
Say = Callable[[str], None]


def play(stage: Stage, say: Say) -> None:
    """Play the story; raises `StoryFailed` at the first step that does not hold."""
    requests.post(f"{stage.simulator}/control/reset", timeout=10).raise_for_status()
    _start(stage, say)
    broadcast_id = _write_and_send(stage, say)
    _stop_in_the_middle(stage, say)
    _all_reached_once(stage, broadcast_id, say)
    _stop_elsewhere(stage, say)
    _proof(stage, say)


def _start(stage: Stage, say: Say) -> None:
    for to in (NUMBER, *ADDRESSES):
        stage.text("START", to)
    until(lambda: any("STOP" in body for body in stage.heard()), "the phone was not welcomed")
    until(lambda: stage.chatted() == WELCOMES, "the phone was not welcomed on each messenger")
    say("A phone texted START by SMS, Telegram, WhatsApp and LINE, and was welcomed on each.")


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
    until(lambda: stage.simulated("stats")["total"] > 100, "the fan-out did not start")
    heard = stage.heard()
    stage.text("STOP")
    until(lambda: len(stage.heard()) == len(heard) + 1, "the STOP was not confirmed exactly once")
    say("The phone texted STOP in the middle.")


def _all_reached_once(stage: Stage, broadcast_id: int, say: Say) -> None:
    until(lambda: _quiet(stage), "the simulator's receipts did not end")
    tally, ids = until(lambda: _finished(stage, broadcast_id), "the broadcast did not finish")
    parts = ("pending", "handing_over", "sent", "delivered", "failed", "unknown", "skipped")
    expect(sum(tally[name] for name in parts) == tally["audience"], f"The counts do not add up: {tally}")
    texts = [body for body in stage.heard() if "bridge" in body]
    expect(texts == [], "The phone got the broadcast by SMS after its STOP there.")
    stats = stage.simulated("stats")
    doubled = stats["duplicates"] + stats["chats"]["duplicates"]
    expect(doubled == 0, f"The simulator counted {doubled} doubled messages.")
    # By SMS our phone got a welcome and a confirmation; everybody else exactly the broadcast.
    by_sms = sum(one.startswith("SM") for one in ids)
    expect(stats["total"] == by_sms + 2, f"The simulator counted {stats['total']}, and not {by_sms} and 2.")
    chatted = stats["chats"]["total"] - WELCOMES
    expect(chatted == len(ADDRESSES), f"The phone got {chatted} copies on {len(ADDRESSES)} messengers.")
    say(
        f"{by_sms} people got it by SMS, once each, with receipts, and the phone once on each messenger; "
        f"{tally['skipped']} had said stop."
    )


def _stop_elsewhere(stage: Stage, say: Say) -> None:
    before = stage.chatted()
    for to in ADDRESSES:
        stage.text("STOP", to)
    until(lambda: stage.chatted() == before + len(ADDRESSES), "a STOP on a messenger was not confirmed")
    say("The phone texted STOP on each messenger, too.")


def _quiet(stage: Stage) -> bool:
    """Nothing new came in for a second, and every receipt was taken."""
    before = stage.simulated("stats")
    time.sleep(1.0)
    after = stage.simulated("stats")
    return bool(before["total"] == after["total"] and after["callbacks"]["queued"] == 0)


def _finished(stage: Stage, broadcast_id: int) -> Any:
    """Return the counts and the providers' ids once all receipts are there; Telegram and LINE give none."""
    path = stage.home / "report.csv"
    found = stage.command("broadcasts", "report", str(broadcast_id), "--csv", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    waiting = [row for row in rows if row["status"] == "sent" and row["provider_id"][:2] in ("SM", "wa")]
    done = found["state"] == "finished" and not waiting and found["tally"]["delivered"] > 0
    return (found["tally"], [row["provider_id"] for row in rows]) if done else None


def _proof(stage: Stage, say: Say) -> None:
    pack = stage.home / "proof.json"
    stage.command("consent", "prove", stage.phone, "--out", str(pack))
    expect(pack.exists(), f"{pack} was not written.")
    verified = stage.command("consent", "verify")
    expect(verified["bad"] is None, f"The ledger does not verify: {verified}")
    say(f"The proof of consent lies in {pack}; all {verified['count']} entries of the ledger verify.")
