"""Move subscriptions and overlays by the very functions that fold the ledger, and strike those who left an audience."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.consent import (
    STALE_AFTER,
    Act,
    Fact,
    Overlays,
    Standing,
    SubscriptionState,
    apply,
    overlay,
)
from app.domain.statuses import SkipReason
from app.storage import departures
from app.storage.database import among
from app.storage.models import Subscriber, Subscription
from app.storage.shared import shared_by

_STANDING: Final = (
    "granted_seq",
    "granted_at",
    "active_seq",
    "stopped_seq",
    "stopped_at",
    "requested_seq",
    "requested_at",
    "expires_at",
    "paused_until",
)
_OVERLAYS: Final = (
    "erased_at",
    "suppressed_at",
    "blocked_at",
    "bounced_at",
    "review_opened_at",
    "review_due_at",
    "last_stop_at",
)
_USABLE: Final = (SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value)

# Why somebody who has just left gets nothing that waits.
_LEFT: Final = {
    SubscriptionState.PAUSED: SkipReason.PAUSED_BY_PERSON,
    SubscriptionState.STALE: SkipReason.EXPIRED,
}

_Rows = dict[tuple[int, int], Subscription]


class Move(NamedTuple):
    """One entry of the ledger and the person it is about."""

    subscriber: Subscriber
    fact: Fact


def project(session: Session, moves: Sequence[Move], now: datetime) -> None:
    """Apply entries, in their order, to overlays and subscriptions."""
    rows = _rows(session, {move.subscriber.id for move in moves})
    left: list[departures.Departure] = []
    for person, fact in moves:
        before, after = overlays_of(person), overlay(overlays_of(person), fact)
        if after != before:
            write_overlays(person, after)
        for list_id in _touched(person, fact, rows):
            left += _move(session, rows, (person.id, list_id), fact, after, now)
    if (shared := shared_by(session)) is not None:
        shared.left += left
        return
    session.flush()
    departures.strike(session, left, now)


def subscriptions_of(session: Session, subscriber_id: int) -> list[Subscription]:
    """Return a person's subscriptions, whatever their state, in the order of the lists."""
    shared = shared_by(session)
    if shared is not None and subscriber_id in shared.people:
        return list(shared.of(session, "subscriptions", _locked)[subscriber_id])
    rows = select(Subscription).where(Subscription.subscriber_id == subscriber_id)
    return list(session.scalars(rows.order_by(Subscription.list_id)))


def _locked(session: Session, subscriber_ids: Collection[int]) -> dict[int, list[Subscription]]:
    """Read and lock the subscriptions of these people, as they are by now whatever was read before the lock."""
    rows = (
        select(Subscription)
        .where(among(session, Subscription.subscriber_id, subscriber_ids))
        .order_by(Subscription.subscriber_id, Subscription.list_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: dict[int, list[Subscription]] = {id_: [] for id_ in subscriber_ids}
    for row in session.scalars(rows):
        found[row.subscriber_id].append(row)
    return found


def _rows(session: Session, subscriber_ids: set[int]) -> _Rows:
    shared = shared_by(session)
    if shared is not None and subscriber_ids <= shared.people:
        known = shared.of(session, "subscriptions", _locked)
        found = [known[id_] for id_ in subscriber_ids]
    else:
        found = list(_locked(session, subscriber_ids).values())
    return {(row.subscriber_id, row.list_id): row for rows in found for row in rows}


def _touched(person: Subscriber, fact: Fact, rows: _Rows) -> list[int]:
    if fact.list_id is not None:
        return [fact.list_id]
    return sorted(list_id for subscriber_id, list_id in rows if subscriber_id == person.id)


def _move(
    session: Session, rows: _Rows, key: tuple[int, int], fact: Fact, overlays: Overlays, now: datetime
) -> list[departures.Departure]:
    before = standing_of(rows.get(key))
    after = apply(before, fact, overlays)
    if after == before:
        return []
    if key not in rows:
        rows[key] = _new(session, *key)
    write_standing(rows[key], after, now)
    if before.state is not SubscriptionState.ACTIVE or after.state is SubscriptionState.ACTIVE:
        return []
    reason = _LEFT.get(after.state, SkipReason.STOPPED)
    return [departures.Departure(key[0], key[1], before.active_seq or 0, reason)]


def _new(session: Session, subscriber_id: int, list_id: int) -> Subscription:
    row = Subscription(subscriber_id=subscriber_id, list_id=list_id)
    session.add(row)
    if (shared := shared_by(session)) is not None and subscriber_id in shared.people:
        theirs = shared.of(session, "subscriptions", _locked)[subscriber_id]
        theirs.append(row)
        theirs.sort(key=lambda one: one.list_id)
    return row


def to_ms(moment: datetime) -> datetime:
    """Cut to milliseconds, as the ledger writes time, so that a rebuilt projection equals the live one."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def standing_of(row: Subscription | None) -> Standing:
    """Return a subscription row as the domain's value."""
    if row is None:
        return Standing()
    act = Act(row.stopped_act) if row.stopped_act else None
    return Standing(SubscriptionState(row.state), stopped_act=act, **_values(row, _STANDING))


def write_standing(row: Subscription, standing: Standing, now: datetime) -> None:
    """Make a subscription row say `standing`; a consent in force is checked for use when two years have passed."""
    renewed = row.granted_seq != standing.granted_seq
    row.state = standing.state.value
    row.stopped_act = standing.stopped_act.value if standing.stopped_act else None
    for name in _STANDING:
        setattr(row, name, getattr(standing, name))
    if row.state not in _USABLE:
        row.check_use_at = None
    elif renewed or row.check_use_at is None:
        row.check_use_at = now + STALE_AFTER


def overlays_of(person: Subscriber) -> Overlays:
    """Return a subscriber's overlays as the domain's value."""
    return Overlays(**_values(person, _OVERLAYS))


def write_overlays(person: Subscriber, overlays: Overlays) -> None:
    """Make a subscriber row say `overlays`."""
    for name in _OVERLAYS:
        setattr(person, name, getattr(overlays, name))


def _values(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
