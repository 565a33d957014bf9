"""The RQ worker: forks for each job, inside one app context, on one queue; outlives a Redis that goes away."""

import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import structlog
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from app.clock import utcnow
from app.queue import LANE
from app.runtime import runtime
from workers import jobs  # noqa: F401  (loaded before the fork: each job would load it anew)
from workers.heartbeat import beat
from workers.take_over import take_over

if TYPE_CHECKING:
    from resource import struct_rusage  # not everywhere

PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class LaneWorker(Worker):
    """An RQ worker whose heartbeats are also ours. `stop` is set when a signal asks it to end."""

    role = "worker"
    stop: threading.Event
    max_connection_wait_time = 4.0  # RQ's own minute is too long for people who wait for an answer

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell RQ, and `tidings doctor`, that we live."""
        super().heartbeat(timeout, pipeline)
        beat(self.role, utcnow())

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: "struct_rusage") -> None:
        """The process that sent was killed: let another go on at once, not with the clock's next round."""
        log.warning("the process that worked a lane was killed", pid=retpid)
        take_over(utcnow())

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Remember that the end was asked for; RQ itself forgets it when no job is in hand."""
        self.stop.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ has no types here


def run(queue: str) -> None:
    """Work `queue` until SIGTERM or SIGINT. The app context must be open already.

    RQ's worker ends when Redis goes away while a job is in its hands. What it forked goes on by itself, since
    the database is the record of work; a new one takes over as soon as Redis is back.
    """
    # Each forked job opens its own connections; one shared over a fork would mix two processes' answers.
    take_over(utcnow())  # perhaps one before us was killed; it leaves no connection open
    stop = threading.Event()
    while not stop.is_set():
        _end_on_signals(stop)
        try:
            with suppress(StopRequested):  # a signal while RQ was taking its leave; `stop` is set
                worker = _new_worker(queue, stop)
                beat(worker.role, utcnow())
                worker.work(logging_level="WARNING", with_scheduler=False)
        except RedisError as error:
            log.warning("the worker has lost Redis and begins anew", queue=queue, error=str(error)[:300])
        _end_on_signals(stop)  # RQ's handlers belong to a worker that is gone
        stop.wait(PAUSE_SECONDS)


def _end_on_signals(stop: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


def _new_worker(queue: str, stop: threading.Event) -> LaneWorker:
    connection = runtime().redis
    worker = LaneWorker(
        [Queue(queue, connection=connection, serializer=JSONSerializer)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=60,  # an idle worker beats within this time; RQ's own 420 s would look dead to the doctor
    )
    worker.role, worker.stop = "worker" if queue == LANE else queue, stop
    return worker
