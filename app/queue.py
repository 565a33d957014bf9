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
LOOK_UP_JOB = "workers.jobs.look_up_unknown"
_LOOK_UP_EVERY = 300

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


def waiting(queue: str) -> int:
    """Count the wake-ups on a queue that nobody has taken; raises `RedisError`."""
    return int(Queue(queue, connection=runtime().redis, serializer=JSONSerializer).count)


def enqueue_look_up(sender_id: int) -> None:
    """Ask a worker to ask the provider about messages without an answer; once in five minutes is enough."""
    try:
        connection = runtime().redis
        if not connection.set(_marker(sender_id, "look-up"), "1", nx=True, ex=_LOOK_UP_EVERY):
            return
        Queue(LANE, connection=connection, serializer=JSONSerializer).enqueue(
            LOOK_UP_JOB,
            kwargs={"sender_id": sender_id},
            job_timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
        )
    except RedisError as error:
        log.warning("could not ask for a look-up", sender_id=sender_id, error=str(error))


def lane_is_awake(sender_id: int, queue: str) -> None:
    """Take the marker away: the wake-up was heard, and the next one counts again."""
    runtime().redis.delete(_marker(sender_id, queue))


def _marker(sender_id: int, queue: str) -> str:
    return f"{KEY_PREFIX}:woken:{queue}:{sender_id}"
