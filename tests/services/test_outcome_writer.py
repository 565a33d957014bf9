"""How a lane's outcomes get into the database: in bulk, soon, and never more ahead of it than it can bear."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

from app.domain.messages import DeliveryRef, Outcome
from app.services.beside import Beside
from app.services.outcome_writer import TOO_MANY, WRITE_AT, WRITE_EVERY, OutcomeWriter, Written
from app.services.settle_outcomes import Verdict
from tests.support.world import NOON


class SlowDatabase:
    """Stands in for what runs beside the lane: a batch is written when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[Outcome]] = []
        self.at_once = False
        self._waiting: list[Future[Verdict]] = []

    def start(
        self, task: Callable[..., Verdict], outcomes: list[Outcome], *_: Any, **__: Any
    ) -> Future[Verdict]:
        self.batches.append(outcomes)
        done = Future[Verdict]()
        self._waiting.append(done)
        if self.at_once:
            self.write()
        return done

    def write(self) -> None:
        self._waiting.pop(0).set_result(Verdict())


class Clock:
    def __init__(self) -> None:
        self.now = NOON


def make() -> tuple[OutcomeWriter, SlowDatabase, Clock]:
    database, clock = SlowDatabase(), Clock()
    writer = OutcomeWriter(1, cast(Any, None), lambda: clock.now, cast(Beside, database))
    return writer, database, clock


def gather(writer: OutcomeWriter, count: int) -> None:
    for subscriber in range(count):
        writer.add(Outcome(DeliveryRef(1, subscriber), "SM1"), 1)


def test_a_full_batch_is_written_at_once_and_the_lane_does_not_wait_for_it() -> None:
    writer, database, _ = make()
    gather(writer, WRITE_AT)

    assert writer.go_on() is None
    assert [len(batch) for batch in database.batches] == [WRITE_AT]
    assert writer.has_some

    database.write()
    done = writer.go_on()
    assert isinstance(done, Written)
    assert len(done.outcomes) == WRITE_AT
    assert not writer.has_some


def test_a_few_outcomes_are_written_after_a_moment() -> None:
    writer, database, clock = make()
    gather(writer, 3)

    writer.go_on()
    assert database.batches == []

    clock.now += WRITE_EVERY
    writer.go_on()
    assert [len(batch) for batch in database.batches] == [3]


def test_one_batch_at_a_time_is_on_its_way() -> None:
    writer, database, _ = make()
    gather(writer, WRITE_AT)
    writer.go_on()
    gather(writer, WRITE_AT)
    writer.go_on()

    assert len(database.batches) == 1


def test_a_lane_that_is_far_ahead_of_the_database_waits_for_it() -> None:
    writer, database, _ = make()
    gather(writer, WRITE_AT)
    writer.go_on()
    gather(writer, TOO_MANY)
    database.write()

    done = writer.go_on()

    assert done is not None
    assert len(database.batches) == 2


def test_at_the_end_everything_is_written() -> None:
    writer, database, _ = make()
    gather(writer, WRITE_AT)
    writer.go_on()
    gather(writer, 2)
    database.write()
    database.at_once = True

    assert [len(one.outcomes) for one in writer.write_all()] == [WRITE_AT, 2]
    assert not writer.has_some
