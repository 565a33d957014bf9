"""The gate asks each person's own consent once more just before the hand-over: when the ledger has moved, or a second
after the claim."""

from sqlalchemy import update

from app.domain.consent import SubscriptionState
from app.domain.statuses import SkipReason
from app.storage.database import transaction
from app.storage.models import Subscriber, Subscription
from tests.support.world import Newsroom, number


def test_a_consent_that_is_gone_at_the_door_is_refused_whatever_others_agreed_to(
    newsroom: Newsroom,
) -> None:
    newsroom.join(12)
    broadcast_id = newsroom.broadcast()

    def withdraw_once(to: str) -> None:
        # Not the front door, which moves the ledger and strikes the delivery: here only the consent itself is gone.
        with transaction() as session:
            leaver = session.query(Subscriber.id).filter_by(address=number(11)).scalar_subquery()
            session.execute(
                update(Subscription)
                .where(Subscription.subscriber_id == leaver)
                .values(state=SubscriptionState.STOPPED.value)
            )
        newsroom.later(seconds=1)

    newsroom.provider.before_answer = withdraw_once
    newsroom.send()

    assert number(11) not in newsroom.provider.copies
    counts = newsroom.tally(broadcast_id)
    assert (counts.sent, counts.skipped, counts.reasons) == (11, 1, {SkipReason.STOPPED.value: 1})
