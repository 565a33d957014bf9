"""Adds up the ledger and the texts for the reports, each entry exactly once.

Where it stands is kept in the transaction that counts, so a clock that dies in between has counted nothing. The
ledger's numbers have no gaps; those of texts may be committed out of order, so both are read a minute late, which is
longer than any request of ours lives.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.comings import Coming, comings, tag_of
from app.domain.consent import EventType
from app.domain.keywords import Outcome
from app.domain.ledger import iso_ms
from app.services.controller import Controller
from app.services.figures.last_had import Moment, last_had
from app.services.rebuild_subscriptions import fact_of
from app.storage.counters import add, insert_into
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastHour,
    BroadcastList,
    BroadcastTotal,
    ConsentEvent,
    FigureMark,
    InboundRow,
    ListDay,
    Subscriber,
    WordDay,
)

SETTLED_AFTER: Final = timedelta(seconds=60)
BATCH: Final = 2000
TEXTS: Final = "texts"
LEFT, ANSWERED, CLICKS = "left", "answered", "clicks"
_NO_COMMAND: Final = frozenset({Outcome.NONE.value, Outcome.REVIEW.value})
_SILENT: Final = (EventType.NOTICE_SHOWN.value, EventType.IMPORT_REJECTED.value)

Counts = Counter[tuple[Any, ...]]


def roll_up(*, controller: Controller, now: datetime, batch: int = BATCH) -> int:
    """Count the next `batch` entries of the ledger, and as many texts; returns how many there were."""
    return _ledger(controller, now, batch) + _texts(now, batch)


def counted_until(controller: Controller) -> datetime | None:
    """Return up to when everything is in the figures; None when nothing is."""
    sources = (_source(controller), TEXTS)
    rows = db.session.scalars(select(FigureMark.at).where(FigureMark.source.in_(sources))).all()
    return min(rows) if len(rows) == len(sources) else None


def _source(controller: Controller) -> str:
    return f"ledger:{controller.ledger}"


def _ledger(controller: Controller, now: datetime, batch: int) -> int:
    with transaction() as session:
        mark = _mark(session, _source(controller), now)
        last = session.scalar(
            select(func.max(ConsentEvent.seq)).where(
                ConsentEvent.ledger == controller.ledger,
                ConsentEvent.seq > mark.upto,
                ConsentEvent.seq <= mark.upto + batch,
                ConsentEvent.recorded_at <= iso_ms(now - SETTLED_AFTER),
            )
        )
        if last is None:
            mark.at = now - SETTLED_AFTER
            return 0
        entries = _entries(session, controller, mark.upto, last)
        found = list(_new_comings(session, controller, entries, mark.upto, last))
        _count_lists(session, [(one, entries[one.fact.seq]) for one in found])
        gone = {one.fact.seq for one in found if not one.joined}
        _count_left(session, [entries[seq] for seq in sorted(gone)])
        counted, mark.upto = last - mark.upto, last
        mark.at = datetime.fromisoformat(
            max((one.recorded_at for one in entries.values()), default=iso_ms(mark.at))
        )
        return counted


def _mark(session: Session, source: str, now: datetime) -> FigureMark:
    """The mark of a source, locked, so that two clocks count one after the other."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    insert = insert_into(session, FigureMark).values(source=source, upto=0, at=epoch)
    session.execute(insert.on_conflict_do_nothing())
    return session.get_one(FigureMark, source, with_for_update=True)


def _entries(session: Session, controller: Controller, after: int, last: int) -> Mapping[int, ConsentEvent]:
    rows = session.scalars(
        select(ConsentEvent).where(
            ConsentEvent.ledger == controller.ledger, ConsentEvent.seq > after, ConsentEvent.seq <= last
        )
    )
    return {row.seq: row for row in rows}


