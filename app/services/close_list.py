"""Close a list for good: nobody joins any more, and every consent to it ends in the ledger (row 38 of the states)."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import select

from app.domain.consent import Act, EventType, SubscriptionState
from app.services import manage_lists
from app.services.controller import Controller
from app.services.record_consent import NewEvent, record
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Subscriber, Subscription

AT_ONCE: Final = 500
"""People in one transaction: texts that come in meanwhile wait for the ledger no longer than that takes."""

_OFF: Final = (SubscriptionState.UNKNOWN.value, SubscriptionState.STOPPED.value)


def close_list(name: str, *, by: str, controller: Controller, now: datetime) -> int:
    """Close the list of that name or keyword; returns how many people were on it until now.

    Twice changes nothing; broken off, the clock or the next call goes on with those who are left. Raises `NotFound`,
    and `Refused` naming the broadcast or rule that still waits to go to it.
    """
    row = manage_lists.archive(name, by=by, now=now)
    ended = 0
    while some := _end_some(row.id, by, controller, now):
        ended += some
    return ended


def begin_closing(list_id: int, *, by: str, controller: Controller, now: datetime) -> int:
    """Close a list, and end the consent of the first people on it; the clock does the rest (`go_on`).

    Returns how many consents ended already. Raises as `close_list` does.
    """
    row = manage_lists.archive_list(list_id, by=by, now=now)
    return _end_some(row.id, by, controller, now)


def go_on(*, controller: Controller, until: datetime, clock: Callable[[], datetime]) -> int:
    """End what is left of the consents to closed lists, until a moment; for the clock. Returns how many ended."""
    ended = 0
    for list_id, by in _closing():
        while clock() < until and (some := _end_some(list_id, by, controller, clock())):
            ended += some
    return ended


def _closing() -> list[tuple[int, str]]:
    session = db.session()
    rows = select(BroadcastList.id, BroadcastList.closing_by).where(BroadcastList.closing_by.is_not(None))
    found = [(list_id, str(by)) for list_id, by in session.execute(rows.order_by(BroadcastList.id))]
    session.rollback()
    return found


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
        if len(people) < AT_ONCE:  # nobody joins a closed list, so nobody is left
            session.get_one(BroadcastList, list_id).closing_by = None
        return len(people)
