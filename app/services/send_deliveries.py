"""Work one sender's lane: replies first, then slices of broadcasts, each person past the gate at the last moment.

The order that makes "never twice, never lost" true: a delivery is HANDING_OVER in the database before the first
byte leaves. A worker that dies leaves rows that are PENDING (nothing left us: sent later), settled, or
HANDING_OVER (nobody can know: they become UNKNOWN).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, Outcome, Recipient
from app.domain.parts import measure
from app.domain.placeholders import Template, parse
from app.gateways.base import Gateway, Transport
from app.services import hold_back, own_messages, settle_outcomes
from app.services.controller import Controller
from app.storage import audience, deliveries, holding, replies
from app.storage import own_messages as waiting_messages
from app.storage.database import transaction
from app.storage.deliveries import Lease, Person
from app.storage.holding import Limits
from app.storage.models import Broadcast

LEASE = timedelta(seconds=30)
WINDOW = 64
FLUSH_AT = 64
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


@dataclass(frozen=True)
class LaneSetup:
    """What one lane needs to know of its sender."""

    sender_id: int
    replies_id: int
    rate: float
    callback_url: str
    gateway: Gateway


@dataclass
class _Held:
    """A slice in our hands: who waits, and who is on the wire. `limits` are what the moment forbids."""

    lease: Lease
    limits: Limits
    template: Template
    waiting: deque[Person]
    on_the_wire: set[DeliveryRef] = field(default_factory=set)


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
        clock: Callable[[], datetime],
        worker: str,
    ) -> None:
        self._setup, self._transport, self._throttle = setup, transport, throttle
        self._controller, self._clock, self._worker = controller, clock, worker
        self._held: list[_Held] = []
        self._replies: dict[DeliveryRef, Person] = {}
        self._attempts: dict[DeliveryRef, int] = {}
        self._outcomes: list[Outcome] = []
        self._looked_for_replies: datetime | None = None
        self._looked_for_own: datetime | None = None
        self._last_window: datetime | None = None
        self._sender_open = True
        self._by_parts = setup.gateway.capabilities().rate_unit == "part"
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
            self._wind_down()
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
        few = self._transport.free < self._transport.in_flight // 3
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
                session, self._setup.replies_id, now, granted, home=self._controller.region
            )
        self._submit_texts(people)
        self._looked_for_own = None if count == most and granted == count else now
        return bool(people)

    def _submit_texts(self, people: Sequence[Person]) -> None:
        for person in people:
            self._attempts[person.ref] = person.attempts + 1
        self._submit([Recipient(p.ref, Address(p.channel, p.address), p.text or "") for p in people])

    def _next_slice(self) -> _Held | None:
        for one in self._held:
            if one.waiting:
                return one
        if len(self._held) >= MAX_SLICES:
            return None
        while (held := self._lease()) is not None and not held.waiting:
            self._close(held, "done")
        return held

    def _lease(self) -> _Held | None:
        now = self._clock()
        with transaction() as session:
            found = deliveries.lease_slice(session, self._setup.sender_id, self._worker, now, LEASE)
            if found is None:
                return None
            lease, part, broadcast = found
            deliveries.settle_abandoned(session, lease, now)
            if part.lo is not None and part.hi is not None:
                hold_back.group_slice(session, broadcast.id, part.lo, part.hi, self._controller.region)
                audience.claim_rows(session, broadcast, part, now)
            limits = hold_back.limits_of(session, broadcast, self._setup.rate, now)
            holding.hold_back(session, broadcast.id, part.seq, limits, now)
            people = deliveries.people_of(session, lease)
        held = _Held(lease, limits, parse(lease.text), deque(people))
        self._held.append(held)
        return held

    def _start_window(self, held: _Held) -> float:
        window = [held.waiting[i] for i in range(min(len(held.waiting), self._transport.free, WINDOW))]
        texts = [held.template.render(person.attributes) for person in window]
        costs = [self._cost(text) for text in texts]
        granted, wait = self._throttle.take(self._setup.sender_id, self._setup.rate, costs)
        if not granted:
            return wait
        chosen, texts = window[:granted], texts[:granted]
        now = self._last_window = self._clock()
        with transaction() as session:
            if now >= held.limits.valid_until:
                broadcast = session.get_one(Broadcast, held.lease.broadcast_id)
                held.limits = hold_back.limits_of(session, broadcast, self._setup.rate, now)
            passed = deliveries.pass_gate(
                session, held.lease, [p.ref.subscriber_id for p in chosen], now, LEASE, held.limits
            )
        if passed is None:
            held.waiting.clear()
            self._close(held, "open")
            return 0.0
        for _ in chosen:
            held.waiting.popleft()
        ready = [(p, text) for p, text in zip(chosen, texts, strict=True) if p.ref.subscriber_id in passed]
        held.on_the_wire.update(person.ref for person, _ in ready)
        for person, _ in ready:
            self._attempts[person.ref] = person.attempts + 1
        self._submit([Recipient(p.ref, Address(p.channel, p.address), text) for p, text in ready])
        self._tidy()
        return 0.0

    def _cost(self, text: str) -> int:
        """What a message takes from the pace: an SMS as many permits as it has parts, any other message one."""
        return measure(text).count if self._by_parts else 1

    def _submit(self, recipients: Sequence[Recipient]) -> None:
        if recipients:
            batch = Batch(tuple(recipients), self._setup.callback_url)
            for call in self._setup.gateway.encode(batch):
                self._transport.submit(call)
            self._result.handed_over += len(recipients)

    def _collect(self, timeout: float) -> None:
        for call, reply in self._transport.poll(timeout):
            self._outcomes.extend(self._setup.gateway.decode(call, reply))
        if len(self._outcomes) >= FLUSH_AT or (self._outcomes and self._quiet()):
            self._flush()

    def _quiet(self) -> bool:
        return not self._transport.in_flight or not any(held.waiting for held in self._held)

    def _flush(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        attempts = {outcome.ref: self._attempts.pop(outcome.ref, 1) for outcome in outcomes}
        verdict = settle_outcomes.settle(
            outcomes,
            attempts,
            sender_id=self._setup.sender_id,
            controller=self._controller,
            now=self._clock(),
        )
        if verdict.pause_seconds:
            self._throttle.pause(self._setup.sender_id, verdict.pause_seconds)
        self._sender_open = self._sender_open and not verdict.sender_closed
        settled = {outcome.ref for outcome in outcomes}
        for held in self._held:
            held.on_the_wire -= settled
        self._tidy()

    def _tidy(self) -> None:
        for held in [one for one in self._held if not one.waiting and not one.on_the_wire]:
            self._close(held, "done")

    def _close(self, held: _Held, state: str) -> None:
        with transaction() as session:
            deliveries.finish_slice(session, held.lease, state)
        self._held.remove(held)

    def _wind_down(self) -> None:
        """Wait for answers still on their way (the transport has its own time limit), then give slices back."""
        while self._transport.in_flight:
            self._collect(0.1)
        if self._outcomes:
            self._flush()
        for held in list(self._held):
            self._close(held, "open" if held.waiting else "done")
