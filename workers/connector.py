"""A connector: works the lane of one sender whose gateway keeps a connection, and takes in what people send over it."""

import signal
import threading
import time
from datetime import timedelta

import structlog

from app.clock import utcnow
from app.gateways.streams import Stream, StreamBroken, StreamRefused, open_stream
from app.gateways.transport import CurlTransport
from app.runtime import runtime
from app.services.media.lane_media import LaneMedia
from app.services.send_deliveries import Lane, LaneSetup
from app.services.settle_outcomes import close_refused
from workers.jobs import setup_of
from workers.journal import journal
from workers.listening import Listening
from workers.machine import worker_name

AT_ONCE = timedelta(seconds=5)
"""How long the lane may go on before the sender's settings are read again."""
IDLE_SECONDS = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

log = structlog.get_logger(__name__)


def run(sender_id: int) -> None:
    """Work one sender until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep(sender_id, stop)


def keep(sender_id: int, stop: threading.Event) -> None:
    """Work one sender until `stop`; a connection that breaks is opened again after 1 to 30 seconds."""
    stream: Stream | None = None
    pause = FIRST_PAUSE
    while not stop.is_set():
        setup = setup_of(sender_id)
        if setup is None:  # paused, or gone
            stop.wait(1.0)
            continue
        began = time.monotonic()
        if (opened := _opened(setup, stream)) is not None:
            log.info("connected", sender_id=sender_id)
            stream = opened
            work(stream, setup, stop)
        if time.monotonic() - began > LONGEST_PAUSE:  # it was a good one
            pause = FIRST_PAUSE
        stop.wait(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _opened(setup: LaneSetup, before: Stream | None) -> Stream | None:
    try:
        return open_stream(setup.gateway, before)
    except StreamBroken as error:
        log.warning("no connection", sender_id=setup.sender_id, error=str(error))
        if isinstance(error, StreamRefused):
            close_refused(setup.sender_id, error.error, utcnow())
        return None


def work(stream: Stream, setup: LaneSetup, stop: threading.Event) -> None:
    """Carry what waits and what comes in, until the stream breaks, the sender is paused, or `stop`."""
    listening = Listening(stream, setup.gateway, setup.sender_id)
    try:
        while stream.broken is None and not stop.is_set():
            lane = Lane(
                setup,
                transport=listening,
                throttle=runtime().throttle,
                controller=runtime().controller,
                journal=journal(),
                clock=utcnow,
                worker=worker_name(),
                meter=runtime().meter,
                media=LaneMedia(setup.sender_id, setup.gateway, runtime().media_house, CurlTransport),
            )
            if not lane.drain(utcnow() + AT_ONCE).handed_over:
                listening.poll(IDLE_SECONDS)
            fresh = setup_of(setup.sender_id)
            if fresh is None:
                break
            setup = fresh
            listening.gateway = fresh.gateway
    finally:
        listening.take_in(everything=True)
        if stream.broken is not None:
            log.warning("connection lost", error=stream.broken)
        stream.close()
