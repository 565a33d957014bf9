"""`tidings hooks`: what providers posted to us, kept sealed for a week, and read again after a fault."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.gateways.base import Gateway
from app.gateways.registry import build
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services.gateways_of_senders import gateway_of
from app.services.kept_hooks import PROBLEMS, Opened, Took, kept
from app.services.manage_senders import find_sender
from app.services.replay_hooks import replay
from app.storage.database import db
from app.storage.models import Sender

hooks = AppGroup("hooks", help="What providers posted to us, kept to be read again.")


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--hours", type=click.IntRange(1, 24 * 366), help="Only what came in so many hours."),
        click.option("--sender", "sender_name", help="Only what came to this sender."),
        click.option("--all", "everything", is_flag=True, help="Also what we could take."),
    ):
        command = option(command)
    return command


@hooks.command("list")
@_chosen
@json_option
def list_hooks(everything: bool, sender_name: str | None, hours: int | None, as_json: bool) -> None:
    """List posts that we could not take, and why; with --all also those that we could. Bodies are not shown.

    \b
    Example:
      tidings hooks list --hours 24
    """
    names = {one.id: one.name for one in db.session.query(Sender)}
    found = [_line(one, names) for one in _posts(everything, sender_name, hours)]
    headings = ("id", "sender", "received", "taken as", "reason")
    cells = [tuple(one.values()) for one in found]
    say(found, as_json, lambda: table(headings, cells, empty="Nothing is here."))


@hooks.command("replay")
@_chosen
@json_option
def replay_hooks(everything: bool, sender_name: str | None, hours: int | None, as_json: bool) -> None:
    """Read posts again that we could not take when they came; with --all every one that is kept.

    What was taken before changes nothing, and nobody is answered twice. A text is as old as it is: a START that came
    before a STOP opens nothing, and an answer that comes too late is not given.

    \b
    Example:
      tidings hooks replay --sender news-us --hours 24
    """
    done = replay(
        _posts(everything, sender_name, hours),
        _gateway,
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    for sender_id in done.replies:
        enqueue_lane(sender_id, REPLIES)
    data = {
        "read": done.read,
        "fresh": done.fresh,
        "receipts": done.receipts,
        "mended": done.mended,
        "failed": {str(key): why for key, why in done.failed.items()},
    }
    lines = [
        f"{done.read} read, {done.fresh} texts or signals taken that had not been, {done.mended} mended.",
        *(f"  post {key} still cannot be taken: {why}" for key, why in done.failed.items()),
    ]
    say(data, as_json, lambda: "\n".join(lines))
    if done.failed:
        raise click.exceptions.Exit(1)


def _posts(everything: bool, sender_name: str | None, hours: int | None) -> Iterator[Opened]:
    sender_id = find_sender(db.session(), sender_name).id if sender_name else None
    since: datetime | None = utcnow() - timedelta(hours=hours) if hours else None
    what = tuple(Took) if everything else PROBLEMS
    return kept(controller=runtime().controller, sender_id=sender_id, since=since, what=what)


def _gateway(sender_id: int) -> Gateway | None:
    sender = db.session.get(Sender, sender_id)
    return None if sender is None else gateway_of(sender, runtime().controller, build)


def _line(post: Opened, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": post.id,
        "sender": names.get(post.sender_id, str(post.sender_id)),
        "received_at": post.received_at,
        "what": post.what.value,
        "reason": post.reason,
    }
