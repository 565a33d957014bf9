"""Tell what happened between one person and us: consent, the texts they sent, the messages they got."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import select

from app.services.controller import Controller
from app.services.find_people import subscriber
from app.storage.database import db
from app.storage.models import (
    Broadcast,
    BroadcastList,
    ConsentEvent,
    Delivery,
    InboundRow,
    Notice,
    Subscriber,
)

Detail = str | int | None


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened. `words` are those of the notice, of the text they sent, or the broadcast's title.

    `details` by kind: consent has event_type, act, list, rule, version, seq, entry_hash, actor; inbound has
    outcome, reply, reply_skipped; delivery has broadcast_id, status, reason, error_code, consent_seq.
    """

    at: datetime
    kind: Literal["consent", "inbound", "delivery"]
    words: str
    details: dict[str, Detail] = field(default_factory=dict)


def timeline(subscriber_id: int, *, controller: Controller, limit: int = 200) -> list[TimelineEntry]:
    """What happened with one person, newest first: consent, texts, and the last `limit` messages to them."""
    who = subscriber(subscriber_id)
    entries = [
        *_consent(who, controller.ledger),
        *_inbound(subscriber_id, limit),
        *_deliveries(subscriber_id, limit),
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _consent(who: Subscriber, ledger: str) -> list[TimelineEntry]:
    rows = (
        select(ConsentEvent, Notice.text, BroadcastList.name)
        .outerjoin(Notice, Notice.id == ConsentEvent.notice_id)
        .outerjoin(BroadcastList, BroadcastList.id == ConsentEvent.list_id)
        .where(ConsentEvent.subject_ref == who.subject_ref, ConsentEvent.ledger == ledger)
        .order_by(ConsentEvent.seq)
    )
    return [_consent_entry(event, notice, name) for event, notice, name in db.session.execute(rows)]


def _consent_entry(event: ConsentEvent, notice: str | None, list_name: str | None) -> TimelineEntry:
    details: dict[str, Detail] = {
        "event_type": event.event_type,
        "act": event.act,
        "list": list_name,
        "rule": event.matched_rule,
        "version": event.notice_version,
        "seq": event.seq,
        "entry_hash": event.entry_hash,
        "actor": event.actor,
    }
    at = datetime.fromisoformat(event.occurred_at).astimezone(UTC)
    return TimelineEntry(at, "consent", notice or "", details)


def _inbound(subscriber_id: int, limit: int) -> list[TimelineEntry]:
    rows = (
        select(InboundRow)
        .where(InboundRow.subscriber_id == subscriber_id)
        .order_by(InboundRow.received_at.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            row.received_at,
            "inbound",
            row.text,
            {"outcome": row.outcome, "reply": row.reply_text, "reply_skipped": row.reply_skipped},
        )
        for row in db.session.scalars(rows)
    ]


def _deliveries(subscriber_id: int, limit: int) -> list[TimelineEntry]:
    rows = (
        select(Delivery, Broadcast.title)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(Delivery.subscriber_id == subscriber_id, Delivery.inbound_id == 0)
        .order_by(Delivery.updated_at.desc())
        .limit(limit)
    )
    return [_delivery_entry(delivery, title) for delivery, title in db.session.execute(rows)]


def _delivery_entry(delivery: Delivery, title: str) -> TimelineEntry:
    details: dict[str, Detail] = {
        "broadcast_id": delivery.broadcast_id,
        "status": delivery.status,
        "reason": delivery.reason,
        "error_code": delivery.error_code,
        "consent_seq": delivery.consent_seq,
    }
    return TimelineEntry(delivery.updated_at, "delivery", title, details)
