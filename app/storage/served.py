"""Those who had a broadcast, counted without asking the gate about each: everybody, less those whom it refuses now.

Whoever had a broadcast was active on one of its lists, and their rows stay there. So only people who have left one of
the lists since, or against whom something stands, can be refused: these few are looked up, nobody else.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, false, func, literal, or_, select, union
from sqlalchemy.orm import Session

from app.domain.consent import SubscriptionState
from app.domain.in_place import InPlace
from app.domain.statuses import SkipReason
from app.storage import headcounts, in_place, tallies
from app.storage.gate import Way
from app.storage.holding import HAD_IT
from app.storage.models import (
    BroadcastList,
    Delivery,
    DeliveryTally,
    Sender,
    Subscriber,
    Subscription,
)


def can_be_sure(session: Session, list_ids: Sequence[int], ways: Sequence[Way]) -> bool:
    """Tell whether nothing but departures and overlays refuses anybody: no closed channel, no purpose that changed.

    Whoever was erased has left the lists; an index finds those with one of the other overlays.
    """
    changed = select(BroadcastList.id).where(
        BroadcastList.id.in_(list_ids), BroadcastList.purpose_since_seq > 0
    )
    if not list_ids or ways or session.scalar(changed.limit(1)) is not None:
        return False
    odd = {SkipReason.OTHER_PURPOSE, SkipReason.ERASED}
    return not any(answer in odd for one in list_ids for answer, _, _ in headcounts.answers_on(session, one))


def everybody(session: Session, wrong_id: int) -> int:
    """Count who had a broadcast, or may have had it."""
    return sum(n for status, _, _, n in tallies.counts(session, wrong_id) if status in HAD_IT)


def by_channel(session: Session, wrong_id: int) -> Mapping[str, int]:
    """Count the same by channel, from the counts that are kept."""
    channels = list(in_place.changes_by_channel(session, wrong_id))
    if len(channels) == 1:
        return {channels[0]: everybody(session, wrong_id)}
    rows = session.execute(
        select(Sender.channel, func.sum(DeliveryTally.people))
        .join(Sender, Sender.id == DeliveryTally.sender_id)
        .where(DeliveryTally.broadcast_id == wrong_id, DeliveryTally.status.in_(HAD_IT))
        .group_by(Sender.channel)
        .order_by(Sender.channel)
    )
    return {channel: int(people) for channel, people in rows if people}


def reachable(session: Session, wrong_id: int, list_ids: Sequence[int]) -> int:
    """Count those of `everybody` to whom the gate says "send"; ask `can_be_sure` before."""
    refused = _refused(wrong_id, list_ids)
    return everybody(session, wrong_id) - (session.scalar(select(func.count()).select_from(refused)) or 0)


def count_standing(
    session: Session, wrong_id: int, list_ids: Sequence[int], acts: Sequence[InPlace], now: datetime
) -> tuple[int, Mapping[InPlace, Mapping[str, int]]]:
    """Do what `in_place.count_standing` does, for those who are reachable; ask `can_be_sure` before."""
    all_, refused = _standing(session, wrong_id, acts, now), _refused(wrong_id, list_ids)
    without = _standing(session, wrong_id, acts, now, refused)
    found: dict[InPlace, dict[str, int]] = {act: {} for act in acts}
    for channel, (_, *counts) in all_.items():
        less = without.get(channel, [0] * (len(acts) + 1))
        for act, count, gone in zip(acts, counts, less[1:], strict=True):
            if count > gone:
                found[act][channel] = count - gone
    people = sum(row[0] for row in all_.values()) - sum(row[0] for row in without.values())
    return people, found


def _standing(
    session: Session, wrong_id: int, acts: Sequence[InPlace], now: datetime, among: Subquery | None = None
) -> dict[str, list[int]]:
    """By channel: how many had it, and for each act how many have a message that can be changed so."""
    able = in_place.changes_by_channel(session, wrong_id)
    if len(able) == 1:  # mostly, and then nobody need be looked at for their channel
        ((only, changes),) = able.items()
        counts = [func.count().filter(in_place.stands_still(changes, act, now)) for act in acts]
        query = select(literal(only), func.count(), *counts)
    else:
        there = {name: Subscriber.channel == name for name in able}
        counts = [
            func.count().filter(
                or_(false(), *(there[name] & in_place.stands_still(able[name], act, now) for name in able))
            )
            for act in acts
        ]
        query = (
            select(Subscriber.channel, func.count(), *counts)
            .select_from(Delivery)
            .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
            .group_by(Subscriber.channel)
            .order_by(Subscriber.channel)
        )
    query = query.where(*_had(wrong_id))
    if among is not None:
        query = query.where(Delivery.subscriber_id.in_(select(among.c.subscriber_id)))
    return {name: list(found) for name, *found in session.execute(query)}


def _had(wrong_id: int) -> tuple[ColumnElement[bool], ...]:
    return (Delivery.broadcast_id == wrong_id, Delivery.inbound_id == 0, Delivery.status.in_(HAD_IT))


def _refused(wrong_id: int, list_ids: Sequence[int]) -> Subquery:
    """Subscriber ids of those who had it and get nothing more."""
    # As the index `ix_subscriber_closed` says it, so that it is used.
    closed = or_(
        Subscriber.blocked_at.is_not(None),
        Subscriber.bounced_at.is_not(None),
        Subscriber.suppressed_at.is_not(None),
        Subscriber.review_opened_at.is_not(None),
    )
    left = select(Subscription.subscriber_id).where(
        Subscription.list_id.in_(list_ids), Subscription.state != SubscriptionState.ACTIVE.value
    )
    perhaps: Any = union(left, select(Subscriber.id).where(closed)).subquery()
    return (
        select(Delivery.subscriber_id)
        .join(perhaps, perhaps.c.subscriber_id == Delivery.subscriber_id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            *_had(wrong_id),
            or_(closed, Subscriber.erased_at.is_not(None), headcounts.on_none_of(list_ids)),
        )
        .subquery()
    )
