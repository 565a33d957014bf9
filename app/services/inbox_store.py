"""The store behind the inbox on a site's pages: take messages in, show them to their reader, note what was read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.domain.messages import DeliveryRef, Receipt, ReceiptStatus
from app.gateways.base import Call, Reply
from app.services import inbox_changes
from app.services.controller import Controller
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage.database import db, is_sqlite, transaction
from app.storage.models import InboxMessage, Subscriber

SHOWN: Final = 50
"""How many messages a reader sees, the newest first."""


class StoreTransport:
    """Carries calls into the table, each poll all that wait in one transaction: they are there whole, or not at all.

    A delivery is stored once, however often its call is carried: its reference is unique in the table. So a
    transaction that failed may be tried again, even when nobody knows whether it was committed.
    """

    def __init__(self, clock: Callable[[], datetime], room: int) -> None:
        self._clock, self._room = clock, room
        self._waiting: list[Call] = []

    @property
    def free(self) -> int:
        """How many more calls may be in flight."""
        return self._room - len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many calls wait for an answer."""
        return len(self._waiting)

    def submit(self, call: Call) -> None:
        """Take a call; it is carried by the next `poll`."""
        self._waiting.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Store what waits, and return the answers."""
        calls, self._waiting = self._waiting, []
        if not calls:
            return []
        try:
            return self._carry(calls)
        except DBAPIError as error:
            return [(call, Reply(0, left=False, reason=type(error).__name__[:20])) for call in calls]

    def _carry(self, calls: Sequence[Call]) -> list[tuple[Call, Reply]]:
        with transaction() as session:
            return [(call, _take(session, call, self._clock())) for call in calls]

    def close(self) -> None:
        """Drop what waits."""
        self._waiting.clear()


def _take(session: Session, call: Call, now: datetime) -> Reply:
    given = json.loads(call.body)
    there = set(
        session.scalars(
            select(Subscriber.id).where(
                Subscriber.id.in_([ref.subscriber_id for ref in call.refs]), Subscriber.erased_at.is_(None)
            )
        )
    )
    refs = [ref for ref in call.refs if ref.subscriber_id in there]
    missing: list[DeliveryRef] = []
    if "act" in given:
        olds = dict(zip(call.refs, map(DeliveryRef.parse, given["replaces"]), strict=True))
        missing = inbox_changes.change(session, {ref: olds[ref] for ref in refs}, given, now)
    elif rows := [_row(ref, given, now) for ref in refs]:
        dialect = sqlite if is_sqlite(session) else postgresql
        session.execute(dialect.insert(InboxMessage).on_conflict_do_nothing(), rows)
    gone = [ref for ref in call.refs if ref.subscriber_id not in there]
    told = {"id": given["id"], "gone": list(map(str, gone)), "missing": list(map(str, missing))}
    return Reply(201, json.dumps(told).encode())


def _row(ref: DeliveryRef, given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "broadcast_id": ref.broadcast_id,
        "subscriber_id": ref.subscriber_id,
        "inbound_id": ref.inbound_id,
        "text": given["text"],
        "media": given.get("media"),
        "buttons": given.get("buttons"),
        "at": now,
    }


@dataclass(frozen=True)
class Shown:
    """One message as its reader sees it."""

    id: int
    text: str
    at: datetime
    read: bool
    edited: bool = False
    media: Mapping[str, str] | None = None
    buttons: Sequence[Mapping[str, str]] = ()


def messages_for(channel: str, address: str) -> list[Shown]:
    """Return the newest messages of a reader, the newest first."""
    rows = db.session.scalars(
        select(InboxMessage)
        .join(Subscriber, Subscriber.id == InboxMessage.subscriber_id)
        .where(Subscriber.channel == channel, Subscriber.address == address)
        .order_by(InboxMessage.id.desc())
        .limit(SHOWN)
    )
    return [
        Shown(
            row.id,
            row.text,
            row.at,
            row.read_at is not None,
            row.edited_at is not None,
            row.media,
            row.buttons or (),
        )
        for row in rows
    ]


def mark_read(
    channel: str, address: str, ids: Sequence[int], *, sender_id: int, controller: Controller, now: datetime
) -> int:
    """Note that a reader has read messages of theirs, and tell the deliveries; returns how many are newly read."""
    with transaction() as session:
        reader = select(Subscriber.id).where(Subscriber.channel == channel, Subscriber.address == address)
        read = session.scalars(
            update(InboxMessage)
            .where(
                InboxMessage.id.in_(ids),
                InboxMessage.subscriber_id == reader.scalar_subquery(),
                InboxMessage.read_at.is_(None),
            )
            .values(read_at=now)
            .returning(InboxMessage)
        ).all()
        # Who reads a message with other words has the correction; nobody knows whether they had read the old ones.
        refs = [
            DeliveryRef(row.edited_by or row.broadcast_id, row.subscriber_id, row.inbound_id) for row in read
        ]
    receipts = [SenderReceipt(sender_id, Receipt(ref, "", ReceiptStatus.DELIVERED)) for ref in refs]
    record_receipts(receipts, controller=controller, now=now)
    return len(refs)
