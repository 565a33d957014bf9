"""Reads the figures of broadcasts from the counts that the database keeps, and from no delivery."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.domain.channels import TELL_NO_DELIVERY, TELL_READS
from app.domain.parts import count_parts
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services.figures import no_files
from app.services.figures.no_files import NO_FILES, SMS
from app.services.figures.roll_up import ANSWERED, CLICKS, LEFT
from app.services.figures.sums import Sums, total
from app.storage.models import (
    Broadcast,
    BroadcastTarget,
    BroadcastTotal,
    DeliveryTally,
    ReadTally,
    Sender,
)

_NAMES: Final[Mapping[int, str]] = {
    DeliveryStatus.SENT.value: "open",
    DeliveryStatus.DELIVERED.value: "delivered",
    DeliveryStatus.FAILED.value: "failed",
    DeliveryStatus.UNKNOWN.value: "unknown",
    DeliveryStatus.SKIPPED.value: "skipped",
}
_TRIED: Final = ("open", "delivered", "failed", "unknown")
_WITH_REASON: Final = ("failed", "unknown", "skipped")
_NOTHING: Final = Sums()


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
            Broadcast.tests_id.is_(None),
        )
        .order_by(Broadcast.started_at.desc(), Broadcast.id.desc())
    )
    if list_id is not None:
        to_it = select(BroadcastTarget.broadcast_id).where(BroadcastTarget.list_id == list_id)
        chosen = chosen.where(Broadcast.id.in_(to_it))
    return told(session, chosen)


def told(session: Session, chosen: Select[int]) -> list[Told]:
    """Return the figures of the broadcasts that `chosen` selects, in its order."""
    rows = _rows(session, chosen)
    lists, prices = _lists(session, chosen), {row.id: row for row in session.scalars(select(Sender))}
    totals = _totals(session, chosen)
    parts = _parts(session, rows, totals)
    by_sender, reasons = _tallies(session, chosen)
    reads = _reads(session, chosen)
    tellers = {sender_id for sender_id, row in prices.items() if row.channel in TELL_READS}
    found = []
    for one in session.scalars(chosen):
        row, counts = rows[one], by_sender[one].items()
        each = {
            sender_id: _read(_priced(their, parts[one], prices.get(sender_id)), reads[one, sender_id])
            if sender_id in tellers
            else _priced(their, parts[one], prices.get(sender_id))
            for sender_id, their in counts
        }
        sums = replace(
            total(each.values()),
            broadcasts=1,
            audience=row.audience or 0,
            left=totals[one, LEFT],
            answered=totals[one, ANSWERED],
            clicks=totals[one, CLICKS],
        )
        began = row.started_at or row.created_at
        found.append(Told(one, row.title, began, row.state, lists[one], sums, each, reasons[one]))
    return found


def _rows(session: Session, chosen: Select[int]) -> Mapping[int, Any]:
    """The columns that are needed: as whole objects a thousand broadcasts would take longer than all else."""
    columns = (
        Broadcast.id,
        Broadcast.title,
        Broadcast.text,
        Broadcast.state,
        Broadcast.audience,
        Broadcast.started_at,
        Broadcast.created_at,
        Broadcast.sms_parts,
        Broadcast.sms_parts_elsewhere,
    )
    return {row.id: row for row in session.execute(select(*columns).where(Broadcast.id.in_(chosen)))}


def _lists(session: Session, chosen: Select[int]) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    rows = session.execute(
        select(BroadcastTarget.broadcast_id, BroadcastTarget.list_id)
        .where(BroadcastTarget.broadcast_id.in_(chosen))
        .order_by(BroadcastTarget.list_id)
    )
    for broadcast_id, list_id in rows:
        found[broadcast_id] += (list_id,)
    return found


def _tallies(
    session: Session, chosen: Select[int]
) -> tuple[Mapping[int, Mapping[int, Counter[str]]], Mapping[int, Counter[tuple[str, str]]]]:
    """Return counts by broadcast, sender and name of the figure, and by broadcast, status and reason."""
    by_sender: dict[int, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    reasons: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    people = func.sum(DeliveryTally.people)
    keys = (DeliveryTally.broadcast_id, DeliveryTally.sender_id, DeliveryTally.status, DeliveryTally.reason)
    rows = session.execute(
        select(*keys, people)
        .where(DeliveryTally.broadcast_id.in_(chosen))
        .group_by(*keys)
        .having(people != 0)
    )
    for broadcast_id, sender_id, status, reason, count in rows:
        if name := _NAMES.get(status):
            by_sender[broadcast_id][sender_id][name] += int(count)
        if reason and name in _WITH_REASON:
            reasons[broadcast_id][name, reason] += int(count)
    return by_sender, reasons


def _totals(session: Session, chosen: Select[int]) -> Counter[tuple[int, str]]:
    rows = session.execute(
        select(BroadcastTotal.broadcast_id, BroadcastTotal.kind, BroadcastTotal.people).where(
            BroadcastTotal.broadcast_id.in_(chosen)
        )
    )
    return Counter({(broadcast_id, kind): count for broadcast_id, kind, count in rows})


def _reads(session: Session, chosen: Select[int]) -> Counter[tuple[int, int]]:
    rows = session.execute(
        select(ReadTally.broadcast_id, ReadTally.sender_id, ReadTally.people).where(
            ReadTally.broadcast_id.in_(chosen)
        )
    )
    return Counter({(broadcast_id, sender_id): people for broadcast_id, sender_id, people in rows})


def _read(sums: Sums, people: int) -> Sums:
    """Figures of a sender whose platform tells who opened a message."""
    return replace(sums, tells=sums.delivered, read=people)


def _priced(counts: Counter[str], parts: "_Parts", sender: Sender | None) -> Sums:
    """What a provider took is paid for: all but those that failed."""
    sent_to = sum(counts[name] for name in _TRIED)
    took = sent_to - counts["failed"]
    taken = parts.of(took) if sender is not None and sender.channel == SMS else took
    price = sender.price_micros if sender is not None else None
    cost = {} if sender is None or price is None or not sender.currency else {sender.currency: taken * price}
    named = {name: counts[name] for name in ("open", "delivered", "failed", "unknown", "skipped")}
    silent = sender is not None and sender.gateway in TELL_NO_DELIVERY
    receipted = counts["delivered"] if silent else sent_to
    return replace(_NOTHING, sent_to=sent_to, receipted=receipted, parts=taken, cost=cost, **named)


@dataclass(frozen=True)
class _Parts:
    """Parts of one SMS of a broadcast, as it was measured when it was scheduled; of `people` it has `elsewhere`."""

    each: int
    elsewhere: int = 0
    people: int = 0

    def of(self, taken: int) -> int:
        """The parts of so many people."""
        return self.each * (taken - self.people) + self.elsewhere * self.people


def _parts(
    session: Session, rows: Mapping[int, Any], totals: Mapping[tuple[int, str], int]
) -> Mapping[int, _Parts]:
    unknown = [one for one, row in rows.items() if row.sms_parts_elsewhere and (one, NO_FILES) not in totals]
    counted = no_files.count(session, unknown)
    return {
        one: _Parts(
            row.sms_parts or count_parts(row.text),
            row.sms_parts_elsewhere or 0,
            totals.get((one, NO_FILES), counted.get(one, 0)),
        )
        for one, row in rows.items()
    }
