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
IMPORTS = "imports"  # no queue of its own: their turns stand on that of the lanes
DRAIN_JOB = "workers.jobs.drain_lane"
IMPORT_JOB = "workers.jobs.work_import"

# A drain works for DRAIN_SECONDS, then waits for answers on their way; the job may take twice as long.
DRAIN_SECONDS = 20
JOB_TIMEOUT = 60
FAILURE_TTL = 7 * 24 * 3600
# While this marker lives, one wake-up for the lane lies on the queue and a second would do nothing.
_MARKER_TTL = 10
# A turn of an import stands behind the lanes; the clock must not put a second one beside it meanwhile.
_IMPORT_MARKER_TTL = 300

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


def enqueue_import(import_id: int) -> bool:
    """Ask a worker for one turn at an import, behind whatever waits; False when one was asked already.

    A lost wake-up is found by the clock; without Redis the answer is False too.
    """
    try:
        connection = runtime().redis
        if not connection.set(_marker(import_id, IMPORTS), "1", nx=True, ex=_IMPORT_MARKER_TTL):
            return False
        Queue(LANE, connection=connection, serializer=JSONSerializer).enqueue(
            IMPORT_JOB,
            kwargs={"import_id": import_id},
            job_timeout=10 * JOB_TIMEOUT,  # after a crash, the beginning of a large file may be read again
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
        )
    except RedisError as error:
        log.warning("could not wake the import", import_id=import_id, error=str(error))
        return False
    return True


def import_is_awake(import_id: int) -> None:
    """Take the marker away, as for a lane."""
    runtime().redis.delete(_marker(import_id, IMPORTS))


def lane_is_awake(sender_id: int, queue: str) -> None:
    """Take the marker away: the wake-up was heard, and the next one counts again."""
    runtime().redis.delete(_marker(sender_id, queue))


def _marker(of: int, kind: str) -> str:
    return f"{KEY_PREFIX}:woken:{kind}:{of}"
