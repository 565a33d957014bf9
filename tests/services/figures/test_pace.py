"""How fast a broadcast goes, kept by the clock each minute and read without a look at its deliveries."""

from datetime import timedelta

from sqlalchemy import select

from app.gateways.base import Reply
from app.services.figures.pace import MOST_POINTS, Step, forget, pace_of, sample
from app.storage.database import transaction
from app.storage.models import BroadcastList, BroadcastMinute, ListSender, Sender
from tests.support.world import NOON, FakeProvider, Newsroom, number


def refuses_first(to: str, body: str) -> Reply:
    if to == number(0):
        return Reply(400, b'{"code": 21211, "message": "invalid number"}')
    return Reply(201, b'{"sid": "SM%032x"}' % abs(hash(to)))


def test_each_minute_has_what_was_handed_over_in_it_and_the_level_is_the_senders(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    sample(NOON)
    newsroom.later(minutes=2, seconds=20)
    newsroom.send(FakeProvider(refuses_first))
    sample(newsroom.now)
    sample(newsroom.now)

    found = pace_of(broadcast_id)

    assert found.steps == (
        Step(NOON, 1, 0.0, 0),
        Step(NOON + timedelta(minutes=1), 1, 0.0, 0),
        Step(NOON + timedelta(minutes=2), 1, 3.0, 1),
    )
    assert found.target == 60_000


def test_what_ended_is_looked_at_once_more_and_then_no_longer(newsroom: Newsroom) -> None:
    newsroom.join(1)
    newsroom.broadcast()
    newsroom.send()

    assert sample(NOON + timedelta(seconds=30)) == 1
    assert sample(NOON + timedelta(minutes=5)) == 0


def test_a_long_broadcast_has_few_steps_that_add_up_to_all(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    with transaction() as session:
        session.add_all(
            BroadcastMinute(
                broadcast_id=broadcast_id,
                minute=NOON + timedelta(minutes=n),
                handed_over=10 * (n + 1),
                failed=0,
            )
            for n in range(150)
        )

    steps = pace_of(broadcast_id).steps

    assert len(steps) <= MOST_POINTS
    assert sum(one.per_minute * one.minutes for one in steps) == 1500
    assert {one.per_minute for one in steps} == {10.0}


def test_old_minutes_are_let_go(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    sample(NOON)

    assert forget(NOON + timedelta(days=89)) == 0
    assert forget(NOON + timedelta(days=91)) == 1
    assert pace_of(broadcast_id).steps == ()


def test_the_level_leaves_out_a_sender_of_the_list_that_has_nobody(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    with transaction() as session:
        idle = Sender(
            name="idle",
            gateway="whatsapp",
            channel="whatsapp",
            address="+447700900999",
            rate=5,
            created_at=NOON,
            sealed_settings=b"",
        )
        session.add(idle)
        session.flush()
        list_id = session.scalars(select(BroadcastList.id)).one()
        session.add(ListSender(list_id=list_id, sender_id=idle.id, channel=idle.channel))

    assert pace_of(broadcast_id).target == 60_000
