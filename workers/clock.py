"""Every second: open what is due, bring back what is to be tried again, end what is done, wake what has work."""

import signal
import socket
import threading
from datetime import datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from app.clock import utcnow
from app.queue import LANE, REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import fan_out, hold_back
from workers.heartbeat import beat
from workers.process import is_alive

TICK_SECONDS = 1.0

log = structlog.get_logger(__name__)


def tick(now: datetime) -> None:
    """Do one round. Several clocks may run: every step claims what it changes."""
    for opened in fan_out.open_due(controller=runtime().controller, now=now):
        log.info(
            "broadcast opened", broadcast_id=opened.broadcast_id, state=opened.state, audience=opened.audience
        )
    fan_out.take_from_dead(_dead(fan_out.leaseholders()), now)
    fan_out.give_up_replies(now)
    hold_back.group_some(runtime().controller.region)
    fan_out.bring_back(now)
    for broadcast_id in fan_out.end_finished(now):
        log.info("broadcast finished", broadcast_id=broadcast_id)
    replies, slices = fan_out.lanes_with_work(now)
    for sender_id in replies:
        enqueue_lane(sender_id, REPLIES)
    for sender_id in slices:
        enqueue_lane(sender_id, LANE)


def _dead(workers: set[str]) -> set[str]:
    """Workers of this machine whose process is gone. Of other machines we know nothing: their leases run out."""
    dead = set()
    for name in workers:
        host, _, pid = name.rpartition(":")
        if host == socket.gethostname() and not is_alive(int(pid)):
            dead.add(name)
    return dead


def run() -> None:
    """Tick until SIGTERM or SIGINT. A database or Redis that is away is waited for, not died of."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            now = utcnow()
            tick(now)
            beat("clock", now)
        except (OperationalError, RedisError) as error:
            log.warning("the clock could not do its round and tries again", error=str(error)[:300])
        stop.wait(TICK_SECONDS)
