"""What may be put on a queue, and how. Queues only wake workers: the database is the record of work."""

from datetime import datetime
from typing import Any

import structlog
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from app.runtime import runtime
from app.services import fan_out
from app.storage.database import db
from app.storage.ways import ways_of_broadcast
from app.throttle import KEY_PREFIX

LANE = "lane"
REPLIES = "replies"
QUEUES = (LANE, REPLIES)
DRAIN_JOB = "workers.jobs.drain_lane"
# No queues of their own: their turns stand on that of the lanes.
IMPORTS, IMPORT_JOB = "imports", "workers.jobs.work_import"
FEEDS, FEED_JOB = "feeds", "workers.jobs.read_feed"
LOOK_UPS, LOOK_UP_JOB = "look-ups", "workers.jobs.look_up_unknown"

# A drain works for DRAIN_SECONDS, then waits for answers on their way; the job may take twice as long.
DRAIN_SECONDS = 20
JOB_TIMEOUT = 60
FAILURE_TTL = 7 * 24 * 3600
# While such a marker lives, one wake-up lies on the queue and a second would do nothing.
_MARKER_TTL = 10
# A turn of an import or a feed stands behind the lanes; the clock must not put a second one beside it meanwhile.
_IMPORT_MARKER_TTL = 300
# Once started, a rehearsal runs in a process of its own.
REHEARSALS, REHEARSAL_JOB = "rehearsals", "workers.jobs.start_rehearsal"
# The provider is asked once in so many seconds, for its answer changes slowly.
_LOOK_UP_EVERY = 300

log = structlog.get_logger(__name__)


def enqueue_lane(sender_id: int, queue: str = LANE) -> bool:
    """Ask a worker to work a sender's lane; False when one was asked already, or Redis cannot be reached.

    A lost wake-up costs a second: the clock finds the work in the database.
    """
    arguments = {"sender_id": sender_id, "queue": queue}
    return _wake(_marker(sender_id, queue), _MARKER_TTL, queue, DRAIN_JOB, arguments)


def wake_broadcast(broadcast_id: int) -> None:
    """Ask workers to work the lanes of all senders that a broadcast goes out of."""
    for sender_id in ways_of_broadcast(db.session(), broadcast_id).values():
        enqueue_lane(sender_id)


def begin(broadcast_id: int, now: datetime) -> None:
    """Begin a broadcast that is for now: the first message need not wait for the clock, which looks once a second."""
    fan_out.open_now(broadcast_id, controller=runtime().controller, now=now)
    wake_broadcast(broadcast_id)


def enqueue_look_up(sender_id: int) -> bool:
    """Ask a worker to ask the provider about messages without an answer; False as for a lane."""
    marker = _marker(sender_id, LOOK_UPS)
    return _wake(marker, _LOOK_UP_EVERY, LANE, LOOK_UP_JOB, {"sender_id": sender_id})


def enqueue_import(import_id: int) -> bool:
    """Ask a worker for one turn at an import, behind whatever waits; False as for a lane.

    A lost wake-up is found by the clock.
    """
    marker, arguments = _marker(import_id, IMPORTS), {"import_id": import_id}
    # After a crash, the beginning of a large file may be read again.
    return _wake(marker, _IMPORT_MARKER_TTL, LANE, IMPORT_JOB, arguments, timeout=10 * JOB_TIMEOUT)


def enqueue_feed(feed_id: int) -> bool:
    """Ask a worker to read a feed that is due, behind whatever waits; False as for a lane."""
    return _wake(_marker(feed_id, FEEDS), _IMPORT_MARKER_TTL, LANE, FEED_JOB, {"feed_id": feed_id})


def enqueue_rehearsal(rehearsal_id: int) -> bool:
    """Ask a worker to start a rehearsal; False as for a lane."""
    marker = _marker(rehearsal_id, REHEARSALS)
    return _wake(marker, _MARKER_TTL, LANE, REHEARSAL_JOB, {"rehearsal_id": rehearsal_id})


def waiting(queue: str) -> int:
    """Count the wake-ups on a queue that nobody has taken; raises `RedisError`."""
    return int(Queue(queue, connection=runtime().redis, serializer=JSONSerializer).count)


def others_wait(sender_id: int) -> bool:
    """Tell whether something but this sender's own wake-up waits for a worker; False when Redis cannot be reached."""
    try:
        own = bool(runtime().redis.exists(_marker(sender_id, LANE)))
        return waiting(LANE) > own
    except RedisError:
        return False


def lane_is_awake(sender_id: int, queue: str) -> None:
    """Take the marker away: the wake-up was heard, and the next one counts again."""
    runtime().redis.delete(_marker(sender_id, queue))


def import_is_awake(import_id: int) -> None:
    """Take the marker away, as for a lane."""
    runtime().redis.delete(_marker(import_id, IMPORTS))


def feed_is_awake(feed_id: int) -> None:
    """Take the marker away, as for a lane."""
    runtime().redis.delete(_marker(feed_id, FEEDS))


def _wake(
    marker: str, ttl: int, queue: str, job: str, arguments: dict[str, Any], timeout: int = JOB_TIMEOUT
) -> bool:
    """Put a job on a queue unless one with this marker lies there."""
    try:
        connection = runtime().redis
        if not connection.set(marker, "1", nx=True, ex=ttl):
            return False
        Queue(queue, connection=connection, serializer=JSONSerializer).enqueue(
            job, kwargs=arguments, job_timeout=timeout, result_ttl=0, failure_ttl=FAILURE_TTL
        )
    except RedisError as error:
        log.warning("could not wake a worker", job=job, **arguments, error=str(error))
        return False
    return True


def _marker(number: int, queue: str) -> str:
    return f"{KEY_PREFIX}:woken:{queue}:{number}"
