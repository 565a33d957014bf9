"""Reads the figures of broadcasts from the counts that the database keeps: never a delivery, never a person."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain.parts import measure
from app.domain.placeholders import read
from app.domain.short_links import with_short
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services.figures.roll_up import ANSWERED, LEFT
from app.services.figures.sums import Sums, total
from app.storage.models import (
    Broadcast,
    BroadcastHour,
    BroadcastTarget,
    BroadcastVariant,
    ClickHour,
    DeliveryTally,
    Sender,
    ShortLink,
)

SMS = "sms"
_TRIED = {
    DeliveryStatus.SENT.value: "open",
    DeliveryStatus.DELIVERED.value: "delivered",
    DeliveryStatus.FAILED.value: "failed",
    DeliveryStatus.UNKNOWN.value: "unknown",
}


@dataclass(frozen=True)
class Told:
    """One broadcast that began: its figures in all, by sender, and why people did not get it."""

    id: int
    title: str
    started_at: datetime
    state: str
    list_ids: tuple[int, ...]
    sums: Sums
    by_sender: Mapping[int, Sums]
    reasons: Mapping[tuple[str, str], int]


def broadcasts(
    session: Session, *, since: datetime, until: datetime, list_id: int | None = None
) -> list[Told]:
    """Return the broadcasts that began in that time (`until` not included), to one list or to any, the newest first."""
    chosen = (
        select(Broadcast.id)
        .where(
            Broadcast.started_at >= since,
            Broadcast.started_at < until,
            Broadcast.state != BroadcastState.REPLIES.value,
        )
        .order_by(Broadcast.started_at.desc(), Broadcast.id.desc())
    )
    if list_id is not None:
        to_it = select(BroadcastTarget.broadcast_id).where(BroadcastTarget.list_id == list_id)
        chosen = chosen.where(Broadcast.id.in_(to_it))
    return told(session, chosen)


def told(session: Session, chosen: Select[int]) -> list[Told]:
    """Return the figures of the broadcasts that `chosen` selects, in its order."""
    ids = list(session.scalars(chosen))
    rows = {row.id: row for row in session.scalars(select(Broadcast).where(Broadcast.id.in_(ids)))}
    lists, prices = _lists(session, ids), _prices(session)
    parts, effects, clicks = _parts(session, rows), _effects(session, ids), _clicks(session, ids)
    by_sender, reasons = _tallies(session, ids)
    found = []
    for one in ids:
        row = rows[one]
        each = {
            sender_id: _priced(sums, parts[one], prices.get(sender_id))
            for sender_id, sums in by_sender[one].items()
        }
        sums = replace(
            total(each.values()),
            broadcasts=1,
            audience=row.audience or 0,
            left=effects[one, LEFT],
            answered=effects[one, ANSWERED],
            clicks=clicks[one],
        )
        started = row.started_at or row.created_at
        found.append(Told(one, row.title, started, row.state, lists[one], sums, each, reasons[one]))
    return found


def _lists(session: Session, ids: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    rows = session.execute(
        select(BroadcastTarget.broadcast_id, BroadcastTarget.list_id)
        .where(BroadcastTarget.broadcast_id.in_(ids))
        .order_by(BroadcastTarget.list_id)
    )
    for broadcast_id, list_id in rows:
        found[broadcast_id] += (list_id,)
    return found


def _tallies(
    session: Session, ids: Sequence[int]
) -> tuple[Mapping[int, dict[int, Sums]], Mapping[int, Counter[tuple[str, str]]]]:
    by_sender: dict[int, dict[int, Sums]] = defaultdict(dict)
    reasons: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    people = func.sum(DeliveryTally.people)
    keys = (DeliveryTally.broadcast_id, DeliveryTally.sender_id, DeliveryTally.status, DeliveryTally.reason)
    rows = session.execute(
        select(*keys, people).where(DeliveryTally.broadcast_id.in_(ids)).group_by(*keys).having(people != 0)
    )
    for broadcast_id, sender_id, status, reason, count in rows:
        before = by_sender[broadcast_id].get(sender_id, Sums())
        by_sender[broadcast_id][sender_id] = before + _counted(status, reason, int(count))
        if reason and status in (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN):
            reasons[broadcast_id][DeliveryStatus(status).name.lower(), reason] += int(count)
    return by_sender, reasons


def _counted(status: int, reason: str, count: int) -> Sums:
    if status == DeliveryStatus.SKIPPED:
        return Sums(skipped=count)
    name = _TRIED.get(status)
    counts: dict[str, Any] = {name: count, "sent_to": count} if name else {}
    return Sums(**counts)


def _effects(session: Session, ids: Sequence[int]) -> Counter[tuple[int, str]]:
    rows = session.execute(
        select(BroadcastHour.broadcast_id, BroadcastHour.kind, func.sum(BroadcastHour.people))
        .where(BroadcastHour.broadcast_id.in_(ids))
        .group_by(BroadcastHour.broadcast_id, BroadcastHour.kind)
    )
    return Counter({(broadcast_id, kind): int(count) for broadcast_id, kind, count in rows})


def _clicks(session: Session, ids: Sequence[int]) -> Counter[int]:
    rows = session.execute(
        select(ShortLink.broadcast_id, func.sum(ClickHour.people))
        .join(ClickHour, ClickHour.code == ShortLink.code)
        .where(ShortLink.broadcast_id.in_(ids))
        .group_by(ShortLink.broadcast_id)
    )
    return Counter({broadcast_id: int(count) for broadcast_id, count in rows})


def _prices(session: Session) -> Mapping[int, Sender]:
    return {row.id: row for row in session.scalars(select(Sender))}


def _priced(sums: Sums, parts: int, sender: Sender | None) -> Sums:
    """What a provider took is paid for: all but those that failed."""
    each = parts if sender is not None and sender.channel == SMS else 1
    taken = each * (sums.sent_to - sums.failed)
    if sender is None or sender.price_micros is None or not sender.currency:
        return replace(sums, parts=taken)
    return replace(sums, parts=taken, cost={sender.currency: taken * sender.price_micros})


def _parts(session: Session, rows: Mapping[int, Broadcast]) -> Mapping[int, int]:
    """Parts of each broadcast's SMS, as far as the text tells: placeholders count with their fall-backs."""
    own = select(BroadcastVariant).where(
        BroadcastVariant.broadcast_id.in_(rows), BroadcastVariant.channel == SMS
    )
    texts = {row.broadcast_id: row.text for row in session.scalars(own)}
    links: dict[int, dict[str, str]] = defaultdict(dict)
    for link in session.scalars(select(ShortLink).where(ShortLink.broadcast_id.in_(rows))):
        links[link.broadcast_id][link.url] = link.address
    return {
        one: measure(with_short(read(texts.get(one, row.text)), links[one]).render({})).count
        for one, row in rows.items()
    }
