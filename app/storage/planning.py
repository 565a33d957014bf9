"""Slices: stretches of ids are looked through one after the other, and who is found is cut into slices.

A slice of a whole list is a range of ids. One of a segment has its people by name, too, so that the audience stays as
it was when it was planned, whatever their language, lists and messages become before the slice is claimed.
"""

import struct
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from math import ceil
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, select
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.storage.audience import target_ids
from app.storage.holding import HAD_IT
from app.storage.models import Broadcast, Delivery, Sender, Slice, SlicePeople, Subscriber, Subscription
from app.storage.segments import Chosen, chosen_of

_ACTIVE = SubscriptionState.ACTIVE.value


class Part(NamedTuple):
    """A slice to be: its sender and its people, ascending."""

    sender_id: int
    ids: Sequence[int]


def pack(ids: Sequence[int]) -> bytes:
    """Return ascending ids as bytes: the first one, then the gaps, eight bytes each in network order."""
    gaps = [*ids[:1], *(after - before for before, after in pairwise(ids))]
    return struct.pack(f"!{len(gaps)}q", *gaps)


def unpack(packed: bytes) -> list[int]:
    """Return what `pack` was given."""
    return list(accumulate(struct.unpack(f"!{len(packed) // 8}q", packed)))


class Whole(NamedTuple):
    """Whom a broadcast is for, until something is chosen of it: people of lists, or who had what it corrects."""

    list_ids: Sequence[int]
    as_of_seq: int | None
    corrects_id: int | None

    def people(self) -> Select[int, str]:
        """SELECT subscriber and channel, perhaps once for each list."""
        if self.corrects_id is not None:
            return (
                select(Delivery.subscriber_id, Subscriber.channel)
                .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
                .where(
                    Delivery.broadcast_id == self.corrects_id,
                    Delivery.inbound_id == 0,
                    Delivery.status.in_(HAD_IT),
                )
            )
        return (
            select(Subscription.subscriber_id, Subscriber.channel)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(
                Subscription.list_id.in_(self.list_ids),
                Subscription.state == _ACTIVE,
                Subscription.active_seq <= self.as_of_seq,
            )
        )

    def numbers(self) -> ColumnElement[int]:
        """The column that names the people."""
        return (Subscription.subscriber_id if self.corrects_id is None else Delivery.subscriber_id).expression


def whole_of(session: Session, broadcast: Broadcast) -> Whole:
    """Return whom a broadcast that has begun is for."""
    return Whole(target_ids(session, broadcast.id), broadcast.as_of_seq, broadcast.corrects_id)


def next_member(session: Session, whole: Whole, after: int) -> int | None:
    """Return the next subscriber behind an id who may be meant, so that a stretch begins with somebody."""
    number = whole.numbers()
    sources = (
        [Delivery.broadcast_id == whole.corrects_id]
        if whole.corrects_id is not None
        else [Subscription.list_id == one for one in whole.list_ids]
    )
    found = [
        session.scalar(select(number).where(source, number > after).order_by(number).limit(1))
        for source in sources
    ]
    return min((one for one in found if one is not None), default=None)


def next_chosen(session: Session, whole: Whole, chosen: Chosen, after: int) -> int | None:
    """Return the next subscriber behind an id who is in a segment, on the lists or not: before them nobody is meant."""
    people = select(func.min(Subscriber.id)).where(Subscriber.id > after, chosen.of(whole.list_ids))
    return session.scalar(people)


def people_between(
    session: Session, whole: Whole, chosen: Chosen | None, within: tuple[int, int]
) -> dict[str, list[int]]:
    """Return channel -> the ids, ascending, of a stretch's people, or of those in the segment that is chosen."""
    # The range is said of both: PostgreSQL does not carry it over the join, and would read every subscriber.
    people = whole.people().where(whole.numbers().between(*within), Subscriber.id.between(*within))
    return _by_channel(session, people if chosen is None else people.where(chosen.of(whole.list_ids)))


def late_people(session: Session, broadcast: Broadcast) -> dict[str, list[int]]:
    """Return channel -> the ids of those who turned out to have had what a correction corrects, and have no row in it.

    What was on the wire when the correction began, and receipts that came late, are known only afterwards.
    """
    row = aliased(Delivery)
    has_row = exists().where(
        row.broadcast_id == broadcast.id, row.subscriber_id == Delivery.subscriber_id, row.inbound_id == 0
    )
    return _by_channel(session, whole_of(session, broadcast).people().where(~has_row))


