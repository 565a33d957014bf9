"""Tell what happened between one person and us: consent, the texts they sent, the messages they got."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from sqlalchemy import select

from app.services.controller import Controller
from app.services.figures.taken import SENDER_OF_SLICE, SLICE_OF_DELIVERY, nothing_more
from app.services.find_people import subscriber
from app.storage.database import db
from app.storage.models import (
    Broadcast,
    BroadcastList,
    ConsentEvent,
    Delivery,
    InboundRow,
    Notice,
    Sender,
    Slice,
    Subscriber,
)

Detail = str | int | None
_RANKS: Final = {"inbound": 0, "consent": 1, "delivery": 2}


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened. `words` are those of the notice, of the text they sent, or the broadcast's title.

    `details` by kind: consent has event_type, act, list, rule, version, seq, entry_hash, actor; inbound has
    outcome, rule, reply, reply_skipped; delivery has broadcast_id, status, reason, error_code, consent_seq, and
    whether its platform tells nothing_more. `id` grows with what comes later, within one kind.
    """

    at: datetime
    kind: Literal["consent", "inbound", "delivery"]
    words: str
    details: dict[str, Detail] = field(default_factory=dict)
    id: int = 0


def timeline(subscriber_id: int, *, controller: Controller, limit: int = 200) -> list[TimelineEntry]:
    """What happened with one person, newest first: consent, texts, and the last `limit` messages to them."""
    who = subscriber(subscriber_id)
    entries = [
        *_consent(who, controller.ledger),
        *_inbound(subscriber_id, limit),
        *_deliveries(subscriber_id, limit),
    ]
    return _newest_first(entries)


def _newest_first(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Sort by time; of one moment, a text comes before what it did, and both before the next text.

    The ledger keeps milliseconds, and texts that were taken in together have one time.
    """
    texts: dict[datetime, list[TimelineEntry]] = {}
    for one in sorted(entries, key=lambda one: one.id):
        if one.kind == "inbound":
            texts.setdefault(_moment(one), []).append(one)

    def order(one: TimelineEntry) -> tuple[datetime, int, int, int]:
        beside = texts.get(_moment(one), [])
        by_rule = [text.id for text in beside if text.details["rule"] == one.details.get("rule")]
        text_id = one.id if one.kind == "inbound" else (by_rule or [text.id for text in beside] or [0])[-1]
        return _moment(one), text_id, _RANKS[one.kind], one.id

    return sorted(entries, key=order, reverse=True)


def _moment(entry: TimelineEntry) -> datetime:
    return entry.at.replace(microsecond=entry.at.microsecond // 1000 * 1000)


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
    return TimelineEntry(at, "consent", notice or "", details, event.seq)


def _inbound(subscriber_id: int, limit: int) -> list[TimelineEntry]:
    rows = (
        select(InboundRow)
        .where(InboundRow.subscriber_id == subscriber_id)
        .order_by(InboundRow.received_at.desc(), InboundRow.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            row.received_at,
            "inbound",
            row.text,
            {
                "outcome": row.outcome,
                "rule": row.rule,
                "reply": row.reply_text,
                "reply_skipped": row.reply_skipped,
            },
            row.id,
        )
        for row in db.session.scalars(rows)
    ]


def _deliveries(subscriber_id: int, limit: int) -> list[TimelineEntry]:
    rows = (
        select(Delivery, Broadcast.title, Sender.gateway)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .outerjoin(Slice, SLICE_OF_DELIVERY)
        .outerjoin(Sender, SENDER_OF_SLICE)
        .where(Delivery.subscriber_id == subscriber_id, Delivery.inbound_id == 0)
        .order_by(Delivery.updated_at.desc(), Delivery.broadcast_id.desc())
        .limit(limit)
    )
    return [_delivery_entry(*row) for row in db.session.execute(rows)]


def _delivery_entry(delivery: Delivery, title: str, gateway: str | None) -> TimelineEntry:
    details: dict[str, Detail] = {
        "broadcast_id": delivery.broadcast_id,
        "status": delivery.status,
        "reason": delivery.reason,
        "error_code": delivery.error_code,
        "consent_seq": delivery.consent_seq,
        "nothing_more": nothing_more(delivery.status, gateway),
    }
    return TimelineEntry(delivery.updated_at, "delivery", title, details, delivery.broadcast_id)
