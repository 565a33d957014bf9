"""What runs beside a lane: in order, on sessions of its own, and no error is lost."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.services.beside import Beside
from app.storage.database import db, serves_several, transaction
from tests.support.world import Newsroom


def test_tasks_run_in_the_order_in_which_they_were_begun(newsroom: Newsroom) -> None:
    beside, seen = Beside(), list[int]()

    for number in range(20):
        beside.leave(seen.append, number)
    beside.close()

    assert seen == list(range(20))


def test_beside_a_server_the_lane_goes_on_and_on_sqlite_the_task_is_done_at_once(newsroom: Newsroom) -> None:
    beside, began = Beside(), threading.Event()

    def threads() -> str:
        began.wait(0 if threading.current_thread() is threading.main_thread() else 10)
        return threading.current_thread().name

    task = beside.start(threads)
    began.set()

    assert (task.result(10) == threading.current_thread().name) is not serves_several()
    beside.close()


def test_the_error_of_a_task_that_nobody_asked_for_comes_out_at_the_end(newsroom: Newsroom) -> None:
    def fail() -> None:
        raise LookupError("the slice is gone")

    beside, seen = Beside(), list[str]()
    beside.leave(fail)
    beside.leave(seen.append, "the next is done all the same")

    with pytest.raises(LookupError, match="the slice is gone"):
        beside.close()
    assert seen == ["the next is done all the same"]


def test_a_task_has_sessions_of_its_own(newsroom: Newsroom) -> None:
    def write() -> Session:
        with transaction() as session:
            return session

    reading = db.session()
    beside = Beside()

    assert beside.start(write).result(10) is not reading
    assert db.session() is reading, "the lane's own reading goes on"
    beside.close()


def test_nobody_waits_behind_answers_that_are_being_written_for_the_note_of_who_leaves(
    newsroom: Newsroom,
) -> None:
    if not serves_several():
        pytest.skip("SQLite lets one writer in at a time")
    people = newsroom.join(40)
    broadcast_id = newsroom.broadcast()
    lane, all_left, in_time = newsroom.lane(rate=40.0), threading.Event(), list[bool]()

    def keep_the_thread_busy(to: str) -> None:
        if len(newsroom.provider.arrived) == 1:
            lane._beside.leave(lambda: in_time.append(all_left.wait(10)))
        if to == people[-1]:
            all_left.set()

    newsroom.provider.before_answer = keep_the_thread_busy
    lane.drain(newsroom.now + timedelta(seconds=20))

    assert in_time == [True]
    assert newsroom.tally(broadcast_id).sent == 40
