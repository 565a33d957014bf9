"""Read kept posts of providers again, after a fault of ours was mended; what was taken before changes nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import update

from app.gateways.base import Errand, Gateway, GatewayError
from app.services.apply_event import apply_event
from app.services.audit import note
from app.services.controller import Controller
from app.services.kept_hooks import PROBLEMS, Opened, Took, what_of
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage.database import transaction
from app.storage.models import Webhook


@dataclass
class Replayed:
    """What became of posts that were read again; `fresh` counts texts and signals that had not been taken before.

    `failed` names the posts that still cannot be taken, with the reason; `replies` are senders with an answer to give.
    """

    read: int = 0
    fresh: int = 0
    receipts: int = 0
    mended: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    replies: set[int] = field(default_factory=set)


def replay(
    posts: Iterable[Opened],
    gateways: Callable[[int], Gateway | None],
    *,
    by: str,
    controller: Controller,
    now: datetime,
) -> Replayed:
    """Take each post with the moment at which it came: a START that is late by now opens nothing that a STOP closed.

    Their signatures were checked when they came. Calls of ours that belong to an event (`Errand`) are not made again.
    """
    done = Replayed()
    for post in posts:
        done.read += 1
        try:
            _take(post, gateways(post.sender_id), done, controller, now)
        except Exception as error:
            done.failed[post.id] = str(error) if isinstance(error, GatewayError) else type(error).__name__
            continue
        if post.what in PROBLEMS:
            done.mended += 1
    with transaction() as session:
        note(
            session, by, "hooks.replay", "webhooks", now, read=done.read, fresh=done.fresh, mended=done.mended
        )
    return done


def _take(
    post: Opened, gateway: Gateway | None, done: Replayed, controller: Controller, now: datetime
) -> None:
    if gateway is None:
        raise GatewayError("its sender is gone")
    if post.request is None:
        raise GatewayError(post.reason)
    events = gateway.parse(post.request)
    for event in events:
        if event.receipt is not None:
            receipt = SenderReceipt(post.sender_id, event.receipt)
            record_receipts([receipt], controller=controller, now=now)
            done.receipts += 1
            continue
        plain = event if not isinstance(event, Errand) or not event.first else None
        received = plain and apply_event(
            plain, sender_id=post.sender_id, controller=controller, now=now, came_at=post.received_at
        )
        if received and not received.duplicate:
            done.fresh += 1
            done.replies |= {post.sender_id} if received.reply_waits else set()
    if post.what in PROBLEMS:
        _is_taken(post.id, what_of(events))


def _is_taken(webhook_id: int, what: Took) -> None:
    with transaction() as session:
        session.execute(update(Webhook).where(Webhook.id == webhook_id).values(what=what.value))
