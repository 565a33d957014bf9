"""Who a broadcast is for: the people of its lists, the frozen audience, its slices, and their claim."""

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, Select, String, Subquery, case, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.domain.linked import Linked, passed_over
from app.domain.statuses import DeliveryStatus, SkipReason
from app.storage import linked
from app.storage.database import is_sqlite
from app.storage.gate import Way, closed_now, covers, refusal
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    Delivery,
    Sender,
    Slice,
    Subscriber,
    Subscription,
)
from app.storage.ways import ways as every_way
from app.storage.ways import ways_to

SLICE_SIZE = 1000
_ACTIVE = SubscriptionState.ACTIVE.value


def members(list_ids: Sequence[int], as_of_seq: int | None = None) -> Select[int, int | None]:
    """SELECT subscriber_id and the consent (`consent_seq`) of everybody active on any of the lists, each once.

    The consent is NULL when they agreed to no list's purpose of today. A broadcast that was frozen before the purpose
    changed (`as_of_seq`) is still what they agreed to.
    """
    agreed = covers(Subscription.granted_seq, BroadcastList.purpose_since_seq, as_of_seq)
    consent = func.min(case((agreed, Subscription.granted_seq)))
    query = (
        select(Subscription.subscriber_id, consent.label("consent_seq"))
        .join(BroadcastList, BroadcastList.id == Subscription.list_id)
        .where(Subscription.list_id.in_(list_ids), Subscription.state == _ACTIVE)
        .group_by(Subscription.subscriber_id)
    )
    return query if as_of_seq is None else query.where(Subscription.active_seq <= as_of_seq)


def _answer_now(people: Subquery, ways: Sequence[Way], now: datetime) -> ColumnElement[str | None]:
    return refusal(
        people.c.consent_seq,
        literal(None, Broadcast.expires_at.type),
        now,
        closed_now(ways, now),
        without=SkipReason.OTHER_PURPOSE,
    )


def dry_run(
    session: Session, list_ids: Sequence[int], now: datetime, ways: Sequence[Way] = ()
) -> dict[str | None, int]:
    """Count the audience by the gate's answer at `now`: reason -> people, and None -> reachable people."""
    if not list_ids:
        return {}
    people = members(list_ids).subquery()
    answer = _answer_now(people, ways, now).label("answer")
    rows = session.execute(
        select(answer, func.count())
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .group_by(answer)
    )
    return {key: count for key, count in rows}


def reachable_by_group(
    session: Session, list_ids: Sequence[int], now: datetime, ways: Sequence[Way] = ()
) -> dict[int | None, int]:
    """Count those to whom the gate says "send" by their quiet group; None: nobody has looked at them yet."""
    return _by_group(session, reachable(list_ids, now, ways))


def standing_back_by_group(
    session: Session, list_ids: Sequence[int], now: datetime, ways: Sequence[Way] = ()
) -> dict[int | None, int]:
    """Count those of them, by quiet group, who stand back for another channel of the same person."""
    if not linked.any_links(session):
        return {}
    return _by_group(session, linked.standing_back(reachable(list_ids, now, ways)))


def _by_group(session: Session, people: Subquery) -> dict[int | None, int]:
    rows = session.execute(
        select(Subscriber.quiet_group_id, func.count())
        .join(people, Subscriber.id == people.c.subscriber_id)
        .group_by(Subscriber.quiet_group_id)
    )
    return {key: count for key, count in rows}


def reachable(list_ids: Sequence[int], now: datetime, ways: Sequence[Way] = ()) -> Subquery:
    """The subscriber ids to whom the gate says "send" at `now`, quiet hours and the cap aside."""
    people = members(list_ids).subquery()
    return (
        select(people.c.subscriber_id)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(_answer_now(people, ways, now).is_(None))
        .subquery()
    )


