"""Those who had a broadcast are counted as the gate counts them, person by person, whatever happened since."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.domain.in_place import InPlace
from app.gateways.base import Reply
from app.services import correct_broadcasts
from app.services.broadcast_rows import targets_of
from app.storage import audience, in_place, served
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Delivery, Subscriber, Subscription
from app.storage.ways import ways_to
from tests.gateways.samples.telegram import SETTINGS
from tests.support.chat_city import ChatCity
from tests.support.world import FakeProvider, Newsroom, number

_OVERLAYS = ("blocked_at", "bounced_at", "suppressed_at", "erased_at", "review_opened_at")
_ON_TELEGRAM = range(20, 32)


def send(newsroom: Newsroom, *, with_telegram: bool) -> int:
    """Send to people of two lists, some of whom it does not reach; returns the broadcast."""
    newsroom.join(16)
    other = newsroom.new_list("Sports", "SPORTS")
    city = ChatCity(newsroom, "telegram", "@CityDeskBot", SETTINGS) if with_telegram else None
    for index in _ON_TELEGRAM if city else ():
        city.says(number(index), "CITY")  # type: ignore[union-attr]
    with transaction() as session:
        for one in session.scalars(select(Subscriber.id).where(Subscriber.id % 3 == 0)):
            session.add(
                Subscription(list_id=other, subscriber_id=one, state="active", granted_seq=1, active_seq=1)
            )
    sent = newsroom.broadcast(list_ids=[newsroom.list_id, other])
    failing = Reply(400, b'{"code": 30005, "message": "unknown"}')
    taken = Reply(201, b'{"sid": "SM00000000000000000000000000000001"}')
    if city:
        city.drain()
    newsroom.send(FakeProvider(lambda to, body: failing if to in (number(3), number(9)) else taken))
    db.session.rollback()
    return sent


def let_things_happen(newsroom: Newsroom, sent: int, dice: random.Random) -> None:
    """People leave one list or both, overlays come, ids of messages are lost, messages grow old."""
    with transaction() as session:
        ids = sorted(session.scalars(select(Subscriber.id)))
        lists = [one.id for one in targets_of(session, sent)]
        for name in _OVERLAYS:
            some = dice.sample(ids, 2)
            _set(session, Subscriber.id.in_(some), **{name: newsroom.now})
            if name == "erased_at":
                theirs = Subscription.subscriber_id.in_(some)
                session.execute(update(Subscription).where(theirs).values(state="stopped"))
        for list_id in lists:
            some = Subscription.subscriber_id.in_(dice.sample(ids, 5))
            state = dice.choice(("stopped", "paused", "stale"))
            session.execute(
                update(Subscription).where(some, Subscription.list_id == list_id).values(state=state)
            )
        theirs = (Delivery.broadcast_id == sent, Delivery.subscriber_id.in_(dice.sample(ids, 4)))
        session.execute(update(Delivery).where(*theirs).values(provider_id=None))
        theirs = (Delivery.broadcast_id == sent, Delivery.subscriber_id.in_(dice.sample(ids, 6)))
        session.execute(update(Delivery).where(*theirs).values(updated_at=newsroom.now - timedelta(days=3)))


def _set(session: Session, where: ColumnElement[bool], **values: object) -> None:
    session.execute(update(Subscriber).where(where).values(**values))


@pytest.mark.parametrize("with_telegram", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_counts_of_a_correction_are_those_of_the_gate(
    newsroom: Newsroom, seed: int, with_telegram: bool
) -> None:
    sent, now = send(newsroom, with_telegram=with_telegram), newsroom.now
    dice = random.Random(seed)
    for _ in range(3):
        let_things_happen(newsroom, sent, dice)
        session = db.session()
        session.rollback()
        lists = [one.id for one in targets_of(session, sent)]
        slow = audience.ask(session, lists, now, (), sent)
        people = audience.reachable(lists, now, corrects=sent)
        standing = in_place.count_standing(session, sent, list(InPlace), people, now)

        assert served.can_be_sure(session, lists, ways_to(session, lists, sent))
        assert served.everybody(session, sent) == sum(slow.counts.values()) > 10
        assert (
            served.reachable(session, sent, lists)
            == slow.reachable
            == correct_broadcasts.reachable(sent, now)
        )
        assert served.count_standing(session, sent, lists, list(InPlace), now) == standing
        most = {one.act: one.channels for one in correct_broadcasts.most_in_place(sent)}
        for one in correct_broadcasts.ways_in_place(sent, now):
            assert all(people <= most[one.act][name] for name, people in one.channels.items())


def test_a_purpose_that_changed_is_asked_person_by_person(newsroom: Newsroom) -> None:
    sent = send(newsroom, with_telegram=False)
    with transaction() as session:
        lists = [one.id for one in targets_of(session, sent)]
        session.get_one(BroadcastList, lists[0]).purpose_since_seq = 10
    slow = audience.ask(db.session(), lists, newsroom.now, (), sent)

    assert not served.can_be_sure(db.session(), lists, ())
    assert 0 < slow.reachable < sum(slow.counts.values())
    assert correct_broadcasts.reachable(sent, newsroom.now) == slow.reachable


def test_somebody_erased_who_is_on_a_list_still_is_asked_person_by_person(newsroom: Newsroom) -> None:
    sent = send(newsroom, with_telegram=False)
    with transaction() as session:
        _set(session, Subscriber.id == min(session.scalars(select(Subscriber.id))), erased_at=newsroom.now)
    lists = [one.id for one in targets_of(db.session(), sent)]

    assert not served.can_be_sure(db.session(), lists, ())
    assert correct_broadcasts.reachable(sent, newsroom.now) == served.everybody(db.session(), sent) - 1
