"""Close a list for good: nobody joins any more, and every consent to it ends in the ledger (row 38 of the states)."""

from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.consent import Act, EventType, SubscriptionState
from app.services import manage_lists
from app.services.controller import Controller
from app.services.record_consent import NewEvent, record
from app.storage.consent import lock_head
from app.storage.database import transaction
from app.storage.models import Subscriber, Subscription

AT_ONCE: Final = 500
"""People in one transaction: texts that come in meanwhile wait for the ledger no longer than that takes."""

_OFF: Final = (SubscriptionState.UNKNOWN.value, SubscriptionState.STOPPED.value)


def close_list(name: str, *, by: str, controller: Controller, now: datetime) -> int:
    """Close the list of that name or keyword; returns how many people were on it until now.

    Twice changes nothing; broken off, the next call goes on with those who are left. Raises `NotFound`.
    """
    row = manage_lists.archive(name, by=by, now=now)
    ended = 0
    while some := _end_some(row.id, by, controller, now):
        ended += some
    return ended


def _end_some(list_id: int, by: str, controller: Controller, now: datetime) -> int:
    with transaction() as session:
        lock_head(session, controller.ledger)
        people = session.scalars(
            select(Subscriber)
            .join(Subscription, Subscription.subscriber_id == Subscriber.id)
            .where(Subscription.list_id == list_id, Subscription.state.not_in(_OFF))
            .order_by(Subscriber.id)
            .limit(AT_ONCE)
        ).all()
        events = [
            NewEvent(
                person,
                EventType.CONSENT_REVOKED,
                now,
                f"operator:{by}",
                act=Act.OPERATOR,
                list_id=list_id,
                matched_rule="list closed",
            )
            for person in people
        ]
        record(session, events, controller=controller, now=now)
        return len(people)