def reached_elsewhere(session: Session, list_ids: Sequence[int], now: datetime, ways: Sequence[Way]) -> int:
    """Count whom their channel is closed to and who agreed to these lists on another one too, at the same address."""
    people, there = members(list_ids).subquery(), reachable(list_ids, now, ways)
    shut, other = aliased(Subscriber), aliased(Subscriber)
    answer = _answer_now(people, ways, now)
    closed = (
        select(people.c.subscriber_id)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(answer.in_([SkipReason.NO_PROACTIVE_PATH.value, SkipReason.REGION_CLOSED.value]))
        .subquery()
    )
    query = (
        select(func.count(shut.id.distinct()))
        .join(closed, closed.c.subscriber_id == shut.id)
        .join(other, (other.address == shut.address) & (other.channel != shut.channel))
        .join(there, there.c.subscriber_id == other.id)
    )
    return session.scalar(query) or 0


def cut_into_slices(
    session: Session,
    broadcast_id: int,
    list_ids: Sequence[int],
    as_of_seq: int,
    ways: Mapping[str, int],
    sizes: Mapping[int, int] = MappingProxyType({}),
    first_percent: int | None = None,
) -> int:
    """Write a broadcast's slices, each a range that holds `SLICE_SIZE` people; returns the size of the audience.

    `ways` names the sender for each channel, `sizes` another size for some senders. A slice has people of one channel
    only; the ranges of two channels overlap, and the slices of both take turns. With `first_percent` only slices with
    so many people are open, drawn by lot, so that it is not always the same who go first; the others are held.
    """
    size = SLICE_SIZE if first_percent is None else _size_for(session, list_ids, as_of_seq, first_percent)
    several = len(every_way(session, list_ids)) > 1
    rows = [
        (*row, sender_id)
        for channel, sender_id in sorted(ways.items())
        for row in _ranges(
            session,
            list_ids,
            as_of_seq,
            channel if several else None,
            min(size, sizes.get(sender_id, size)) if first_percent else sizes.get(sender_id, size),
        )
    ]
    rows.sort(key=lambda row: row[0])
    first = _first_wave([row[3] for row in rows], first_percent, broadcast_id)
    if rows:
        session.execute(
            insert(Slice),
            [
                {
                    "broadcast_id": broadcast_id,
                    "seq": seq,
                    "sender_id": sender_id,
                    "lo": lo,
                    "hi": hi,
                    "state": "open" if seq in first else "held",
                    "epoch": 0,
                }
                for seq, (_, lo, hi, _, sender_id) in enumerate(rows)
            ],
        )
    return sum(count for *_, count, _ in rows)


