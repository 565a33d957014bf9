"""The gate as one SQL expression: whose consent lets a broadcast go to them, and why it does not go to others.

The same `refusal` decides in the dry run, in the claim, and just before hand-over, so they cannot disagree.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, String, and_, case, exists, func, literal, null, or_, select
from sqlalchemy.orm import aliased

from app.domain.consent import Act, SubscriptionState
from app.domain.policy.proactive import ProactivePath
from app.domain.statuses import SkipReason
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    InboundRow,
    Subscriber,
    Subscription,
    Tester,
)

# The tier of rows that hold no words of a person but what the platform told us about one.
PLATFORM_TIER = "platform"


def consent_seq(broadcast_id: Any, subscriber_id: Any, as_of_seq: Any = None) -> ColumnElement[int | None]:
    """SQL for the consent that lets `broadcast_id` go to `subscriber_id` now: a ledger number, or NULL.

    With `as_of_seq` only those count who were subscribed when the audience was frozen, and ever since. A test goes to
    testers by what they agreed to as such.
    """
    row, target = aliased(Subscription), aliased(BroadcastTarget)
    sent, list_ = aliased(Broadcast), aliased(BroadcastList)
    conditions = [
        target.broadcast_id == broadcast_id,
        sent.id == broadcast_id,
        row.list_id == target.list_id,
        list_.id == target.list_id,
        row.subscriber_id == subscriber_id,
        row.state == SubscriptionState.ACTIVE.value,
        covers(row.granted_seq, list_.purpose_since_seq, sent.as_of_seq),
    ]
    if as_of_seq is not None:
        conditions.append(row.active_seq <= as_of_seq)
    found: ColumnElement[int | None] = select(func.min(row.granted_seq)).where(*conditions).scalar_subquery()
    return found if as_of_seq is not None else func.coalesce(found, _as_tester(broadcast_id, subscriber_id))


def _as_tester(broadcast_id: Any, subscriber_id: Any) -> ColumnElement[int | None]:
    """SQL for the text by which somebody became a tester, if `broadcast_id` is a test and no STOP came since."""
    test, tester, person = aliased(Broadcast), aliased(Tester), aliased(Subscriber)
    found: ColumnElement[int | None] = (
        select(func.max(tester.granted_seq))
        .join(person, person.id == tester.subscriber_id)
        .where(
            tester.subscriber_id == subscriber_id,
            or_(person.last_stop_at.is_(None), person.last_stop_at < tester.verified_at),
            exists().where(test.id == broadcast_id, test.tests_id.is_not(None)),
        )
        .scalar_subquery()
    )
    return found


class Way(NamedTuple):
    """The sender that carries a broadcast on a channel, and whom it can reach there."""

    channel: str
    sender_id: int
    path: ProactivePath


# Who is on a list and lets nothing through, without having said STOP. Who is active agreed to an earlier purpose.
_LEFT: Final = {
    SubscriptionState.PAUSED: SkipReason.PAUSED_BY_PERSON,
    SubscriptionState.ACTIVE: SkipReason.OTHER_PURPOSE,
    SubscriptionState.STALE: SkipReason.RAN_OUT,
}

Closed = tuple[ColumnElement[bool], SkipReason]


def closed_to(ways: Sequence[Way], wrote_since: Mapping[int, Any]) -> list[Closed]:
    """SQL for whom these ways do not lead to, each with the reason; of the joined `Subscriber`.

    `wrote_since` is for each sender id the moment since when a person must have written to it, or a parameter for one.
    """
    found: list[Closed] = []
    for way in ways:
        here = Subscriber.channel == way.channel
        if way.path.never_to:
            there = [Subscriber.address.startswith(one, autoescape=True) for one in way.path.never_to]
            found.append((and_(here, or_(*there)), SkipReason.REGION_CLOSED))
        if way.path.within is not None:
            wrote = exists().where(
                InboundRow.subscriber_id == Subscriber.id,
                InboundRow.sender_id == way.sender_id,
                InboundRow.received_at > wrote_since[way.sender_id],
                # What the platform told us about a person is no word of theirs.
                InboundRow.tier != PLATFORM_TIER,
            )
            found.append((and_(here, ~wrote), SkipReason.NO_PROACTIVE_PATH))
    return found


def closed_now(ways: Sequence[Way], now: datetime) -> list[Closed]:
    """SQL for whom these ways do not lead to at `now`."""
    since = {one.sender_id: now - (one.path.within or timedelta(0)) for one in ways}
    return closed_to(ways, {key: literal(at, InboundRow.received_at.type) for key, at in since.items()})


def refusal(
    consent: Any,
    expires_at: Any,
    now: Any,
    closed: Sequence[Closed] = (),
    *,
    without: SkipReason | ColumnElement[str] = SkipReason.STOPPED,
) -> ColumnElement[str | None]:
    """SQL for the gate's answer about the joined `Subscriber`: a `SkipReason`, or NULL for "send".

    `now` is a moment, or a parameter for one. `closed`: whom the channel does not lead to. `without` is the reason
    when there is no consent, or SQL for it.
    """
    no_consent = literal(without.value) if isinstance(without, SkipReason) else without
    moment = literal(now, Broadcast.expires_at.type) if isinstance(now, datetime) else now
    return case(
        (consent.is_(None), no_consent),
        (Subscriber.erased_at.is_not(None), literal(SkipReason.ERASED.value)),
        (Subscriber.suppressed_at.is_not(None), literal(SkipReason.SUPPRESSED.value)),
        (Subscriber.blocked_at.is_not(None), literal(SkipReason.BLOCKED.value)),
        (Subscriber.bounced_at.is_not(None), literal(SkipReason.BOUNCED.value)),
        (Subscriber.review_opened_at.is_not(None), literal(SkipReason.HELD_FOR_REVIEW.value)),
        (expires_at <= moment, literal(SkipReason.EXPIRED.value)),
        *((condition, literal(reason.value)) for condition, reason in closed),
        else_=null(),
    ).cast(String)


def why_no_consent(list_ids: Sequence[int]) -> ColumnElement[str]:
    """SQL for why the joined `Subscriber`, who once was on one of the lists, lets nothing through any more."""

    def on_a_list(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        theirs = (Subscription.subscriber_id == Subscriber.id, Subscription.list_id.in_(list_ids))
        return exists().where(*theirs, *conditions).correlate(Subscriber)

    stopped = Subscription.state == SubscriptionState.STOPPED.value
    by_operator = Subscription.stopped_act == Act.OPERATOR.value
    told_by_provider = Subscription.stopped_act.in_(
        [Act.PROVIDER_SIGNAL.value, Act.PLATFORM_PREFERENCE.value]
    )
    return case(
        (Subscriber.erased_at.is_not(None), literal(SkipReason.ERASED.value)),
        (Subscriber.suppressed_at.is_not(None), literal(SkipReason.SUPPRESSED.value)),
        (on_a_list(stopped, ~by_operator, ~told_by_provider), literal(SkipReason.STOPPED.value)),
        (Subscriber.blocked_at.is_not(None), literal(SkipReason.BLOCKED.value)),
        (on_a_list(stopped, by_operator), literal(SkipReason.TAKEN_OFF.value)),
        *(
            (on_a_list(Subscription.state == state.value), literal(reason.value))
            for state, reason in _LEFT.items()
        ),
        else_=literal(SkipReason.STOPPED.value),
    )


def covers(granted_seq: Any, purpose_since_seq: Any, as_of_seq: Any = None) -> ColumnElement[bool]:
    """SQL for whether a consent is to what the list is for: given since its purpose changed last.

    A broadcast whose audience was frozen before that (`as_of_seq`) is still what people agreed to then.
    """
    answer: ColumnElement[bool] = granted_seq > purpose_since_seq
    return answer if as_of_seq is None else or_(answer, purpose_since_seq > as_of_seq)