def _new_comings(
    session: Session, controller: Controller, entries: Mapping[int, ConsentEvent], after: int, last: int
) -> Iterable[Coming]:
    """Fold the people of these entries from their beginning, and return what the entries themselves did."""
    people = {row.subject_ref for row in entries.values() if row.event_type not in _SILENT}
    list_ids = set(session.scalars(select(BroadcastList.id)))
    rows = session.execute(
        select(
            ConsentEvent.subject_ref,
            ConsentEvent.seq,
            ConsentEvent.event_type,
            ConsentEvent.occurred_at,
            ConsentEvent.list_id,
            ConsentEvent.act,
            ConsentEvent.stale_at,
            ConsentEvent.reply_skipped_reason,
        )
        .where(
            ConsentEvent.subject_ref.in_(people),
            ConsentEvent.ledger == controller.ledger,
            ConsentEvent.seq <= last,
            ConsentEvent.event_type.not_in(_SILENT),
        )
        .order_by(ConsentEvent.subject_ref, ConsentEvent.seq)
    )
    for _, theirs in groupby(rows, key=lambda row: row.subject_ref):
        yield from (one for one in comings(map(fact_of, theirs), list_ids) if one.fact.seq > after)


def _count_lists(session: Session, found: Sequence[tuple[Coming, ConsentEvent]]) -> None:
    zones = {row.id: ZoneInfo(row.zone) for row in session.scalars(select(BroadcastList))}
    counts: Counts = Counter()
    for one, entry in found:
        day = datetime.fromisoformat(entry.recorded_at).astimezone(zones[one.list_id]).date()
        kind = "joined" if one.joined else "left"
        act = entry.act or entry.event_type
        counts[one.list_id, day, kind, entry.channel, act, tag_of(entry.cta_ref) if one.joined else ""] += 1
    add(session, ListDay, "people", counts)


def _count_left(session: Session, entries: Sequence[ConsentEvent]) -> None:
    withdrawn = [one for one in entries if one.event_type == EventType.CONSENT_WITHDRAWN]
    rows = session.execute(
        select(Subscriber.subject_ref, Subscriber.id).where(
            Subscriber.subject_ref.in_([one.subject_ref for one in withdrawn])
        )
    )
    ids = {one: other for one, other in rows}
    moments = [
        Moment(ids[one.subject_ref], datetime.fromisoformat(one.recorded_at))
        for one in withdrawn
        if one.subject_ref in ids
    ]
    _count_after_broadcasts(session, LEFT, moments)


def _texts(now: datetime, batch: int) -> int:
    with transaction() as session:
        mark = _mark(session, TEXTS, now)
        rows = session.execute(
            select(
                InboundRow.id,
                InboundRow.sender_id,
                InboundRow.subscriber_id,
                InboundRow.received_at,
                InboundRow.outcome,
                InboundRow.rule,
            )
            .where(InboundRow.id > mark.upto, InboundRow.received_at <= now - SETTLED_AFTER)
            .order_by(InboundRow.id)
            .limit(batch)
        ).all()
        if len(rows) < batch:
            mark.at = now - SETTLED_AFTER
        if not rows:
            return 0
        add(
            session,
            WordDay,
            "texts",
            Counter((row.received_at.date(), row.sender_id, row.outcome, row.rule) for row in rows),
        )
        answers = [Moment(row.subscriber_id, row.received_at) for row in rows if row.outcome in _NO_COMMAND]
        _count_after_broadcasts(session, ANSWERED, answers)
        mark.upto = rows[-1].id
        return len(rows)


def _count_after_broadcasts(session: Session, kind: str, moments: Sequence[Moment]) -> None:
    counts: Counts = Counter()
    for moment, broadcast_id in last_had(session, moments):
        counts[broadcast_id, kind, moment.at.replace(minute=0, second=0, microsecond=0)] += 1
    add(session, BroadcastHour, "people", counts)
    totals: Counts = Counter()
    for (broadcast_id, of, _), people in counts.items():
        totals[broadcast_id, of] += people
    add(session, BroadcastTotal, "people", totals)
