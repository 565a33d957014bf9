"""The RQ worker: forks for each job, inside one app context, on one queue."""

from redis.client import Pipeline
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from app.clock import utcnow
from app.queue import LANE
from app.runtime import runtime
from app.storage.database import db
from workers.heartbeat import beat


class LaneWorker(Worker):
    """An RQ worker whose heartbeats are also ours."""

    role = "worker"

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell RQ, and `tidings doctor`, that we live."""
        super().heartbeat(timeout, pipeline)
        beat(self.role, utcnow())


def run(queue: str) -> None:
    """Work `queue` until SIGTERM or SIGINT. The app context must be open already."""
    connection = runtime().redis
    worker = LaneWorker(
        [Queue(queue, connection=connection, serializer=JSONSerializer)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=60,  # an idle worker beats within this time; RQ's own 420 s would look dead to the doctor
    )
    worker.role = "worker" if queue == LANE else queue
    # Each forked job opens its own; an open connection shared over a fork would mix two processes' answers.
    db.engine.dispose()
    beat(worker.role, utcnow())
    worker.work(logging_level="WARNING", with_scheduler=False)
