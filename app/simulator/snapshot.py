"""Keeps senders, blocks and the phones' conversations in a file, so that a restarted demo goes on where it was."""

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from app.domain.styles import Span, Style
from app.simulator.keys import Key
from app.simulator.messengers import read_account
from app.simulator.records import BadSender, Bubble, read_sender
from app.simulator.world import World


class BadSnapshot(ValueError):
    """The file is not what this module wrote; the text says what to do."""


def save(world: World, path: Path) -> None:
    """Write the file at once and whole; only its owner may read it, for it holds the senders' tokens."""
    beside = path.with_name(path.name + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(_describe(world), file, ensure_ascii=False)
    beside.replace(path)


def load(world: World, path: Path) -> None:
    """Take up what the file holds; a file that is not there is an empty one. Raises BadSnapshot."""
    if not path.exists():
        return
    try:
        _restore(world, json.loads(path.read_text(encoding="utf-8")))
    except (BadSender, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSnapshot(f"{path} cannot be read ({error}); delete it to start with empty phones") from error


def _describe(world: World) -> dict[str, Any]:
    state, conversations = world.state, world.conversations
    with state.lock:
        opted_out, blocks = sorted(state.opted_out), sorted(state.handset_blocks)
    return {
        "senders": [asdict(sender) for sender in state.all_senders()],
        "accounts": [asdict(account) for account in world.chats.all()],
        "chats": sorted(world.chats.opened),
        "chat_blocks": sorted(world.chats.blocks),
        "chat_unwanted": sorted(world.chats.unwanted),
        "chat_words": [[*who, at.isoformat()] for who, at in sorted(world.chats.last_words.items())],
        "opted_out": opted_out,
        "handset_blocks": blocks,
        "version": conversations.version,
        "bubbles": {
            persona.number: [
                asdict(bubble) | {"at": bubble.at.isoformat()}
                for bubble in conversations.bubbles(persona.number)
            ]
            for persona in conversations.personas()
        },
    }


def _bubble(each: dict[str, Any]) -> Bubble:
    keys = tuple(Key(*one) for one in each.get("keys", ()))
    looks = tuple(Span(start, end, Style(style)) for start, end, style in each.get("looks", ()))
    return Bubble(**(each | {"at": datetime.fromisoformat(each["at"]), "keys": keys, "looks": looks}))


def _restore(world: World, saved: dict[str, Any]) -> None:
    senders = [read_sender(each) for each in saved["senders"]]
    opted_out = {(str(phone), str(scope)) for phone, scope in saved["opted_out"]}
    blocks = {(str(phone), str(sender)) for phone, sender in saved["handset_blocks"]}
    bubbles = {number: [_bubble(each) for each in entries] for number, entries in saved["bubbles"].items()}
    for sender in senders:
        world.state.put_sender(sender)
    for account in saved.get("accounts", ()):
        world.chats.put(read_account(account))
    world.chats.opened |= {(str(phone), str(ours)) for phone, ours in saved.get("chats", ())}
    world.chats.blocks |= {(str(phone), str(ours)) for phone, ours in saved.get("chat_blocks", ())}
    world.chats.unwanted |= {(str(phone), str(ours)) for phone, ours in saved.get("chat_unwanted", ())}
    for phone, ours, at in saved.get("chat_words", ()):
        world.chats.last_words[phone, ours] = datetime.fromisoformat(at)
    world.state.opted_out |= opted_out
    world.state.handset_blocks |= blocks
    world.conversations.restore(bubbles, int(saved["version"]))
