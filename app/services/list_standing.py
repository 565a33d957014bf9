"""How a list stands: how many people are on it, which senders it goes out of, and what waits to go to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text

from app.domain.consent import SubscriptionState
from app.services.waiting_for_lists import repeating, waiting_broadcast
from app.storage import headcounts
from app.storage.database import db
from app.storage.models import BroadcastList, Sender, Subscription
from app.storage.ways import ways

_ACTIVE = SubscriptionState.ACTIVE.value
# Written out: an index of some rows is not used for what stands in a parameter.
_IS_OFF = text(f"subscription.state <> '{_ACTIVE}'")


@dataclass(frozen=True)
class Standing:
    """`people` by state of their subscription. `number` is our address on the list's first channel.

    `waits` and `repeats` are titles of a broadcast that is not out yet, and of a rule that makes some; "" for none.
    """

    people: dict[str, int]
    senders: Sequence[Sender]
    number: str
    waits: str
    repeats: str

    @property
    def active(self) -> int:
        """Who gets what goes out now."""
        return self.people.get("active", 0)

    @property
    def agree(self) -> int:
        """Whose consent ends when the list is closed."""
        return sum(self.people.get(one, 0) for one in ("active", "paused", "stale", "pending"))


def standing(row: BroadcastList) -> Standing:
    """Return how a list stands now."""
    session = db.session()
    # Of those who are on it there may be a million, and their number is kept; the others have an index of their own.
    others = (
        select(Subscription.state, func.count())
        .where(Subscription.list_id == row.id, _IS_OFF)
        .group_by(Subscription.state)
    )
    people = {state: count for state, count in session.execute(others)}
    if active := headcounts.by_list(session).get(row.id, 0):
        people[_ACTIVE] = active
    ids = sorted(one for some in ways(session, [row.id]).values() for one in some)
    senders = session.scalars(select(Sender).where(Sender.id.in_(ids)).order_by(Sender.channel)).all()
    return Standing(
        people,
        senders,
        session.get_one(Sender, row.sender_id).address,
        waiting_broadcast(session, row.id) or "",
        repeating(session, row.id) or "",
    )
