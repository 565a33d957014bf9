"""The gate asks each person's own consent once more just before the hand-over: when the ledger has moved, or a second
after the claim."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.domain.consent import SubscriptionState
from app.domain.statuses import SkipReason
from app.gateways.base import Reply
from app.services import fan_out
from app.storage.database import transaction
from app.storage.models import Subscriber, Subscription
from tests.support.world import FakeProvider, Newsroom, number

OVERLAYS = {
    "suppressed_at": SkipReason.SUPPRESSED,
    "blocked_at": SkipReason.BLOCKED,
    "bounced_at": SkipReason.BOUNCED,
    "review_opened_at": SkipReason.HELD_FOR_REVIEW,
}


def overlay(newsroom: Newsroom, column: str) -> None:
    """What touches no subscription, so that the ledger's move strikes no delivery that waits."""
    with transaction() as session:
        session.execute(update(Subscriber).values({column: newsroom.now}))


@pytest.mark.parametrize(("column", "reason"), OVERLAYS.items())
def test_whoever_waits_for_another_try_is_asked_about_anew(
    newsroom: Newsroom, column: str, reason: SkipReason
) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send(FakeProvider(answer=lambda _to, _body: Reply(503, b"")))
    overlay(newsroom, column)

    newsroom.later(minutes=1)
    fan_out.bring_back(newsroom.now)
    newsroom.send()

    assert newsroom.provider.copies == {}
    assert newsroom.tally(broadcast_id).reasons == {reason.value: 1}


def test_whoever_is_left_of_a_slice_that_was_given_back_is_asked_about_anew(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()
    one = FakeProvider(capacity=1, before_answer=lambda _to: newsroom.later(seconds=30))
    newsroom.lane(one).drain(newsroom.now + timedelta(seconds=20))
    assert len(one.arrived) == 1
    overlay(newsroom, "suppressed_at")

    newsroom.send()

    assert newsroom.provider.copies == {}
    assert newsroom.tally(broadcast_id).reasons == {SkipReason.SUPPRESSED.value: 1}


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
