"""What providers told of how much senders may still send, and whom a sender wrote to first in the last hours."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.storage import audience, quotas
from app.storage.counters import insert_into
from app.storage.gate import PLATFORM_TIER
from app.storage.holding import HAD_IT
from app.storage.models import Delivery, InboundRow, Sender, SenderAllowance, Slice
from app.storage.segments import Chosen
from app.storage.ways import ways_to

AT_ONCE: Final = datetime(1970, 1, 1, tzinfo=UTC)


def due(session: Session, gateways: Collection[str], before: datetime) -> Sequence[int]:
    """Return the senders on these gateways that were not asked about since `before`; none that are paused."""
    late = or_(SenderAllowance.sender_id.is_(None), SenderAllowance.asked_at < before)
    query = select(Sender.id).outerjoin(SenderAllowance, SenderAllowance.sender_id == Sender.id)
    wanted = Sender.gateway.in_(gateways), Sender.paused_at.is_(None), late
    return session.scalars(query.where(*wanted).order_by(Sender.id)).all()


def claim(session: Session, sender_id: int, before: datetime, now: datetime) -> bool:
    """Take a sender for asking; False when another process did since `before`."""
    fresh = insert_into(session, SenderAllowance).values(
        sender_id=sender_id, asked_at=AT_ONCE, span="", zone="UTC", standing=""
    )
    session.execute(fresh.on_conflict_do_nothing())
    row = session.get_one(SenderAllowance, sender_id, with_for_update=True)
    if row.asked_at >= before:
        return False
    row.asked_at = now
    return True


def ask_soon(session: Session, sender_id: int) -> None:
    """Let the next round ask, for the provider has just said that it takes no more."""
    row = SenderAllowance.sender_id == sender_id
    session.execute(update(SenderAllowance).where(row).values(asked_at=AT_ONCE))


def known(session: Session, sender_ids: Collection[int]) -> Mapping[int, SenderAllowance]:
    """Return what there is of these senders."""
    rows = session.scalars(select(SenderAllowance).where(SenderAllowance.sender_id.in_(sender_ids)))
    return {one.sender_id: one for one in rows}


def begun_with(session: Session, sender_id: int, since: datetime) -> int:
    """Count the different people whom a sender wrote to since a moment, without those who wrote to it since then.

    Who wrote is in a window of their own, which no allowance counts.
    """
    people = _had(session, sender_id, since).subquery()
    wrote = _wrote(people.c.subscriber_id, sender_id, since)
    return session.scalar(select(func.count()).select_from(people).where(~wrote)) or 0


def to_begin_with(
    session: Session,
    sender_id: int,
    list_ids: Sequence[int],
    channel: str,
    since: datetime,
    at: datetime,
    *,
    corrects: int | None,
    templates: Collection[str],
    chosen: Chosen | None,
) -> int:
    """Count whom a broadcast at `at` reaches over a sender, but for those who wrote to it or heard of it since then."""
    ways = ways_to(session, list_ids, corrects, templates)
    people = audience.reachable(list_ids, at, ways, corrects, chosen)
    person = people.c.subscriber_id
    known_to_them = or_(
        person.in_(_had(session, sender_id, since)),
        _wrote(person, sender_id, since),
    )
    query = select(func.count()).select_from(people).where(people.c.channel == channel, ~known_to_them)
    return session.scalar(query) or 0


def _had(session: Session, sender_id: int, since: datetime) -> Select[int]:
    """By way of the broadcasts of late and their slices, whose index leads to this sender's deliveries."""
    return (
        select(Delivery.subscriber_id)
        .join(Slice, and_(Delivery.slice == Slice.seq, Delivery.broadcast_id == Slice.broadcast_id))
        .where(
            Slice.broadcast_id.in_(quotas.sent_by(session, sender_id, since)),
            Slice.sender_id == sender_id,
            Delivery.inbound_id == 0,
            Delivery.status.in_(HAD_IT),
            Delivery.updated_at >= since,
        )
        .distinct()
    )


def _wrote(person: ColumnElement[int], sender_id: int, since: datetime) -> ColumnElement[bool]:
    return exists().where(
        InboundRow.subscriber_id == person,
        InboundRow.sender_id == sender_id,
        InboundRow.received_at > since,
        InboundRow.tier != PLATFORM_TIER,
    )
