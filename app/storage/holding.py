"""Holds people back whom the moment forbids to write to: their delivery waits for `due_at`, or is skipped."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, bindparam, case, func, literal, select, true, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.functions import FunctionElement

from app.domain.policy.decisions import CAP_PERIOD, Decision, Defer, Skip, decide
from app.domain.statuses import DeliveryStatus, SkipReason
from app.storage.database import UtcDateTime
from app.storage.models import Delivery, Slice, Subscriber

# What may have reached a person; FAILED has not.
HAD_IT = (
    DeliveryStatus.HANDING_OVER.value,
    DeliveryStatus.SENT.value,
    DeliveryStatus.DELIVERED.value,
    DeliveryStatus.UNKNOWN.value,
)


@dataclass(frozen=True)
class Spent:
    """Who had `count` of the broadcasts `recent` since `since` may have no more before `until`; none: nobody had."""

    recent: tuple[int, ...] = ()
    count: int = 0
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Limits:
    """What the moment forbids a broadcast; true until `valid_until`.

    `closed` pairs a decision with the quiet groups it is about, None meaning everybody. `recent` are the other
    broadcasts of the last 24 hours, empty where they are too few to reach `cap`. `spread_s`: people whose hours
    open together are spread over so many seconds. `spent` is the platform's quota, where each person has one. A
    channel for small lists lets through `most_people` of a broadcast.
    """

    valid_until: datetime
    expires_at: datetime | None = None
    closed: tuple[tuple[Decision, tuple[int, ...] | None], ...] = ()
    spread_s: int = 60
    recent: tuple[int, ...] = ()
    cap: int = 0
    spent: Spent = Spent()
    most_people: int | None = None


def hold_back(
    session: Session,
    broadcast_id: int,
    slice_seq: int,
    limits: Limits,
    now: datetime,
    among: Collection[int] | None = None,
) -> set[int]:
    """Make those of a slice (of the subscribers `among`) wait or skip whom `limits` forbid; returns who they are.

    Two rules may hold for one person: the first found wins, and when the wait is over the gate asks again.
    """
    waiting = [
        Delivery.broadcast_id == broadcast_id,
        Delivery.inbound_id == 0,
        Delivery.slice == slice_seq,
        Delivery.status == DeliveryStatus.PENDING.value,
        Delivery.due_at.is_(None),
    ]
    if among is not None:
        waiting.append(Delivery.subscriber_id.in_(among))
    held: set[int] = set()
    for written, groups in _writes(limits):
        held |= _by_group(session, waiting, written, groups, now)
    if limits.recent:
        held |= _by_cap(session, broadcast_id, waiting, limits, now)
    if limits.spent.since is not None:
        held |= _by_quota(session, broadcast_id, waiting, limits, limits.spent.since, now)
    if limits.most_people is not None:
        held |= _beyond(session, broadcast_id, slice_seq, waiting, limits.most_people, now)
    return held


def over_cap(people: Subquery, recent: Sequence[int], cap: int, since: datetime) -> Select[int, datetime]:
    """SELECT those of `people` (subscriber ids) who have had `cap` messages since a moment, each with the moment of
    the first of these. Counted are deliveries of the broadcasts `recent`."""
    had = aliased(Delivery)
    return (
        select(had.subscriber_id, func.min(had.updated_at).label("first"))
        .where(
            had.broadcast_id.in_(recent),
            had.subscriber_id == people.c.subscriber_id,
            had.inbound_id == 0,
            had.status.in_(HAD_IT),
            had.updated_at > since,
        )
        .group_by(had.subscriber_id)
        .having(func.count() >= cap)
    )


@dataclass(frozen=True)
class Full:
    """People of a quiet group who have had enough: how many, of them for how many the wait ends too late, and when
    the waits of the first and the last end."""

    group_id: int | None
    people: int
    too_late: int
    first: datetime
    last: datetime


def over_cap_by_group(
    session: Session, people: Subquery, recent: Sequence[int], cap: int, at: datetime, expires_at: datetime
) -> list[Full]:
    """Count those of `people` who would have had enough at `at`, by quiet group."""
    full = over_cap(people, recent, cap, at - CAP_PERIOD).subquery()
    late = case((full.c.first >= expires_at - CAP_PERIOD, 1), else_=0)
    rows = session.execute(
        select(
            Subscriber.quiet_group_id,
            func.count(),
            func.sum(late),
            func.min(full.c.first),
            func.max(full.c.first),
        )
        .join(full, full.c.subscriber_id == Subscriber.id)
        .group_by(Subscriber.quiet_group_id)
    )
    return [
        Full(group, count, too_late, first + CAP_PERIOD, last + CAP_PERIOD)
        for group, count, too_late, first, last in rows
    ]


def waiting_by_group(session: Session, broadcast_id: int) -> dict[int | None, int]:
    """Count those by quiet group whose delivery waits for `due_at`."""
    rows = session.execute(
        select(Subscriber.quiet_group_id, func.count())
        .join(Delivery, Delivery.subscriber_id == Subscriber.id)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.status == DeliveryStatus.PENDING.value,
            Delivery.due_at.is_not(None),
        )
        .group_by(Subscriber.quiet_group_id)
    )
    return {group: people for group, people in rows}


@dataclass(frozen=True)
class Held:
    """People whose delivery waits for its moment: the turn of the `first` comes then, of the `last` then.

    `more`: there are more than `people`, and nobody counted them.
    """

    people: int
    more: bool
    first: datetime
    last: datetime


def held_of(session: Session, broadcast_id: int, now: datetime, most: int) -> Held | None:
    """Return whom quiet hours or the messages of the day hold back; None for nobody.

    At most `most` are counted, for a page asks this each second. What a provider refused for a moment is not held: it
    has an error's code.
    """
    waits = (
        Delivery.broadcast_id == broadcast_id,
        Delivery.inbound_id == 0,
        Delivery.status == DeliveryStatus.PENDING.value,
        Delivery.due_at > now,
        Delivery.error_code.is_(None),
    )
    some = select(Delivery.due_at).where(*waits).order_by(Delivery.due_at).limit(most + 1).subquery()
    people, first = session.execute(select(func.count(), func.min(some.c.due_at))).one()
    if not people:
        return None
    last = session.scalar(select(Delivery.due_at).where(*waits).order_by(Delivery.due_at.desc()).limit(1))
    return Held(min(people, most), people > most, first, last or first)


def _writes(limits: Limits) -> Iterator[tuple[dict[str, Any], tuple[int, ...] | None]]:
    """What to write for which groups. All who wait go into one statement, however many hours they wait for."""
    later: dict[tuple[int, ...], datetime] = {}
    for decision, groups in limits.closed:
        if isinstance(decision, Skip):
            yield {"status": DeliveryStatus.SKIPPED.value, "reason": decision.reason.value}, groups
        elif isinstance(decision, Defer) and groups is None:
            yield _due(literal(decision.until, UtcDateTime), limits), None
        elif isinstance(decision, Defer) and groups:
            later[groups] = decision.until
    if later:
        whens = [
            (Subscriber.quiet_group_id.in_(groups), literal(until, UtcDateTime))
            for groups, until in later.items()
        ]
        until = whens[0][1] if len(whens) == 1 else case(*whens)
        yield _due(until, limits), tuple(group for groups in later for group in groups)


def _due(until: ColumnElement[datetime], limits: Limits) -> dict[str, Any]:
    return {"due_at": _Later(until, Delivery.subscriber_id % limits.spread_s)}


def _by_group(
    session: Session,
    waiting: Sequence[ColumnElement[bool]],
    written: Mapping[str, Any],
    groups: tuple[int, ...] | None,
    now: datetime,
) -> set[int]:
    theirs = true() if groups is None else Subscriber.quiet_group_id.in_(groups)
    done = session.execute(
        update(Delivery)
        .where(*waiting, Subscriber.id == Delivery.subscriber_id, theirs)
        .values(**written, updated_at=now)
        .returning(Delivery.subscriber_id),
        execution_options={"synchronize_session": False},
    )
    return set(done.scalars())


def _by_cap(
    session: Session,
    broadcast_id: int,
    waiting: Sequence[ColumnElement[bool]],
    limits: Limits,
    now: datetime,
) -> set[int]:
    people = select(Delivery.subscriber_id).where(*waiting).subquery()
    found = session.execute(over_cap(people, limits.recent, limits.cap, now - CAP_PERIOD))
    decisions = [(one, decide(now, limits.expires_at, frees_at=first + CAP_PERIOD)) for one, first in found]
    return _write(session, broadcast_id, decisions, now)


def _by_quota(
    session: Session,
    broadcast_id: int,
    waiting: Sequence[ColumnElement[bool]],
    limits: Limits,
    since: datetime,
    now: datetime,
) -> set[int]:
    people = select(Delivery.subscriber_id).where(*waiting).subquery()
    found = session.execute(over_cap(people, limits.spent.recent, limits.spent.count, since))
    decision = decide(now, limits.expires_at, renews_at=limits.spent.until)
    return _write(session, broadcast_id, [(one, decision) for one, _ in found], now)


def _beyond(
    session: Session,
    broadcast_id: int,
    slice_seq: int,
    waiting: Sequence[ColumnElement[bool]],
    most: int,
    now: datetime,
) -> set[int]:
    """Skip the last of those who wait for as many as there are too many over this sender; who failed counts, too."""
    sender = select(Slice.sender_id).where(Slice.broadcast_id == broadcast_id, Slice.seq == slice_seq)
    there = (
        select(func.count())
        .select_from(Delivery)
        .join(Slice, (Slice.broadcast_id == Delivery.broadcast_id) & (Slice.seq == Delivery.slice))
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.inbound_id == 0,
            Delivery.status != DeliveryStatus.SKIPPED.value,
            Slice.sender_id == sender.scalar_subquery(),
        )
    )
    beyond = (session.scalar(there) or 0) - most
    if beyond <= 0:
        return set()
    last = (
        select(Delivery.subscriber_id).where(*waiting).order_by(Delivery.subscriber_id.desc()).limit(beyond)
    )
    decisions = [(one, Skip(SkipReason.SMALL_LIST)) for one in session.scalars(last)]
    return _write(session, broadcast_id, decisions, now)


def _write(
    session: Session, broadcast_id: int, decisions: Sequence[tuple[int, Decision]], now: datetime
) -> set[int]:
    if not decisions:
        return set()
    rows = [
        {"b_broadcast": broadcast_id, "b_subscriber": one, "b_now": now, **_bound(decision)}
        for one, decision in sorted(decisions, key=lambda pair: pair[0])
    ]
    session.connection().execute(_HOLD, rows)
    return {one for one, _ in decisions}


def _bound(decision: Decision) -> dict[str, Any]:
    skip = isinstance(decision, Skip)
    return {
        "b_status": DeliveryStatus.SKIPPED.value if skip else DeliveryStatus.PENDING.value,
        "b_reason": decision.reason.value if isinstance(decision, Skip) else None,
        "b_due": decision.until if isinstance(decision, Defer) else None,
    }


_HOLD = (
    update(Delivery.__table__)  # type: ignore[arg-type]  # a mapped class's table is typed as FromClause
    .where(
        Delivery.broadcast_id == bindparam("b_broadcast"),
        Delivery.subscriber_id == bindparam("b_subscriber"),
        Delivery.inbound_id == 0,
    )
    .values(
        status=bindparam("b_status", type_=Delivery.status.type),
        reason=bindparam("b_reason", type_=Delivery.reason.type),
        due_at=bindparam("b_due", type_=Delivery.due_at.type),
        updated_at=bindparam("b_now", type_=Delivery.updated_at.type),
    )
)


class _Later(FunctionElement[datetime]):
    """SQL for a moment (to the second) and so many seconds."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(_Later, "postgresql")
def _later_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    moment, seconds = element.clauses
    return (
        f"({compiler.process(moment, **options)} + "
        f"make_interval(secs => ({compiler.process(seconds, **options)})::double precision))"
    )


@compiles(_Later, "sqlite")
def _later_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    moment, seconds = element.clauses
    modifier = f"'+' || ({compiler.process(seconds, **options)}) || ' seconds'"
    return f"strftime('%Y-%m-%d %H:%M:%S.000000', {compiler.process(moment, **options)}, {modifier})"
