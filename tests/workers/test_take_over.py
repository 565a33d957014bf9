"""After a death others go on at once, even when the wake-up died with whoever had taken it."""

from rq import Queue
from rq.serializers import JSONSerializer

from app.queue import LANE, enqueue_lane, waiting
from app.runtime import runtime
from tests.support.world import Newsroom
from tests.workers.test_clock import a_dead_process, leased_to
from workers.machine import machine, worker_name
from workers.take_over import take_over


def test_the_slices_of_the_dead_go_on_though_their_wake_up_is_lost(newsroom: Newsroom) -> None:
    people = newsroom.join(3)
    newsroom.broadcast()
    leased_to(newsroom, f"{machine()}:{a_dead_process()}")
    enqueue_lane(newsroom.sender_id)
    Queue(
        LANE, connection=runtime().redis, serializer=JSONSerializer
    ).empty()  # taken, and died before its work

    take_over(newsroom.now)

    assert waiting(LANE) == 1
    newsroom.send()
    assert newsroom.provider.copies == dict.fromkeys(people, 1)


def test_what_a_living_worker_holds_wakes_nobody(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    leased_to(newsroom, worker_name())

    take_over(newsroom.now)

    assert waiting(LANE) == 0


def test_a_wake_up_that_waits_is_enough(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    enqueue_lane(newsroom.sender_id)

    take_over(newsroom.now)

    assert waiting(LANE) == 1
