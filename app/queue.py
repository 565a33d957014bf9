"""What may be put on a queue, and how. Queues only wake workers: the database is the record of work."""

import structlog
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from app.runtime import runtime
from app.throttle import KEY_PREFIX

LANE = "lane"
REPLIES = "replies"
QUEUES = (LANE, REPLIES)
DRAIN_JOB = "workers.jobs.drain_lane"
IMPORT_JOB = "workers.jobs.work_import"

# A drain works for DRAIN_SECONDS, then waits for answers on their way; the job may take twice as long.
DRAIN_SECONDS = 20
JOB_TIMEOUT = 60
FAILURE_TTL = 7 * 24 * 3600
# While this marker lives, one wake-up for the lane lies on the queue and a second would do nothing.
_MARKER_TTL = 10

log = structlog.get_logger(__name__)


def enqueue_lane(sender_id: int, queue: str = LANE) -> bool:
    """Ask a worker to work a sender's lane; False when one was asked already, or Redis cannot be reached.

    A lost wake-up costs a second: the clock finds the work in the database.
    """
    try:
        connection = runtime().redis
        if not connection.set(_marker(sender_id, queue), "1", nx=True, ex=_MARKER_TTL):
            return False
        Queue(queue, connection=connection, serializer=JSONSerializer).enqueue(
            DRAIN_JOB,
            kwargs={"sender_id": sender_id, "queue": queue},
            job_timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
        )
    except RedisError as error:
        log.warning("could not wake the lane", sender_id=sender_id, error=str(error))
        return False
    return True


def enqueue_import(import_id: int) -> None:
    """Ask a worker for one turn at an import, behind whatever waits; a lost wake-up is found by the clock."""
    try:
        Queue(LANE, connection=runtime().redis, serializer=JSONSerializer).enqueue(
            IMPORT_JOB,
            kwargs={"import_id": import_id},
            job_timeout=10 * JOB_TIMEOUT,  # after a crash, the beginning of a large file may be read again
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
        )
    except RedisError as error:
        log.warning("could not wake the import", import_id=import_id, error=str(error))


def lane_is_awake(sender_id: int, queue: str) -> None:
    """Take the marker away: the wake-up was heard, and the next one counts again."""
    runtime().redis.delete(_marker(sender_id, queue))


def _marker(sender_id: int, queue: str) -> str:
    return f"{KEY_PREFIX}:woken:{queue}:{sender_id}"
