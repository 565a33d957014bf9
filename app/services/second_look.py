"""Ask at the door once more for a request that had to wait for its connection: a STOP may have come meanwhile.

Broadcasts only. Each word that somebody writes is answered once, in the order of the words, whatever they write next:
the answer to STOP must go, and goes last; the one to a START before it says what they had agreed to, which they may
read. Questions of our own share that way; all that a look could still catch is a STOP during one handshake.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.messages import DeliveryRef
from app.gateways.base import Call
from app.services.held_slice import HeldSlice
from app.services.lane_slices import LaneSlices

SOON_S = 0.02
"""So young may an answer of the door be when the first byte leaves. A handshake takes longer, a kept connection not."""


@dataclass
class SecondLook:
    """Asked by the transport for each request of one window, at the moment in which its bytes would leave.

    It never raises, for libcurl calls it; what went wrong is in `failed`, and nothing leaves.
    """

    held: HeldSlice
    slices: LaneSlices
    clock: Callable[[], datetime]
    ticks: Callable[[], float] = time.monotonic
    failed: Exception | None = None
    _asked: float = field(init=False)
    _ledger_end: int = field(init=False)
    _refused: set[DeliveryRef] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin with what the door has just said of the window."""
        self._asked, self._ledger_end = self.ticks(), self.held.door_said

    def __call__(self, call: Call) -> bool:
        """Tell whether everybody of this request may still get it."""
        if self.ticks() - self._asked <= SOON_S:
            return True
        try:
            return self._ask(call)
        except Exception as error:  # raised by the lane, see the class
            self.failed = error
            return False

    def is_refused(self, ref: DeliveryRef) -> bool:
        """Tell whether the gate refused this one, and wrote why; the others of a request held back wait as before."""
        return ref in self._refused

    def _ask(self, call: Call) -> bool:
        asked, now = self.ticks(), self.clock()
        ledger_end = self.slices.door.ledger_end(self.held.lease)
        if ledger_end is None:  # paused, canceled, closed, or no longer ours
            return False
        if ledger_end == self._ledger_end and not self.held.is_expired(now):
            self._asked = asked  # nobody at all has left since: that holds for the rest of the window, too
            return True
        passed = self.slices.pass_gate(self.held, [ref.subscriber_id for ref in call.refs], now)
        self._refused.update(ref for ref in call.refs if ref.subscriber_id not in passed)
        return self._refused.isdisjoint(call.refs)
