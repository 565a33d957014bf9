"""Who of ours should be among a sender's followers, and when its platform is asked for them next."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, or_, select, union
from sqlalchemy.orm import Session

from app.domain.consent import SubscriptionState
from app.storage.counters import insert_into
from app.storage.database import among
from app.storage.models import (
    BroadcastList,
    FollowerReading,
    InboundRow,
    ListSender,
    Sender,
    Subscriber,
    Subscription,
)

MARK: Final = "followers:"
"""So begins the number of what a reading said of somebody, which stands beside the texts."""
_LIVE: Final = [
    one.value for one in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED, SubscriptionState.STALE)
]


def expected(
    session: Session, sender: Sender, since: datetime, only: Collection[int] | None = None
) -> set[int]:
    """Return the subscribers whom a list of the sender's followers must name, or those of them among `only`.

    They are on lists of this sender and on none of another of its channel, whose follower they may be instead; were
    not in touch `since`; and no list said before that they had left: if it was wrong, it may be so again.
    """
    person = Subscriber.id
    texted = exists().where(
        InboundRow.subscriber_id == person,
        InboundRow.sender_id == sender.id,
        or_(InboundRow.received_at >= since, InboundRow.external_id.startswith(MARK)),
    )
    query = select(person).where(
        Subscriber.channel == sender.channel,
        Subscriber.blocked_at.is_(None),
        Subscriber.erased_at.is_(None),
        Subscriber.suppressed_at.is_(None),
        _on(_lists_here(session, sender)),
        ~_on(_lists_elsewhere(session, sender)),
        ~exists().where(Subscription.subscriber_id == person, Subscription.granted_at >= since),
        ~texted,
    )
    if only is not None:
        query = query.where(among(session, Subscriber.id, only))
    return set(session.scalars(query.execution_options(yield_per=10_000)))


def ids_at(session: Session, channel: str, addresses: Collection[str]) -> set[int]:
    """Return the subscribers at these addresses."""
    here = Subscriber.channel == channel, among(session, Subscriber.address, addresses)
    return set(session.scalars(select(Subscriber.id).where(*here)))


def due(session: Session, gateways: Collection[str], now: datetime) -> Sequence[int]:
    """Return the senders on these gateways whose followers are to be asked for; none that are paused."""
    late = or_(FollowerReading.sender_id.is_(None), FollowerReading.due_at <= now)
    query = select(Sender.id).outerjoin(FollowerReading, FollowerReading.sender_id == Sender.id)
    wanted = Sender.gateway.in_(gateways), Sender.paused_at.is_(None), late
    return session.scalars(query.where(*wanted).order_by(Sender.id)).all()


def claim(session: Session, sender_id: int, now: datetime, rest: timedelta) -> bool:
    """Take a sender for asking, so that nobody else does for a while; False when somebody did."""
    row = _row(session, sender_id, now)
    if row.due_at > now:
        return False
    row.due_at = now + rest
    return True


def keep(session: Session, sender_id: int, now: datetime) -> FollowerReading:
    """Return the row to write down what a reading came to."""
    return _row(session, sender_id, now)


def _row(session: Session, sender_id: int, now: datetime) -> FollowerReading:
    fresh = insert_into(session, FollowerReading).values(
        sender_id=sender_id, due_at=now, first_asked_at=now, outcome="", followers=0, ours=0, missing=0
    )
    session.execute(fresh.on_conflict_do_nothing())
    return session.get_one(FollowerReading, sender_id, with_for_update=True)


def _on(list_ids: Sequence[int]) -> ColumnElement[bool]:
    return exists().where(
        Subscription.subscriber_id == Subscriber.id,
        Subscription.list_id.in_(list_ids),
        Subscription.state.in_(_LIVE),
    )


def _lists_here(session: Session, sender: Sender) -> Sequence[int]:
    first = select(BroadcastList.id).where(BroadcastList.sender_id == sender.id)
    further = select(ListSender.list_id).where(ListSender.sender_id == sender.id)
    return session.scalars(union(first, further)).all()


def _lists_elsewhere(session: Session, sender: Sender) -> Sequence[int]:
    first = (
        select(BroadcastList.id)
        .join(Sender, Sender.id == BroadcastList.sender_id)
        .where(Sender.channel == sender.channel, Sender.id != sender.id)
    )
    further = select(ListSender.list_id).where(
        ListSender.channel == sender.channel, ListSender.sender_id != sender.id
    )
    return session.scalars(union(first, further)).all()
