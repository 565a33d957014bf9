"""What follows a death on this machine: the slices of the dead are free again, and whoever has work is woken."""

from datetime import datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.queue import LANE, REPLIES, enqueue_lane, lane_is_awake, waiting
from app.services import fan_out
from app.storage.database import db
from workers.machine import dead_here
from workers.memory import look_at_the_database

log = structlog.get_logger(__name__)


def free_slices_of_dead(now: datetime) -> int:
    """End the leases of workers of this machine that are gone; returns how many slices they held."""
    return fan_out.take_from_dead(dead_here(fan_out.leaseholders()), now)


def wake_lanes(now: datetime) -> None:
    """Ask for a drain of every lane that has replies to send, or slices that nobody holds."""
    for sender_id, queue in _lanes_with_work(now):
        enqueue_lane(sender_id, queue)


def _lanes_with_work(now: datetime) -> list[tuple[int, str]]:
    replies, slices = fan_out.lanes_with_work(now)
    return [(one, REPLIES) for one in replies] + [(one, LANE) for one in slices]


def take_over(now: datetime) -> None:
    """Do both now instead of with the clock's next round, in a process that forks: no connection stays open.

    When the database is away too, the clock will do it.
    """
    try:
        look_at_the_database(now)
        free_slices_of_dead(now)
        for sender_id, queue in _lanes_with_work(now):
            if not waiting(queue):  # the last wake-up died with whoever took it, but its marker did not
                lane_is_awake(sender_id, queue)
            enqueue_lane(sender_id, queue)
    except (SQLAlchemyError, RedisError) as error:
        log.warning("could not take over from a dead worker; the clock will", error=str(error)[:300])
    finally:
        db.session.remove()
        db.engine.dispose()