def _by_channel(session: Session, people: Select[int, str]) -> dict[str, list[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    # Not through the session, whose handling of each row would take longer than finding it.
    for subscriber_id, channel in session.connection().execute(people):
        found[channel].add(subscriber_id)
    return {channel: sorted(ids) for channel, ids in found.items()}


def parts_of(
    people: Mapping[str, Sequence[int]], ways: Mapping[str, int], size: int, sizes: Mapping[int, int]
) -> list[Part]:
    """Cut those people to whom a way leads into slices of at most `size` (`sizes`: of some senders), about equal ones.

    A slice has people of one channel only; the ranges of two channels overlap, and the slices of both take turns.
    """
    parts = []
    for channel in sorted(people.keys() & ways.keys()):
        ids, sender_id = people[channel], ways[channel]
        pieces = ceil(len(ids) / sizes.get(sender_id, size))
        width = ceil(len(ids) / pieces)
        parts += [Part(sender_id, ids[start : start + width]) for start in range(0, len(ids), width)]
    return sorted(parts, key=lambda part: part.ids[0])


def write(session: Session, broadcast: Broadcast, parts: Sequence[Part], held: Collection[int] = ()) -> None:
    """Write these slices behind those that the broadcast has; the ones whose places are in `held` wait."""
    if not parts:
        return
    last = session.scalar(select(func.max(Slice.seq)).where(Slice.broadcast_id == broadcast.id))
    start = 0 if last is None else last + 1
    rows = [
        {
            "broadcast_id": broadcast.id,
            "seq": start + place,
            "sender_id": part.sender_id,
            "lo": part.ids[0],
            "hi": part.ids[-1],
            "people": len(part.ids),
            "state": "held" if place in held else "open",
            "epoch": 0,
        }
        for place, part in enumerate(parts)
    ]
    session.execute(insert(Slice), rows)
    if broadcast.segment_rule is not None:
        packed = [
            {"broadcast_id": broadcast.id, "seq": start + place, "ids": pack(part.ids)}
            for place, part in enumerate(parts)
        ]
        session.execute(insert(SlicePeople), packed)


def held_people(session: Session, broadcast_id: int) -> int:
    """Count who waits for the first wave."""
    held = (Slice.broadcast_id == broadcast_id, Slice.state == "held")
    return session.scalar(select(func.sum(Slice.people)).where(*held)) or 0


def take(session: Session, part: Slice) -> list[int]:
    """Return the people of a slice that is being claimed, once: in the same transaction they get their deliveries."""
    this = (SlicePeople.broadcast_id == part.broadcast_id, SlicePeople.seq == part.seq)
    packed = session.scalar(select(SlicePeople.ids).where(*this))
    if packed is None:
        return []
    session.execute(delete(SlicePeople).where(*this))
    return unpack(packed)


def covers(session: Session, broadcast_id: int, subscriber_id: int) -> bool:
    """Tell whether the slices of a whole list have come to somebody on it, and to their channel."""
    there = (
        exists()
        .where(Slice.broadcast_id == broadcast_id, Slice.lo <= subscriber_id, Slice.hi >= subscriber_id)
        .where(Sender.id == Slice.sender_id)
        .where(Subscriber.id == subscriber_id, Subscriber.channel == Sender.channel)
    )
    return bool(session.scalar(select(there)))


def waits(session: Session, broadcast_id: int, subscriber_id: int) -> bool:
    """Tell whether somebody is in a slice of a segment that nobody has claimed yet."""
    rows = session.scalars(
        select(SlicePeople.ids)
        .join(Slice, and_(Slice.broadcast_id == SlicePeople.broadcast_id, Slice.seq == SlicePeople.seq))
        .where(SlicePeople.broadcast_id == broadcast_id, Slice.lo <= subscriber_id, Slice.hi >= subscriber_id)
    )
    return any(subscriber_id in unpack(ids) for ids in rows)


def in_audience(
    session: Session, broadcast: Broadcast, list_ids: Sequence[int], among: Collection[int]
) -> set[int]:
    """Return who of these subscribers of the lists is in the audience of a segment, or will be by its planning."""
    rows = select(Delivery.subscriber_id).where(
        Delivery.broadcast_id == broadcast.id, Delivery.inbound_id == 0, Delivery.subscriber_id.in_(among)
    )
    claimed = set(session.scalars(rows))
    waiting = {one for one in among if one not in claimed and waits(session, broadcast.id, one)}
    return claimed | waiting | _to_come(session, broadcast, list_ids, among)


def _to_come(
    session: Session, broadcast: Broadcast, list_ids: Sequence[int], among: Collection[int]
) -> set[int]:
    planned_to = broadcast.planned_to
    left = [one for one in among if planned_to is not None and one > planned_to]
    chosen = chosen_of(session, broadcast, broadcast.updated_at) if left else None
    if chosen is None:
        return set()
    return set(session.scalars(select(Subscriber.id).where(Subscriber.id.in_(left), chosen.of(list_ids))))
