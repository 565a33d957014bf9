"""Finds who wrote just now and missed a broadcast, because its channel reaches only people who wrote lately."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.domain.keywords import Outcome
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage.gate import PLATFORM_TIER, Way, consent_seq
from app.storage.linked import had_elsewhere
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    Delivery,
    InboundRow,
    Subscriber,
    Subscription,
)

GOES_ON: Final = (BroadcastState.SENDING, BroadcastState.PAUSED, BroadcastState.FINISHED)
# Whoever says one of these asks for less of us; a text that a human must read first may mean the same.
_NO_WISH_FOR_MORE: Final = (
    Outcome.STOP,
    Outcome.STOP_FUZZY,
    Outcome.STOP_LIST,
    Outcome.ERASE,
    Outcome.DECLINE,
    Outcome.PAUSE,
    Outcome.WRONG_NUMBER,
    Outcome.REVIEW,
)


def still_fresh(session: Session, now: datetime) -> Sequence[int]:
    """Return the broadcasts worth sending to lists that send what was missed, those that began last first."""
    offered = exists().where(
        BroadcastTarget.broadcast_id == Broadcast.id,
        BroadcastList.id == BroadcastTarget.list_id,
        BroadcastList.sends_missed,
        BroadcastList.archived_at.is_(None),
    )
    query = select(Broadcast.id).where(
        Broadcast.state.in_([one.value for one in GOES_ON]),
        Broadcast.expires_at > now,
        Broadcast.tests_id.is_(None),
        offered,
    )
    return session.scalars(query.order_by(Broadcast.started_at.desc(), Broadcast.id.desc())).all()


def people(
    session: Session, broadcast: Broadcast, ways: Sequence[Way], since: datetime, most: int
) -> Sequence[int]:
    """Return at most so many subscribers who missed a broadcast, wrote to its sender since, and have nothing newer.

    They are on one of its lists that sends what was missed, by the consent that their delivery names: whoever left and
    came back is new.
    """
    wrote = [_wrote(way, since) for way in ways if way.path.within is not None]
    if not wrote:
        return []
    query = (
        select(Delivery.subscriber_id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Delivery.broadcast_id == broadcast.id,
            Delivery.inbound_id == 0,
            Delivery.status == DeliveryStatus.SKIPPED.value,
            Delivery.reason == SkipReason.NO_PROACTIVE_PATH.value,
            or_(*wrote),
            Delivery.consent_seq == consent_seq(broadcast.id, Delivery.subscriber_id),
            _offered(broadcast),
            ~_has_newer(broadcast),
            ~had_elsewhere(broadcast.id),
        )
    )
    return session.scalars(query.order_by(Delivery.subscriber_id).limit(most)).all()


def _wrote(way: Way, since: datetime) -> ColumnElement[bool]:
    """The few who wrote are looked up first, by the indexes of the retention timers, and not all who missed it.

    SQLite knows its partial index only by a condition that is written out, without a parameter.
    """
    lately = select(InboundRow.subscriber_id).where(
        InboundRow.sender_id == way.sender_id,
        InboundRow.tier != PLATFORM_TIER,
        InboundRow.outcome.not_in([one.value for one in _NO_WISH_FOR_MORE]),
        or_(
            and_(InboundRow.text != literal_column("''"), InboundRow.received_at > since),
            and_(InboundRow.reply_text.is_not(None), InboundRow.received_at > since),
        ),
    )
    return and_(Subscriber.channel == way.channel, Delivery.subscriber_id.in_(lately))


def _offered(broadcast: Broadcast) -> ColumnElement[bool]:
    return exists().where(
        BroadcastTarget.broadcast_id == broadcast.id,
        BroadcastList.id == BroadcastTarget.list_id,
        BroadcastList.sends_missed,
        Subscription.list_id == BroadcastTarget.list_id,
        Subscription.subscriber_id == Delivery.subscriber_id,
        Subscription.state == SubscriptionState.ACTIVE.value,
    )


def _has_newer(broadcast: Broadcast) -> ColumnElement[bool]:
    """SQL for whether something that began later went, or will go, to the same subscriber."""
    row, later = aliased(Delivery), aliased(Broadcast)
    began_later = or_(
        later.started_at > broadcast.started_at,
        and_(later.started_at == broadcast.started_at, later.id > broadcast.id),
    )
    return exists().where(
        row.subscriber_id == Delivery.subscriber_id,
        row.inbound_id == 0,
        row.status != DeliveryStatus.SKIPPED.value,
        later.id == row.broadcast_id,
        later.tests_id.is_(None),
        began_later,
    )
