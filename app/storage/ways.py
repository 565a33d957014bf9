"""Which sender a list goes out of on each channel."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import case, select, union
from sqlalchemy.orm import Session

from app.domain.policy.proactive import path_of
from app.storage.gate import Way
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastRich,
    BroadcastTarget,
    ChannelMove,
    ListSender,
    Sender,
    Slice,
)


def ways(
    session: Session, list_ids: Sequence[int], corrects: int | None = None
) -> Mapping[str, frozenset[int]]:
    """Return channel -> the senders of these lists on it. More than one: no broadcast can go to all of them.

    What corrects a broadcast goes the ways of that one, for people know it from there.
    """
    if corrects is not None:
        return {channel: frozenset({sender}) for channel, sender in _ways_gone(session, corrects).items()}
    first = select(BroadcastList.sender_id).where(BroadcastList.id.in_(list_ids))
    further = select(ListSender.sender_id).where(ListSender.list_id.in_(list_ids))
    found: defaultdict[str, set[int]] = defaultdict(set)
    for channel, sender_id in session.execute(
        select(Sender.channel, Sender.id).where(Sender.id.in_(union(first, further)))
    ):
        found[channel].add(sender_id)
    return {channel: frozenset(senders) for channel, senders in found.items()}


def templates_of(session: Session, broadcast_id: int) -> frozenset[str]:
    """Return the channels for which a broadcast names an approved template of its own."""
    rows = select(BroadcastRich.channel).where(
        BroadcastRich.broadcast_id == broadcast_id, BroadcastRich.template.is_not(None)
    )
    return frozenset(session.scalars(rows))


def way_of(session: Session, sender_id: int, templates: Collection[str] = ()) -> Way:
    """Return whom a sender can reach with what answers nobody; `templates` as `templates_of` returns them."""
    sender = session.get_one(Sender, sender_id)
    approved = sender.has_template or sender.channel in templates
    return Way(sender.channel, sender.id, path_of(sender.channel, template=approved))


def ways_to(
    session: Session,
    list_ids: Sequence[int],
    corrects: int | None = None,
    templates: Collection[str] = (),
) -> Sequence[Way]:
    """Return those ways of these lists (or of what is corrected) that do not lead to everybody."""
    found = [
        way_of(session, min(senders), templates) for senders in ways(session, list_ids, corrects).values()
    ]
    return [one for one in found if not one.path.is_open]


def ways_of_broadcast(session: Session, broadcast_id: int) -> Mapping[str, int]:
    """Return channel -> sender of a broadcast that was scheduled, which makes sure that there is one.

    A test has no lists; its ways are those of its slices.
    """
    targets = select(BroadcastTarget.list_id).where(BroadcastTarget.broadcast_id == broadcast_id)
    own = case((Broadcast.tests_id.is_not(None), Broadcast.id), else_=Broadcast.corrects_id)
    corrects = session.scalar(select(own).where(Broadcast.id == broadcast_id))
    found = ways(session, session.scalars(targets).all(), corrects)
    only = only_channel(session, broadcast_id)
    return {channel: min(senders) for channel, senders in found.items() if only in (None, channel)}


def ways_gone_by(session: Session, broadcast_id: int) -> Sequence[Way]:
    """Return the ways of a broadcast that was scheduled, with whom they lead to."""
    templates = templates_of(session, broadcast_id)
    return [way_of(session, one, templates) for one in ways_of_broadcast(session, broadcast_id).values()]


def only_channel(session: Session, broadcast_id: int) -> str | None:
    """Return the one channel of a broadcast that asks people to move away from it; None for every other broadcast."""
    return session.scalar(select(ChannelMove.from_channel).where(ChannelMove.broadcast_id == broadcast_id))


def _ways_gone(session: Session, broadcast_id: int) -> Mapping[str, int]:
    """Return channel -> the sender that carried a broadcast which has begun."""
    rows = session.execute(
        select(Sender.channel, Sender.id)
        .join(Slice, Slice.sender_id == Sender.id)
        .where(Slice.broadcast_id == broadcast_id)
        .distinct()
    )
    return {channel: sender_id for channel, sender_id in rows}


def lists_of(session: Session, sender_id: int) -> Sequence[BroadcastList]:
    """Return the open lists that a sender carries, in the order in which they were made."""
    further = select(ListSender.list_id).where(ListSender.sender_id == sender_id)
    return session.scalars(
        select(BroadcastList)
        .where(
            (BroadcastList.sender_id == sender_id) | BroadcastList.id.in_(further),
            BroadcastList.archived_at.is_(None),
        )
        .order_by(BroadcastList.id)
    ).all()
