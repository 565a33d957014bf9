"""Work one sender's lane: replies first, then slices of broadcasts, each person past the gate at the last moment.

The order that makes "never twice, never lost" true: the journal says that somebody may have left, then the database
is asked whether this slice is still ours and the gate still open, and then the first byte leaves. A worker that dies
leaves people of whom the journal says nothing (sent later), answers that were read (settled by whoever comes next), or
people in between (nobody can know: they become UNKNOWN).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

from app.domain.addresses import Address
from app.domain.buttons import Rich
from app.domain.messages import Batch, DeliveryRef, Outcome, Recipient
from app.gateways.base import Gateway, Routed, Transport
from app.services import own_messages, push_routes, settle_outcomes
from app.services.controller import Controller
from app.services.held_slice import HeldSlice
from app.services.lane_slices import LaneSlices
from app.storage import deliveries, replies
from app.storage import own_messages as waiting_messages
from app.storage.database import transaction
from app.storage.deliveries import Person
from app.storage.journal import Journal

WINDOW = 64
# Permits are taken so far ahead: one question for several windows, and a pause by others is heard as soon.
PERMITS = 256
PERMITS_SECONDS = 0.02
FLUSH_AT = 512
FLUSH_EVERY = timedelta(milliseconds=150)
MAX_SLICES = 4
GATHER = timedelta(milliseconds=10)
REPLIES_EVERY = timedelta(milliseconds=50)
OWN_MESSAGES_EVERY = timedelta(milliseconds=500)
# A question has up to two parts; permits are taken before its words are read.
OWN_MESSAGE_PARTS = 2
# A lane that must wait longer than this gives its worker back; the clock wakes it again.
LONGEST_WAIT = 2.0


class Throttle(Protocol):
    """Permits of a sender, shared by all workers."""

    def take(self, sender_id: int, rate: float, costs: Sequence[int]) -> tuple[int, float]:
        """Return how many of these messages may leave now, and seconds to wait when none may."""

    def pause(self, sender_id: int, seconds: float) -> None:
        """Let nothing out at this sender for a while."""


class Meter(Protocol):
    """Counts what lanes do, for those who watch."""

    def note(
        self, sender_id: int, worker: str, counts: Mapping[str, int], in_flight: int, now: datetime
    ) -> None:
        """Add `counts`, and say how many of this worker's messages wait for an answer. Never raises."""


@dataclass(frozen=True)
class LaneSetup:
    """What one lane needs to know of its sender."""

    sender_id: int
    replies_id: int
    rate: float
    callback_url: str
    gateway: Gateway


@dataclass
class Drained:
    """What a drain did: messages handed over, and whether it left because the sender must wait."""

    handed_over: int = 0
    must_wait: bool = False


