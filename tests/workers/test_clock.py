"""What the clock does each second: it opens what is due, wakes who has work, and repairs what was lost."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import delete, func, select, update

from app.domain.statuses import BroadcastState, DeliveryStatus
from app.gateways.base import Reply
from app.queue import FEED_JOB, IMPORT_JOB, LANE, REPLIES
from app.runtime import runtime
from app.services import fan_out, manage_feeds, manage_senders
from app.services.import_rows import Evidence
from app.services.import_uploads import Choices
from app.services.stop_broadcasts import pause
from app.storage.database import db, transaction
from app.storage.deliveries import lease_slice
from app.storage.models import Broadcast, Delivery, Slice, SlicePeople, Subscriber
from tests.support.world import Newsroom, number
from workers import jobs
from workers.clock import slow_round, tick
from workers.machine import machine

ROOT = Path(__file__).parents[2]
LEASE = timedelta(seconds=30)


def woken(queue: str) -> list[int]:
    """The senders whose lanes were woken, in order."""
    found = Queue(queue, connection=runtime().redis, serializer=JSONSerializer)
    return [job.kwargs["sender_id"] for job in found.jobs]


def state_of(broadcast_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(Broadcast, broadcast_id).state


def leased_to(newsroom: Newsroom, worker: str) -> None:
    with transaction() as session:
        assert lease_slice(session, newsroom.sender_id, worker, newsroom.now, LEASE)


def a_dead_process() -> int:
    """The id of a process that was and is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_is_left_to_plan_of_a_segment_is_planned_while_it_is_sent(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast_waiting()
    choose_everybody(broadcast_id)
    with transaction() as session:
        session.execute(update(Subscriber).values(language="de"))
    tick(newsroom.now)
    with transaction() as session:  # as if the start had not come so far
        row = session.get_one(Broadcast, broadcast_id)
        session.execute(delete(SlicePeople))
        session.execute(delete(Slice))
        row.audience, row.planned_to = 0, 0

    tick(newsroom.now)

    db.session.rollback()
    assert db.session.get_one(Broadcast, broadcast_id).planned_to is None
    assert newsroom.tally(broadcast_id).audience == 3


def choose_everybody(broadcast_id: int) -> None:
    """Give a broadcast that waits a rule of its own."""
    with transaction() as session:
        rule = {"match": "all", "conditions": [{"test": "language", "of": ["de"]}]}
        session.get_one(Broadcast, broadcast_id).segment_rule = rule


def test_a_broadcast_that_is_due_is_opened_and_its_lane_woken(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast_waiting()

    tick(newsroom.now)

    assert state_of(broadcast_id) == BroadcastState.SENDING
    assert woken(LANE) == [newsroom.sender_id]
    assert woken(REPLIES) == []


def test_a_broadcast_that_is_not_due_waits(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast_waiting()

    tick(newsroom.now - timedelta(seconds=1))

    assert state_of(broadcast_id) == BroadcastState.SCHEDULED
    assert woken(LANE) == []


def test_a_broadcast_is_opened_once_however_many_clocks_run(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast_waiting()

    def one_clock() -> None:
        with newsroom.app.app_context():
            tick(newsroom.now)

    clocks = [threading.Thread(target=one_clock) for _ in range(4)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()

    slices = db.session.scalar(
        select(func.count()).select_from(Slice).where(Slice.broadcast_id == broadcast_id)
    )
    assert slices == 1
    assert newsroom.tally(broadcast_id).audience == 3
    assert woken(LANE) == [newsroom.sender_id]


def test_every_second_wakes_a_lane_once_as_long_as_nobody_heard(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()

    for _ in range(5):
        tick(newsroom.now)
        newsroom.later(seconds=1)

    assert woken(LANE) == [newsroom.sender_id]


def test_a_lost_wake_up_is_repaired_by_the_next_round(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    newsroom.text("HELP", number(9))
    tick(newsroom.now)
    runtime().redis.flushall()

    tick(newsroom.now + timedelta(seconds=1))

    assert woken(LANE) == [newsroom.sender_id]
    assert woken(REPLIES) == [newsroom.sender_id]


def test_a_reply_that_waits_wakes_the_replies(newsroom: Newsroom) -> None:
    newsroom.text("HELP", number(9))

    tick(newsroom.now)

    assert woken(REPLIES) == [newsroom.sender_id]
    assert woken(LANE) == []


def test_nothing_to_do_wakes_nobody(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    newsroom.send()

    tick(newsroom.now)

    assert woken(LANE) == woken(REPLIES) == []


def test_a_paused_broadcast_and_a_paused_sender_wake_nobody(newsroom: Newsroom) -> None:
    newsroom.join(3)
    pause(newsroom.broadcast(), by="ada", reason="a wrong figure", now=newsroom.now)
    newsroom.broadcast("More news.")
    manage_senders.pause("city-desk", reason="an outage", by="ops", now=newsroom.now)

    tick(newsroom.now)

    assert woken(LANE) == []


def test_the_slices_of_a_dead_worker_of_this_machine_go_on_at_once(newsroom: Newsroom) -> None:
    people = newsroom.join(3)
    newsroom.broadcast()
    leased_to(newsroom, f"{machine()}:{a_dead_process()}")

    tick(newsroom.now)
    newsroom.send()

    assert woken(LANE) == [newsroom.sender_id]
    assert newsroom.provider.copies == dict.fromkeys(people, 1)


def test_a_worker_that_died_and_was_not_collected_counts_as_dead(newsroom: Newsroom) -> None:
    """In a container whose first process collects nobody, a killed worker stays in the table as a zombie."""
    newsroom.join(3)
    newsroom.broadcast()
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    leased_to(newsroom, f"{machine()}:{zombie.pid}")

    tick(newsroom.now)

    zombie.wait()
    assert woken(LANE) == [newsroom.sender_id]


def test_the_slices_of_a_living_worker_are_left_to_it(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    leased_to(newsroom, f"{machine()}:{os.getpid()}")

    tick(newsroom.now)

    assert woken(LANE) == []


def test_a_worker_of_another_machine_is_given_the_time_of_its_lease(newsroom: Newsroom) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    leased_to(newsroom, f"elsewhere:{a_dead_process()}")

    tick(newsroom.now)
    before = woken(LANE)
    tick(newsroom.now + LEASE + timedelta(seconds=1))

    assert (before, woken(LANE)) == ([], [newsroom.sender_id])


def test_a_reply_in_a_dead_workers_hands_is_given_up_after_a_minute(newsroom: Newsroom) -> None:
    newsroom.text("HELP", number(9))
    with transaction() as session:
        reply = session.scalars(select(Delivery)).one()
        reply.status = DeliveryStatus.HANDING_OVER.value

    tick(newsroom.now + timedelta(seconds=59))
    before = db.session.scalars(select(Delivery.status)).one()
    tick(newsroom.now + timedelta(seconds=61))

    assert before == DeliveryStatus.HANDING_OVER
    assert db.session.scalars(select(Delivery.status)).one() == DeliveryStatus.UNKNOWN


def test_a_failed_hand_over_is_brought_back_when_its_time_has_come(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()
    newsroom.provider.answer = lambda to, body: Reply(0, left=False, reason="curl_7")
    newsroom.send()

    tick(newsroom.now + timedelta(seconds=20))
    before = woken(LANE)
    tick(newsroom.now + timedelta(seconds=40))

    assert (before, woken(LANE)) == ([], [newsroom.sender_id])
    assert state_of(broadcast_id) == BroadcastState.SENDING


def test_two_clocks_bring_the_same_people_back_once(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()
    newsroom.provider.answer = lambda to, body: Reply(0, left=False, reason="curl_7")
    newsroom.send()
    newsroom.later(minutes=1)
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def one_clock() -> None:
        with newsroom.app.app_context():
            together.wait()
            try:
                fan_out.bring_back(newsroom.now)
            except Exception as error:  # a thread's exception would go unseen
                failures.append(error)

    clocks = [threading.Thread(target=one_clock) for _ in range(4)]
    for clock in clocks:
        clock.start()
    for clock in clocks:
        clock.join()

    db.session.rollback()
    seqs = db.session.scalars(select(Slice.seq).where(Slice.broadcast_id == broadcast_id)).all()
    assert failures == []
    assert sorted(seqs) == [0, 1]


def test_a_broadcast_in_which_nobody_waits_is_finished(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()
    newsroom.lane().drain(newsroom.now + timedelta(seconds=20))

    tick(newsroom.now)

    assert state_of(broadcast_id) == BroadcastState.FINISHED


def test_what_was_stopped_for_good_by_a_process_that_died_is_ended(newsroom: Newsroom) -> None:
    newsroom.join(2)
    broadcast_id = newsroom.broadcast()
    halfway = (
        update(Broadcast).where(Broadcast.id == broadcast_id).values(state=BroadcastState.CANCELED.value)
    )
    with transaction() as session:
        session.execute(halfway)

    tick(newsroom.now)

    counts = newsroom.tally(broadcast_id)
    assert (counts.skipped, counts.pending) == (2, 0)


def test_an_import_that_nobody_works_on_is_woken_once(newsroom: Newsroom) -> None:
    """Its worker died, or the wake-up was lost; a turn that only waits behind the lanes is not asked for twice."""
    uploads = runtime().uploads
    import_id = uploads.add(
        lambda path: path.write_text(f"number\n{number(1)}\n"),
        name="fair.csv",
        list_id=newsroom.list_id,
        encoding="utf-8",
        delimiter=None,
        by="tests",
        now=newsroom.now,
    )
    evidence = Evidence("Paper form", newsroom.now, "Yes", by="tests")
    uploads.choose(import_id, Choices({"address": "number"}, evidence), now=newsroom.now)

    tick(newsroom.now)
    assert turns() == []
    for minutes in (1, 2, 3):
        tick(newsroom.now + timedelta(minutes=minutes))

    assert turns() == [import_id]
    assert f"{jobs.__name__}.{jobs.work_import.__name__}" == IMPORT_JOB


def test_a_feed_that_is_due_is_read_by_a_worker_and_asked_for_once(newsroom: Newsroom) -> None:
    given = {"by": "ada", "now": newsroom.now}
    feed_id = manage_feeds.add_feed(newsroom.list_id, "https://news.example.org/feed.xml", **given)

    slow_round(newsroom.now)
    slow_round(newsroom.now)

    queue = Queue(LANE, connection=runtime().redis, serializer=JSONSerializer)
    assert [(job.func_name, job.kwargs) for job in queue.jobs] == [(FEED_JOB, {"feed_id": feed_id})]
    assert f"{jobs.__name__}.{jobs.read_feed.__name__}" == FEED_JOB


def turns() -> list[int]:
    """The imports for which a turn was asked."""
    found = Queue(LANE, connection=runtime().redis, serializer=JSONSerializer)
    return [job.kwargs["import_id"] for job in found.jobs if job.func_name == IMPORT_JOB]
