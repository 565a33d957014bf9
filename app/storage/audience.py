"""Who may be sent a broadcast: the gate as one SQL expression, the frozen audience, its slices.

The same `refusal` decides in the dry run, in the claim, and just before hand-over, so they cannot disagree.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage.database import is_sqlite
from app.storage.models import (
    Broadcast,
    BroadcastTarget,
    Delivery,
    Sender,
    Slice,
    Subscriber,
    Subscription,
)

SLICE_SIZE = 1000
_ACTIVE = SubscriptionState.ACTIVE.value
_RUNNING = (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


class Departure(NamedTuple):
    """A subscriber left a list, or paused it; `active_seq` is the entry since which it was active until now."""

    subscriber_id: int
    list_id: int
    active_seq: int
    reason: SkipReason


def consent_seq(broadcast_id: Any, subscriber_id: Any, as_of_seq: Any = None) -> ColumnElement[int | None]:
    """SQL for the consent that lets `broadcast_id` go to `subscriber_id` now: a ledger number, or NULL.

    With `as_of_seq` only those count who were subscribed when the audience was frozen, and ever since.
    """
    row, target = aliased(Subscription), aliased(BroadcastTarget)
    conditions = [
        target.broadcast_id == broadcast_id,
        row.list_id == target.list_id,
        row.subscriber_id == subscriber_id,
        row.state == _ACTIVE,
    ]
    if as_of_seq is not None:
        conditions.append(row.active_seq <= as_of_seq)
    found: ColumnElement[int | None] = select(func.min(row.granted_seq)).where(*conditions).scalar_subquery()
    return found


def refusal(consent: Any, expires_at: Any, now: Any) -> ColumnElement[str | None]:
    """SQL for the gate's answer about the joined `Subscriber`: a `SkipReason`, or NULL for "send".

    `now` is a moment, or a parameter for one.
    """
    moment = literal(now, Broadcast.expires_at.type) if isinstance(now, datetime) else now
    return case(
        (consent.is_(None), literal(SkipReason.STOPPED.value)),
        (Subscriber.erased_at.is_not(None), literal(SkipReason.ERASED.value)),
        (Subscriber.suppressed_at.is_not(None), literal(SkipReason.SUPPRESSED.value)),
        (Subscriber.blocked_at.is_not(None), literal(SkipReason.BLOCKED.value)),
        (Subscriber.bounced_at.is_not(None), literal(SkipReason.BOUNCED.value)),
        (Subscriber.review_opened_at.is_not(None), literal(SkipReason.HELD_FOR_REVIEW.value)),
        (expires_at <= moment, literal(SkipReason.EXPIRED.value)),
        else_=null(),
    ).cast(String)


def members(list_ids: Sequence[int], as_of_seq: int | None = None) -> Select[int, int | None]:
    """SELECT subscriber_id and the consent (`consent_seq`) of everybody active on any of the lists, each once."""
    query = (
        select(Subscription.subscriber_id, func.min(Subscription.granted_seq).label("consent_seq"))
        .where(Subscription.list_id.in_(list_ids), Subscription.state == _ACTIVE)
        .group_by(Subscription.subscriber_id)
    )
    return query if as_of_seq is None else query.where(Subscription.active_seq <= as_of_seq)


def dry_run(session: Session, list_ids: Sequence[int], now: datetime) -> dict[str | None, int]:
    """Count the audience by the gate's answer at `now`: reason -> people, and None -> reachable people."""
    if not list_ids:
        return {}
    people = members(list_ids).subquery()
    answer = refusal(people.c.consent_seq, literal(None, Broadcast.expires_at.type), now).label("answer")
    rows = session.execute(
        select(answer, func.count())
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .group_by(answer)
    )
    return {key: count for key, count in rows}


def reachable_by_group(session: Session, list_ids: Sequence[int], now: datetime) -> dict[int | None, int]:
    """Count those to whom the gate says "send" by their quiet group; None: nobody has looked at them yet."""
    people = reachable(list_ids, now)
    rows = session.execute(
        select(Subscriber.quiet_group_id, func.count())
        .join(people, Subscriber.id == people.c.subscriber_id)
        .group_by(Subscriber.quiet_group_id)
    )
    return {key: count for key, count in rows}