class Lane:
    """One sender's stream of deliveries, worked by one process at a time slice by slice."""

    def __init__(
        self,
        setup: LaneSetup,
        *,
        transport: Transport,
        throttle: Throttle,
        controller: Controller,
        journal: Journal,
        clock: Callable[[], datetime],
        worker: str,
        meter: Meter | None = None,
    ) -> None:
        self._setup, self._transport, self._throttle = setup, transport, throttle
        self._controller, self._clock, self._worker, self._meter = controller, clock, worker, meter
        self._permits = 0
        can = setup.gateway.capabilities()
        self._most_together = can.max_batch if can.rate_unit == "request" else 1
        self._named = can.routed is Routed.NAME
        self._slices = LaneSlices(setup.sender_id, setup.rate, can, controller, journal, worker)
        self._held: list[HeldSlice] = []
        # Who is on the wire or not yet settled: their slice and place in it, None for a reply; and the attempt.
        self._out: dict[DeliveryRef, tuple[HeldSlice | None, int, int]] = {}
        self._outcomes: list[Outcome] = []
        self._oldest_outcome: datetime | None = None
        self._looked_for_replies: datetime | None = None
        self._looked_for_own: datetime | None = None
        self._last_window: datetime | None = None
        self._sender_open = True
        self._result = Drained()

    def drain(self, until: datetime, *, replies_only: bool = False) -> Drained:
        """Hand over what waits until nothing is left, the sender must wait, or `until`; then settle everything."""
        try:
            while self._clock() < until and self._sender_open:
                wait = self._step(replies_only)
                if wait is None:
                    break
                self._collect(min(wait, 0.05))
                if wait > LONGEST_WAIT and not self._transport.in_flight:
                    self._result.must_wait = True
                    break
        finally:
            try:
                self._wind_down()
            finally:
                self._slices.close()
        return self._result

    def _step(self, replies_only: bool) -> float | None:
        """Start what may start. Returns seconds to wait, 0 to go on at once, None when nothing is left to do."""
        now = self._clock()
        if not self._transport.free or self._crowded(now):
            return 0.01
        if self._looked_for_replies is None or now - self._looked_for_replies >= REPLIES_EVERY:
            self._looked_for_replies = now
            if self._start_replies() or self._start_own_messages():
                return 0.0
        if replies_only:
            return 0.05 if self._transport.in_flight else None
        held = self._next_slice()
        if held is not None:
            return self._start_window(held)
        return 0.05 if self._transport.in_flight else None

    def _crowded(self, now: datetime) -> bool:
        """Few connections are free and answers come in: a transaction for each would cost more than it moves."""
        few = self._transport.free < self._transport.in_flight // 2
        return few and self._last_window is not None and now - self._last_window < GATHER

    def _start_replies(self) -> bool:
        now = self._clock()
        with transaction() as session:
            people = replies.claim_replies(
                session, self._setup.replies_id, now, min(self._transport.free, WINDOW)
            )
        # Replies are few and answer a person who is waiting: they take permits, but never wait for them.
        if people:
            self._throttle.take(self._setup.sender_id, self._setup.rate, [1] * len(people))
            self._submit_texts(people)
        return bool(people)

    def _start_own_messages(self) -> bool:
        """Questions about sign-ups: after the answers, at the sender's pace, for an import may ask thousands."""
        now = self._clock()
        if self._looked_for_own is not None and now - self._looked_for_own < OWN_MESSAGES_EVERY:
            return False
        self._looked_for_own = now
        most = min(self._transport.free, WINDOW)
        with transaction() as session:
            count = waiting_messages.waiting(session, self._setup.replies_id, now, most)
        if not count:
            return False
        costs = [OWN_MESSAGE_PARTS] * count
        granted, _ = self._throttle.take(self._setup.sender_id, self._setup.rate, costs)
        with transaction() as session:
            people = own_messages.claim(
                session,
                self._setup.replies_id,
                now,
                granted,
                home=self._controller.region,
                sender_id=self._setup.sender_id,
            )
        self._submit_texts(people)
        self._looked_for_own = None if count == most and granted == count else now
        return bool(people)

    def _submit_texts(self, people: Sequence[Person]) -> None:
        for person in people:
            self._out[person.ref] = (None, 0, person.attempts + 1)
        routes = self._routes(people)
        self._submit([_recipient(person, person.text or "", routes) for person in people])

    def _routes(self, people: Sequence[Person]) -> Mapping[int, str]:
        """Return where addresses that are names of ours lead now, by subscriber."""
        return push_routes.routes_of([one.ref.subscriber_id for one in people]) if self._named else {}

    def _next_slice(self) -> HeldSlice | None:
        for one in self._held:
            if one.waits:
                return one
        if len(self._held) >= MAX_SLICES:
            return None
        while (held := self._slices.lease(self._clock())) is not None:
            self._held.append(held)
            if held.waits:
                return held
            self._close(held, "done")
        return None

    def _start_window(self, held: HeldSlice) -> float:
        together = self._together(held)
        size = len(held.window(max(together, min(self._transport.free, WINDOW))))
        if held.permitted < size and (wait := self._ask_for_permits(held, size, together)):
            return wait
        size = min(size, held.permitted)
        # Before anybody is noted as leaving: should the database be away, nobody has left.
        routes = self._routes(held.window(size))
        self._last_window = self._clock()
        held.leaving(size)
        try:
            passed = self._slices.may_leave(held, size, self._last_window)
        except BaseException:
            held.stay(size)
            raise
        if passed is None:
            held.stay(size)
            self._give_up(held)
            return 0.0
        places = held.left(size, passed)
        ready = []
        for place in places:
            person = held.people[place]
            self._out[person.ref] = (held, place, person.attempts + 1)
            ready.append(_recipient(person, held.text(place), routes, held.rich(place)))
        self._submit(ready)
        self._tidy()
        return 0.0

    def _together(self, held: HeldSlice) -> int:
        """How many of these people share one request: those of one text, where the provider takes many at once."""
        return 1 if held.template.slots or held.dress.names else self._most_together

    def _ask_for_permits(self, held: HeldSlice, size: int, together: int) -> float:
        """Ask for a window's permits, and those of a moment ahead; returns seconds to wait when nobody has one."""
        rate = self._setup.rate
        if together > 1:
            granted, wait = self._throttle.take(self._setup.sender_id, rate, [1] * ceil(size / together))
            held.permitted = min(size, granted * together)
            return 0.0 if granted else wait
        ahead = min(PERMITS, max(size, int(rate * PERMITS_SECONDS)))
        costs = held.costs(held.permitted, ahead)
        granted, wait = self._throttle.take(self._setup.sender_id, rate, costs)
        held.permitted += granted
        self._permits += sum(costs[:granted])
        return 0.0 if held.permitted else wait

    def _give_up(self, held: HeldSlice) -> None:
        """Pause, cancel, a closed sender or a lost lease: nobody else of this slice leaves by our hands."""
        held.give_back()
        self._tidy()

    def _submit(self, recipients: Sequence[Recipient]) -> None:
        if recipients:
            batch = Batch(tuple(recipients), self._setup.callback_url)
            for call in self._setup.gateway.encode(batch):
                while not self._transport.free:  # many who were to share a request may have to go alone
                    self._collect(0.05)
                self._transport.submit(call)
            self._result.handed_over += len(recipients)

    def _collect(self, timeout: float) -> None:
        urgent = False
        for call, reply in self._transport.poll(timeout):
            for outcome in self._setup.gateway.decode(call, reply):
                held, place, _ = self._out[outcome.ref]
                if held is not None:
                    held.answered(place, outcome)
                self._outcomes.append(outcome)
                urgent = urgent or (
                    outcome.error is not None and outcome.error.kind in settle_outcomes.URGENT
                )
        if self._outcomes and (urgent or len(self._outcomes) >= FLUSH_AT or self._quiet() or self._is_old()):
            self._flush()

    def _is_old(self) -> bool:
        """Tell whether the first answer that is not in the database has waited long enough to be seen there."""
        now = self._clock()
        if self._oldest_outcome is None:
            self._oldest_outcome = now
        return now - self._oldest_outcome >= FLUSH_EVERY

    def _quiet(self) -> bool:
        """Tell whether nothing else can happen before the answers are in the database."""
        if any(held.waits for held in self._held):
            return False
        return not self._transport.in_flight or len(self._held) >= MAX_SLICES

    def _flush(self) -> None:
        outcomes, self._outcomes, self._oldest_outcome = self._outcomes, [], None
        verdict = settle_outcomes.settle(
            outcomes,
            {outcome.ref: self._out[outcome.ref][2] for outcome in outcomes},
            sender_id=self._setup.sender_id,
            controller=self._controller,
            now=self._clock(),
        )
        if verdict.pause_seconds:
            self._throttle.pause(self._setup.sender_id, verdict.pause_seconds)
            for held in self._held:
                held.permitted = 0
        self._sender_open = self._sender_open and not verdict.sender_closed
        self._count(outcomes)
        for outcome in outcomes:
            slice_, _, _ = self._out.pop(outcome.ref)
            if slice_ is not None:
                slice_.unsettled -= 1
        self._tidy()

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        if self._meter is None:
            return
        counts = Counter(one.error.kind.value if one.error else "taken" for one in outcomes)
        counts["permits"], self._permits = self._permits, 0
        in_flight = self._transport.in_flight
        self._meter.note(self._setup.sender_id, self._worker, counts, in_flight, self._clock())

    def _tidy(self) -> None:
        for held in [one for one in self._held if one.is_over]:
            self._close(held, "open" if held.gives_back else "done")

    def _close(self, held: HeldSlice, state: str) -> None:
        with transaction() as session:
            ours = deliveries.finish_slice(session, held.lease, state)
        if ours:
            held.pages.remove()
        self._held.remove(held)

    def _wind_down(self) -> None:
        """Wait for answers still on their way (the transport has its own time limit), then give slices back."""
        while self._transport.in_flight:
            self._collect(0.1)
        if self._outcomes:
            self._flush()
        for held in list(self._held):
            self._give_up(held)


def _recipient(person: Person, text: str, routes: Mapping[int, str], rich: Rich | None = None) -> Recipient:
    address = Address(person.channel, person.address)
    return Recipient(person.ref, address, text, routes.get(person.ref.subscriber_id, person.route), rich)
