"""A connector: works the lane of one sender whose gateway keeps a connection, and takes in what people send over it."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError

from app.clock import utcnow
from app.domain.messages import Event, HookRequest
from app.gateways.base import Call, Gateway, GatewayError, Reply
from app.gateways.streams import Stream, StreamBroken, open_stream
from app.runtime import runtime
from app.services.apply_event import apply_event
from app.services.record_receipts import SenderReceipt, record_receipts
from app.services.send_deliveries import Lane, LaneSetup
from workers.jobs import setup_of, worker_name
from workers.journal import journal

AT_ONCE = timedelta(seconds=5)
"""How long the lane may go on before the sender's settings are read again."""
IDLE_SECONDS = 0.2
LONGEST_PAUSE = 30.0
DATABASE_PAUSE = 1.0

log = structlog.get_logger(__name__)


def run(sender_id: int) -> None:
    """Work one sender until SIGTERM or SIGINT; a connection that breaks is opened again after 1 to 30 seconds."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    pause = 1.0
    while not stop.is_set():
        setup = setup_of(sender_id)
        if setup is None:  # paused, or gone
            stop.wait(1.0)
            continue
        try:
            stream = open_stream(setup.gateway)
        except StreamBroken as error:
            log.warning("no connection", sender_id=sender_id, error=str(error))
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        log.info("connected", sender_id=sender_id)
        pause = 1.0
        work(stream, setup, stop)


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
            )
            if not lane.drain(utcnow() + AT_ONCE).handed_over:
                listening.poll(IDLE_SECONDS)
            fresh = setup_of(setup.sender_id)
            if fresh is None:
                break
            setup, listening = fresh, Listening(stream, fresh.gateway, fresh.sender_id)
    finally:
        listening.take_in()
        if stream.broken is not None:
            log.warning("connection lost", error=stream.broken)
        stream.close()


class Listening:
    """The lane's transport, which between two windows takes in what people sent: a STOP need not wait for its end.

    Nobody sends us a stanza twice. So what came in is held, and tried again, for as long as the database is away.
    """

    def __init__(
        self, stream: Stream, gateway: Gateway, sender_id: int, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._stream, self._gateway, self._sender_id, self._wait = stream, gateway, sender_id, wait

    @property
    def free(self) -> int:
        """How many more may be in flight."""
        return self._stream.free

    @property
    def in_flight(self) -> int:
        """How many wait for a confirmation."""
        return self._stream.in_flight

    def submit(self, call: Call) -> None:
        """Begin a call."""
        self._stream.submit(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Return the calls that ended, after everything that came in has been taken in."""
        done = self._stream.poll(timeout)
        self.take_in()
        return done

    def take_in(self) -> None:
        """Do what came in means; what we cannot read, or fail at for good, is logged and left."""
        for request in self._stream.received():
            try:
                self._take(request)
            except GatewayError as error:
                log.warning("not understood", sender_id=self._sender_id, error=str(error))
            except Exception:
                # The others behind it are people too.
                log.exception("a stanza could not be taken", sender_id=self._sender_id)

    def close(self) -> None:
        """The stream outlives the lane."""

    def _take(self, request: HookRequest) -> None:
        self._gateway.verify(request)
        for event in self._gateway.parse(request):
            while not self._applied(event):
                self._wait(DATABASE_PAUSE)
        answer = self._gateway.acknowledge(request).body
        if answer:
            self._stream.answer(answer)

    def _applied(self, event: Event) -> bool:
        sender_id, controller, now = self._sender_id, runtime().controller, utcnow()
        try:
            if event.receipt is not None:
                record_receipts([SenderReceipt(sender_id, event.receipt)], controller=controller, now=now)
            else:
                apply_event(event, sender_id=sender_id, controller=controller, now=now)
        except OperationalError as error:
            log.warning("the database is away", sender_id=sender_id, error=str(error.orig))
            return False
        return True
