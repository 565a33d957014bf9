"""The transport of a connector's lane, which also takes in what people send over its connection."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog
from sqlalchemy.exc import OperationalError

from app.clock import utcnow
from app.domain.messages import Event, HookRequest, Receipt
from app.gateways.base import Call, Gateway, GatewayError, Reply
from app.gateways.streams import Stream
from app.runtime import runtime
from app.services.apply_event import apply_event
from app.services.record_receipts import SenderReceipt, record_receipts
from workers.keeping import Keeping

DATABASE_PAUSE = 1.0
EARLY_SECONDS = 75.0
"""How long a report may name a message that we do not know: the clock settles what a dead process left in a minute."""
TOGETHER = 200
TOGETHER_SECONDS = 0.15
"""Reports are recorded so many at a time, or when the first has waited so long: each time is a transaction."""

log = structlog.get_logger(__name__)


class Listening:
    """The lane's transport, which between two windows takes in what people sent: a STOP need not wait for its end.

    XMPP sends nothing twice. So what came in is held, and tried again, for as long as the database is away. A receipt
    that names a message by the provider's id may be faster than the lane, which writes ids a moment after they came,
    and than the clock, which writes those of a process that died: it is held, too, and answered when it is recorded.
    """

    def __init__(
        self, stream: Stream, gateway: Gateway, sender_id: int, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.gateway = gateway
        self._stream, self._sender_id, self._wait = stream, sender_id, wait
        self._keeping = Keeping(sender_id)
        self._reports: list[_Report] = []
        self._fresh = 0
        self._recorded_at = 0.0

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

    def take_in(self, *, everything: bool = False) -> None:
        """Do what came in means; what we cannot read, or fail at for good, is logged and kept with the reason.

        Reports may wait a moment for others, unless `everything` is to be done.
        """
        for request in self._stream.received():
            try:
                self._take(request)
            except GatewayError as error:
                log.warning("not understood", sender_id=self._sender_id, error=str(error))
                self._keeping.malformed(request, str(error))
                self._keeping.put_away()  # nobody sends it again once it is answered
                self._acknowledge(request)
            except Exception as error:
                # The others behind it are people too.
                log.exception("a stanza could not be taken", sender_id=self._sender_id)
                self._keeping.failed(request, error)
        long_ago = time.monotonic() - self._recorded_at > TOGETHER_SECONDS
        if self._reports and (everything or long_ago or self._fresh >= TOGETHER):
            self._record_all()
        self._keeping.put_away()

    def close(self) -> None:
        """The stream outlives the lane."""

    def _take(self, request: HookRequest) -> None:
        self.gateway.verify(request)
        events = self.gateway.parse(request)
        until = time.monotonic() + EARLY_SECONDS
        reports = [_Report(request, one, one.receipt, until) for one in events if one.receipt is not None]
        self._reports += reports
        self._fresh += len(reports)
        if reports:
            return
        for event in events:
            while not self._applied(event):
                self._wait(DATABASE_PAUSE)
        self._keeping.taken(request, events)
        self._acknowledge(request)

    def _acknowledge(self, request: HookRequest) -> None:
        """Answer; what nobody can read has no answer, or the one of all."""
        with suppress(GatewayError):
            if answer := self.gateway.acknowledge(request).body:
                self._stream.answer(answer)

    def _record_all(self) -> None:
        waiting, self._reports, self._fresh = self._reports, [], 0
        self._recorded_at = time.monotonic()
        try:
            self._record(waiting)
        except Exception:
            log.exception("reports could not be taken together", sender_id=self._sender_id)
            for one in waiting:  # so that one bad report fails nobody else
                try:
                    self._record([one])
                except Exception as error:
                    # Not answered: who can send it again does.
                    log.exception("a report could not be taken", sender_id=self._sender_id)
                    self._keeping.failed(one.request, error)

    def _record(self, reports: Sequence["_Report"]) -> None:
        while (unknown := self._recorded(reports)) is None:
            self._wait(DATABASE_PAUSE)
        for one in reports:
            if id(one.receipt) in unknown and one.until > time.monotonic():
                self._reports.append(one)
                continue
            if id(one.receipt) in unknown:
                log.warning("a report of no message of ours", sender_id=self._sender_id)
            else:
                self._keeping.taken(one.request, [one.event])
            self._acknowledge(one.request)

    def _recorded(self, waiting: Sequence["_Report"]) -> set[int] | None:
        """Return which of them name no delivery that there is; None while the database is away."""
        receipts = [SenderReceipt(self._sender_id, one.receipt) for one in waiting]
        try:
            unknown = record_receipts(receipts, controller=runtime().controller, now=utcnow())
        except OperationalError as error:
            log.warning("the database is away", sender_id=self._sender_id, error=str(error.orig))
            return None
        return {id(one.receipt) for one in unknown}

    def _applied(self, event: Event) -> bool:
        sender_id, controller, now = self._sender_id, runtime().controller, utcnow()
        try:
            apply_event(event, sender_id=sender_id, controller=controller, now=now)
        except OperationalError as error:
            log.warning("the database is away", sender_id=sender_id, error=str(error.orig))
            return False
        return True


class _Report(NamedTuple):
    """A report, what brought it, and until when we wait for the delivery that it names."""

    request: HookRequest
    event: Event
    receipt: Receipt
    until: float
