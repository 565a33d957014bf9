"""A lane and its limits: each permit is used or given back, and who had a message just now gets the next one later."""

from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from sqlalchemy import select

from app.domain.pace import Ask, Grant, PairLimit, Shared
from app.domain.statuses import DeliveryStatus
from app.gateways.base import Capabilities
from app.gateways.twilio import TwilioGateway
from app.services import fan_out
from app.services.lane_pace import OWN_PACE
from app.services.send_deliveries import Lane
from app.services.stop_broadcasts import pause
from app.storage.database import db
from app.storage.models import Delivery, Subscriber
from app.throttle import RedisThrottle
from tests.support.world import Newsroom, OpenThrottle, number

PAIR = PairLimit(6.0, burst=2)


class OneInSixSeconds(TwilioGateway):
    """A provider with a limit of each person."""

    @classmethod
    def capabilities(cls) -> Capabilities:
        return replace(TwilioGateway.capabilities(), pair=PAIR)


class Recording(OpenThrottle):
    """Grants everything, but lets the subscribers in `tired` rest; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asks: list[Ask] = []
        self.tired: set[int] = set()

    def take(self, ask: Ask) -> Grant:
        self.asks.append(ask)
        rests = {place: 6.0 for place, one in enumerate(ask.people) if one in self.tired}
        return Grant(len(ask.costs), rests=rests)

    @property
    def used(self) -> int:
        """Units that were taken and not given back."""
        return sum(sum(ask.costs) - ask.back for ask in self.asks)


@pytest.fixture
def throttle(newsroom: Newsroom) -> Recording:
    newsroom.throttle = Recording()
    return newsroom.throttle


def lane(newsroom: Newsroom) -> Lane:
    return newsroom.lane(kind=OneInSixSeconds)


def drain(newsroom: Newsroom) -> None:
    lane(newsroom).drain(newsroom.now + timedelta(seconds=20))
    fan_out.end_finished(newsroom.now)


def people_of(numbers: list[str]) -> list[int]:
    db.session.rollback()
    rows = db.session.execute(select(Subscriber.address, Subscriber.id)).all()
    ids = {address: id_ for address, id_ in rows}
    return [ids[one] for one in numbers]


def waiting() -> Delivery:
    db.session.rollback()
    return db.session.scalars(select(Delivery).where(Delivery.status == DeliveryStatus.PENDING.value)).one()


def test_who_had_a_message_just_now_gets_the_next_one_later_and_once(
    newsroom: Newsroom, throttle: Recording
) -> None:
    numbers = newsroom.join(5)
    throttle.tired = set(people_of(numbers)[1:2])
    broadcast_id = newsroom.broadcast()

    drain(newsroom)

    assert sorted(newsroom.provider.copies) == sorted({*numbers} - {numbers[1]})
    assert (waiting().error_code, waiting().attempts) == (OWN_PACE, 0)
    assert waiting().due_at == newsroom.now + timedelta(seconds=6)
    throttle.tired.clear()
    newsroom.later(seconds=7)
    fan_out.bring_back(newsroom.now)
    drain(newsroom)
    assert newsroom.provider.copies == dict.fromkeys(numbers, 1)
    assert newsroom.tally(broadcast_id).sent == 5


def test_a_broadcast_in_which_everybody_has_to_rest_waits_and_ends(
    newsroom: Newsroom, throttle: Recording
) -> None:
    numbers = newsroom.join(3)
    throttle.tired = set(people_of(numbers))
    broadcast_id = newsroom.broadcast()

    drain(newsroom)

    assert not newsroom.provider.arrived
    assert newsroom.tally(broadcast_id).pending == 3
    throttle.tired.clear()
    newsroom.later(seconds=7)
    fan_out.bring_back(newsroom.now)
    drain(newsroom)
    assert newsroom.tally(broadcast_id).sent == 3


def test_an_answer_rests_too_where_a_person_had_too_many(newsroom: Newsroom, throttle: Recording) -> None:
    newsroom.text("START")
    throttle.tired = set(people_of([number(1)]))

    drain(newsroom)

    assert not newsroom.provider.arrived
    assert waiting().error_code == OWN_PACE
    throttle.tired.clear()
    newsroom.later(seconds=7)
    drain(newsroom)
    assert newsroom.provider.copies == {number(1): 1}


def test_answers_must_leave_and_broadcasts_must_not(newsroom: Newsroom, throttle: Recording) -> None:
    newsroom.text("START")
    newsroom.broadcast()

    drain(newsroom)

    assert [(ask.must, list(ask.costs)) for ask in throttle.asks] == [(True, [1]), (False, [1])]
    assert all(ask.people == people_of([number(1)]) and ask.pair == PAIR for ask in throttle.asks)


def test_a_provider_without_such_a_limit_is_asked_about_nobody(
    newsroom: Newsroom, throttle: Recording
) -> None:
    newsroom.join(3)
    newsroom.broadcast()

    newsroom.send()

    assert [(ask.people, ask.pair) for ask in throttle.asks] == [((), None)]


def test_permits_of_those_whom_the_door_refuses_are_given_back(
    newsroom: Newsroom, throttle: Recording
) -> None:
    numbers = newsroom.join(30)
    newsroom.broadcast("x" * 200)  # two parts

    def stop(_: str) -> None:
        newsroom.provider.before_answer = None
        for one in numbers[20:25]:
            newsroom.text("STOP", one)

    newsroom.provider.before_answer = stop
    drain(newsroom)

    broadcast = [words for _, words in newsroom.provider.arrived if words.startswith("xxx")]
    answers = len(newsroom.provider.arrived) - len(broadcast)
    assert len(broadcast) == 25
    assert throttle.used == 2 * len(broadcast) + answers


def test_permits_of_a_slice_that_is_given_back_are_given_back(
    newsroom: Newsroom, throttle: Recording
) -> None:
    newsroom.join(30)
    broadcast_id = newsroom.broadcast()

    def stop(_: str) -> None:
        newsroom.provider.before_answer = None
        pause(broadcast_id, reason="", by="ada", now=newsroom.now)

    newsroom.provider.before_answer = stop
    drain(newsroom)

    assert 0 < len(newsroom.provider.arrived) < 30
    assert throttle.used == len(newsroom.provider.arrived)


def test_two_broadcasts_that_meet_one_person_keep_the_pace_of_the_provider(
    newsroom: Newsroom, valkey_url: str
) -> None:
    numbers = newsroom.join(4)
    with redis.Redis.from_url(valkey_url) as client:
        newsroom.throttle = RedisThrottle(client)
        first = newsroom.broadcast("First.")
        drain(newsroom)
        second = newsroom.broadcast("Second.")
        drain(newsroom)

    assert newsroom.provider.copies == dict.fromkeys(numbers, 1)
    assert (newsroom.tally(first).sent, newsroom.tally(second).pending) == (4, 4)


def test_a_lane_keeps_the_limit_that_it_shares(newsroom: Newsroom, valkey_url: str) -> None:
    newsroom.join(30)
    newsroom.broadcast()
    shared = (Shared("account:twilio:AC1", 0.1),)
    with redis.Redis.from_url(valkey_url) as client:
        newsroom.throttle = RedisThrottle(client)
        newsroom.throttle.take(Ask(99, 1000, [1], shared))  # of another sender

        done = newsroom.lane(shared=shared).drain(newsroom.now + timedelta(seconds=20))

    assert done.handed_over == len(newsroom.provider.arrived) == 0
