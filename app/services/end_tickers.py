"""End live tickers whose time has come: the last words, then every consent to the event, in the ledger."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.consent import EventType, SubscriptionState
from app.domain.statuses import BroadcastState
from app.services import fan_out
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.services.post_ticker import say_farewell
from app.services.record_consent import NewEvent, record
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, Subscriber, Subscription, Ticker

# So long before its end an event says its last words, for they must be out while people still agree to it.
FAREWELL_BEFORE: Final = timedelta(minutes=5)
# Whoever texted the word in the very moment of the end is found so long afterwards.
LATE_JOINERS: Final = timedelta(minutes=10)
AT_ONCE: Final = 500
"""People in one transaction: texts that come in meanwhile wait for the ledger no longer than that takes."""

_CLOCK: Final = "system:clock"
_AGREE: Final = (SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value)
_ON_THE_WAY: Final = (
    BroadcastState.SCHEDULED.value,
    BroadcastState.SENDING.value,
    BroadcastState.PAUSED.value,
)


@dataclass(frozen=True)
class Ended:
    """An event that said its last words (`farewell_id`), or is over: `people` were on its list until now."""

    list_id: int
    farewell_id: int | None = None
    people: int = 0
    problem: str = ""


def end_tickers(*, controller: Controller, now: datetime) -> list[Ended]:
    """Do what is due at `now`; for the clock. Several clocks may call it, and one that is broken off goes on."""
    with transaction() as session:
        due = session.scalars(
            select(Ticker.list_id)
            .where(
                or_(Ticker.ended_at.is_(None), Ticker.ended_at > now - LATE_JOINERS),
                or_(Ticker.closes_at <= now + FAREWELL_BEFORE, Ticker.farewell_id.is_not(None)),
            )
            .order_by(Ticker.list_id)
        ).all()
    done = (_farewell(one, controller, now) or _end(one, controller, now) for one in due)
    return [one for one in done if one is not None]


def _farewell(list_id: int, controller: Controller, now: datetime) -> Ended | None:
    """Say the last words that were written before, if it is time and nobody has said them."""
    try:
        with transaction() as session:
            row = session.get_one(Ticker, list_id, with_for_update=True)
            if not row.farewell or row.farewell_id is not None or row.closes_at <= now:
                return None
            text, row.farewell = row.farewell, None
            its = session.get_one(BroadcastList, list_id)
            broadcast_id = say_farewell(session, row, its, text, "system", now)
    except Refused as refusal:
        with transaction() as session:  # said once, and not each second until the end
            session.get_one(Ticker, list_id, with_for_update=True).farewell = None
        return Ended(list_id, problem=str(refusal))
    fan_out.open_now(broadcast_id, controller=controller, now=now)
    return Ended(list_id, farewell_id=broadcast_id)


def _end(list_id: int, controller: Controller, now: datetime) -> Ended | None:
    row = db.session.get_one(Ticker, list_id)
    if row.ended_at is not None:
        late = _expire_all(list_id, controller, now)
        return Ended(list_id, people=late) if late else None
    if row.closes_at > now and (row.farewell_id is None or _on_the_way(db.session(), row.farewell_id)):
        return None
    with transaction() as session:  # first, so that nobody else joins
        its = session.get_one(BroadcastList, list_id)
        its.archived_at, its.is_default = its.archived_at or now, False
    people = _expire_all(list_id, controller, now)
    with transaction() as session:
        row = session.get_one(Ticker, list_id, with_for_update=True)
        if row.ended_at is not None:
            return None
        row.ended_at = now
        note(session, "system", "ticker.end", f"list {list_id}", now, people=people)
    return Ended(list_id, people=people)


def _on_the_way(session: Session, broadcast_id: int) -> bool:
    return session.get_one(Broadcast, broadcast_id).state in _ON_THE_WAY


def _expire_all(list_id: int, controller: Controller, now: datetime) -> int:
    agree = Subscription.list_id == list_id, Subscription.state.in_(_AGREE)
    if db.session.scalar(select(Subscription.subscriber_id).where(*agree).limit(1)) is None:
        return 0  # no reason to hold the ledger
    people = after = 0
    while found := _expire_some(list_id, after, controller, now):
        people, after = people + len(found), found[-1]
    return people


def _expire_some(list_id: int, after: int, controller: Controller, now: datetime) -> list[int]:
    """End the consent of some of the people (consent rules 3.2, row 37); returns their ids.

    An open question ends by itself: a list that is closed takes no YES.
    """
    with transaction() as session:
        lock_head(session, controller.ledger)
        people = session.scalars(
            select(Subscriber)
            .join(Subscription, Subscription.subscriber_id == Subscriber.id)
            .where(Subscription.list_id == list_id, Subscription.state.in_(_AGREE), Subscriber.id > after)
            .order_by(Subscriber.id)
            .limit(AT_ONCE)
        ).all()
        events = [
            NewEvent(
                person,
                EventType.CONSENT_EXPIRED,
                now,
                _CLOCK,
                list_id=list_id,
                matched_rule="live event ended",
            )
            for person in people
        ]
        record(session, events, controller=controller, now=now)
        return [person.id for person in people]