def reachable(list_ids: Sequence[int], now: datetime) -> Subquery:
    """The subscriber ids to whom the gate says "send" at `now`, quiet hours and the cap aside."""
    people = members(list_ids).subquery()
    answer = refusal(people.c.consent_seq, literal(None, Broadcast.expires_at.type), now)
    return (
        select(people.c.subscriber_id)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .where(answer.is_(None))
        .subquery()
    )


def cut_into_slices(
    session: Session,
    broadcast_id: int,
    list_ids: Sequence[int],
    as_of_seq: int,
    ways: Mapping[str, int],
    sizes: Mapping[int, int] = MappingProxyType({}),
) -> int:
    """Write a broadcast's slices, each a range that holds `SLICE_SIZE` people; returns the size of the audience.

    `ways` names the sender for each channel, `sizes` another size for some senders. A slice has people of one channel
    only; the ranges of two channels overlap, and the slices of both take turns.
    """
    rows = [
        (*row, sender_id)
        for channel, sender_id in sorted(ways.items())
        for row in _ranges(
            session,
            list_ids,
            as_of_seq,
            channel if len(ways) > 1 else None,
            sizes.get(sender_id, SLICE_SIZE),
        )
    ]
    rows.sort(key=lambda row: row[0])
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
                    "state": "open",
                    "epoch": 0,
                }
                for seq, (_, lo, hi, _, sender_id) in enumerate(rows)
            ],
        )
    return sum(count for *_, count, _ in rows)


def _ranges(
    session: Session, list_ids: Sequence[int], as_of_seq: int, channel: str | None, size: int
) -> Sequence[tuple[int, int, int, int]]:
    """Return number, first and last subscriber, and size of each `size` on a channel; None: of everybody."""
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
    gate = refusal(people.c.consent_seq, literal(broadcast.expires_at, Broadcast.expires_at.type), now)
    reason = literal(SkipReason.CANCELED.value) if cancel else gate
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


def _target_ids(session: Session, broadcast_id: int) -> Sequence[int]:
    return session.scalars(
        select(BroadcastTarget.list_id).where(BroadcastTarget.broadcast_id == broadcast_id)
    ).all()


def strike(session: Session, left: Sequence[Departure], now: datetime) -> None:
    """Skip those who left in every broadcast that is on its way to them, so that a STOP wins at once.

    A row is written even where the claim has not come by yet: the sums still meet the frozen audience.
    """
    for departure in left:
        for broadcast_id in _running_audiences_of(session, departure):
            _skip(session, broadcast_id, departure.subscriber_id, departure.reason, now)


def _running_audiences_of(session: Session, departure: Departure) -> Sequence[int]:
    """Running broadcasts whose frozen audience the person was in and that no other list still lets through."""
    still = consent_seq(Broadcast.id, departure.subscriber_id, Broadcast.as_of_seq)
    return session.scalars(
        select(Broadcast.id).where(
            Broadcast.state.in_(_RUNNING),
            Broadcast.as_of_seq >= departure.active_seq,
            exists().where(
                and_(
                    BroadcastTarget.broadcast_id == Broadcast.id, BroadcastTarget.list_id == departure.list_id
                )
            ),
            still.is_(None),
        )
    ).all()


def _skip(session: Session, broadcast_id: int, subscriber_id: int, reason: SkipReason, now: datetime) -> None:
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(
        dialect.insert(Delivery)
        .values(
            broadcast_id=broadcast_id,
            subscriber_id=subscriber_id,
            inbound_id=0,
            status=DeliveryStatus.SKIPPED.value,
            reason=reason.value,
            attempts=0,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )
    session.execute(
        update(Delivery)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.subscriber_id == subscriber_id,
            Delivery.inbound_id == 0,
            Delivery.status == DeliveryStatus.PENDING.value,
        )
        .values(status=DeliveryStatus.SKIPPED.value, reason=reason.value, due_at=None, updated_at=now)
    )
