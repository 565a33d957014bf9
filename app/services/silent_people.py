"""Why somebody gets nothing of a list: since when, and by which act of whom it ended."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from app.domain.consent import SubscriptionState
from app.storage.database import db
from app.storage.models import BroadcastList, Subscription


@dataclass(frozen=True)
class Silence:
    """One list that sends nothing to a person. `act` is how they left, "" where they did not; `closed`: the list is."""

    list_name: str
    state: str
    since: datetime | None
    act: str = ""
    closed: bool = False
    until: datetime | None = None


def silences(subscriber_id: int) -> list[Silence]:
    """Return every list whose messages a person does not get though they once were on it, by name."""
    rows = db.session.execute(
        select(BroadcastList.name, BroadcastList.archived_at.is_not(None), Subscription)
        .join(Subscription, Subscription.list_id == BroadcastList.id)
        .where(
            Subscription.subscriber_id == subscriber_id,
            Subscription.state != SubscriptionState.ACTIVE.value,
        )
        .order_by(BroadcastList.name)
    )
    return [replace(_silence(name, row), closed=closed) for name, closed, row in rows]


def _silence(name: str, row: Subscription) -> Silence:
    match SubscriptionState(row.state):
        case SubscriptionState.STOPPED:
            return Silence(name, row.state, row.stopped_at, row.stopped_act or "")
        case SubscriptionState.PENDING:
            return Silence(name, row.state, row.requested_at)
        case SubscriptionState.PAUSED:
            return Silence(name, row.state, None, until=row.paused_until)
        case _:
            return Silence(name, row.state, row.expires_at)