def _size_for(session: Session, list_ids: Sequence[int], as_of_seq: int, percent: int) -> int:
    """Return the size of slices of which some make a first wave of so many per cent."""
    people = members(list_ids, as_of_seq).subquery()
    audience = session.scalar(select(func.count()).select_from(people)) or 0
    return min(SLICE_SIZE, max(1, audience * percent // 100))


def _first_wave(sizes: Sequence[int], percent: int | None, lot: int) -> set[int]:
    """Draw slices until they hold `percent` of everybody; None: all of them."""
    if percent is None:
        return set(range(len(sizes)))
    drawn = random.Random(lot).sample(range(len(sizes)), len(sizes))  # noqa: S311  # a fair lot, no secret
    wanted, first = sum(sizes) * percent / 100, set[int]()
    while drawn and sum(sizes[seq] for seq in first) < wanted:
        first.add(drawn.pop())
    return first


def _ranges(
    session: Session, list_ids: Sequence[int], as_of_seq: int, channel: str | None, size: int
) -> Sequence[tuple[int, int, int, int]]:
    """Return number, first and last subscriber, and size of each slice on a channel; None: of everybody."""
    query = members(list_ids, as_of_seq)
    if channel is not None:
        query = query.join(Subscriber, Subscriber.id == Subscription.subscriber_id).where(
            Subscriber.channel == channel
        )
    people = query.subquery()
    rank = func.row_number().over(order_by=people.c.subscriber_id)
    numbered = select(people.c.subscriber_id, ((rank - 1) // size).label("seq")).subquery()
    ids = numbered.c.subscriber_id
    rows = session.execute(
        select(numbered.c.seq, func.min(ids), func.max(ids), func.count()).group_by(numbered.c.seq)
    )
    return [(seq, lo, hi, count) for seq, lo, hi, count in rows]


def claim_rows(
    session: Session,
    broadcast: Broadcast,
    part: Slice,
    now: datetime,
    way: Way | None = None,
    *,
    cancel: bool = False,
) -> None:
    """Insert a delivery for each member of the frozen audience in a slice's range who has none yet.

    Those whom the gate refuses are rows too, SKIPPED with the reason. With `cancel` everybody is skipped.
    """
    people = (
        members(_target_ids(session, broadcast.id), broadcast.as_of_seq)
        .where(Subscription.subscriber_id.between(part.lo, part.hi))
        .subquery()
    )
    channel = session.scalar(select(Sender.channel).where(Sender.id == part.sender_id))
    gate = refusal(
        people.c.consent_seq,
        literal(broadcast.expires_at, Broadcast.expires_at.type),
        now,
        closed_now([way], now) if way else (),
        without=SkipReason.OTHER_PURPOSE,
    )
    reason: ColumnElement[str | None] = literal(SkipReason.CANCELED.value) if cancel else gate
    back = set() if cancel else _standing_back(session, broadcast, part, now)
    if back:
        reason = func.coalesce(gate, _for_those(back))
    status = case((reason.is_(None), DeliveryStatus.PENDING.value), else_=DeliveryStatus.SKIPPED.value)
    rows = (
        select(
            literal(broadcast.id),
            people.c.subscriber_id,
            literal(0),
            literal(part.seq, Delivery.slice.type),
            status,
            reason,
            people.c.consent_seq,
            literal(0),
            literal(now, Delivery.updated_at.type),
        )
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        # People of the range who are on another channel are in a slice of another sender.
        .where(Subscriber.channel == channel)
    )
    columns = [
        "broadcast_id",
        "subscriber_id",
        "inbound_id",
        "slice",
        "status",
        "reason",
        "consent_seq",
        "attempts",
        "updated_at",
    ]
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(dialect.insert(Delivery).from_select(columns, rows).on_conflict_do_nothing())


def _for_those(back: Collection[int]) -> ColumnElement[str | None]:
    stands_back = Subscriber.id.in_(sorted(back))
    return case((stands_back, literal(SkipReason.OTHER_CHANNEL.value))).cast(String)


def _standing_back(session: Session, broadcast: Broadcast, part: Slice, now: datetime) -> set[int]:
    """Return who of a slice stands back for another channel of the same person, which is asked by the same gate."""
    if part.lo is None or part.hi is None:
        return set()
    persons = linked.persons_between(session, part.lo, part.hi)
    return passed_over(linked_of(session, broadcast, persons, now)) if persons else set()


def linked_of(
    session: Session, broadcast: Broadcast, person_ids: Collection[int], now: datetime
) -> list[Linked]:
    """Return every address of these persons, each as this broadcast finds it now."""
    list_ids = _target_ids(session, broadcast.id)
    ids = linked.all_ids(session, person_ids)
    people = members(list_ids, broadcast.as_of_seq).where(Subscription.subscriber_id.in_(ids)).subquery()
    gate = refusal(
        people.c.consent_seq,
        literal(broadcast.expires_at, Broadcast.expires_at.type),
        now,
        closed_now(ways_to(session, list_ids), now),
        without=SkipReason.OTHER_PURPOSE,
    )
    return linked.addresses_of(session, broadcast.id, person_ids, people, gate)


def _target_ids(session: Session, broadcast_id: int) -> Sequence[int]:
    return session.scalars(
        select(BroadcastTarget.list_id).where(BroadcastTarget.broadcast_id == broadcast_id)
    ).all()
