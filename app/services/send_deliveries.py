"""Work one sender's lane: replies first, then slices of broadcasts, each person past the gate at the last moment.

The order that makes "never twice, never lost" true: the journal says that somebody may have left, then the database
is asked whether this slice is still ours and the gate still open, and then the first byte leaves. A worker that dies
leaves people of whom the journal says nothing (sent later), answers that were read (settled by whoever comes next), or
people in between (nobody can know: they become UNKNOWN).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.addresses import Address
from app.domain.buttons import Rich
from app.domain.media.attached import Media
from app.domain.messages import DeliveryRef, Outcome, Recipient, Standing
from app.domain.pace import Shared
from app.domain.styles import Span
from app.gateways.base import HELD_BACK, Call, Gateway, Reply, Routed, Transport
from app.services import push_routes, settle_outcomes
from app.services.beside import Beside
from app.services.controller import Controller
from app.services.encoding import requests_for
from app.services.held_slice import HeldSlice
from app.services.lane_pace import OWN_PACE, RESTED, LanePace, Throttle, resting
from app.services.lane_replies import OWN_MESSAGE_PARTS, LaneReplies
from app.services.lane_slices import LaneSlices
from app.services.media.lane_media import LaneMedia
from app.services.outcome_writer import OutcomeWriter, Written
from app.services.second_look import SecondLook
from app.storage.deliveries import Person
from app.storage.journal import Journal

WINDOW = 64
# Permits are taken so far ahead: one question for several windows, and a pause by others is heard as soon.
PERMITS = 512
PERMITS_SECONDS = 0.02
MAX_SLICES = 4
# The next slice is leased when this one has work for so long; earlier, a slow sender's lease would run out meanwhile.
LEASE_AHEAD_SECONDS = 1.0
GATHER = timedelta(milliseconds=10)
# A live event's message overtakes the broadcast that is being sent; so soon it is seen.
URGENT_EVERY = timedelta(milliseconds=100)
# A lane that must wait longer than this gives its worker back; the clock wakes it again.
LONGEST_WAIT = 2.0
# A lane that must wait at all gives way after so long, when another lane has no worker.
TURN = timedelta(seconds=0.5)


class Meter(Protocol):
    """Counts what lanes do, for those who watch."""

    def note(
        self, sender_id: int, worker: str, counts: Mapping[str, int], in_flight: int, now: datetime
    ) -> None:
        """Add `counts`, and say how many of this worker's messages wait for an answer. Never raises."""


@dataclass(frozen=True)
class LaneSetup:
    """What one lane needs to know of its sender; it keeps `shared` limits together with others.

    Until `rests_until` its provider wants to hear nothing.
    """

    sender_id: int
    replies_id: int
    rate: float
    callback_url: str
    gateway: Gateway
    shared: tuple[Shared, ...] = ()
    rests_until: datetime | None = None


@dataclass
class Drained:
    """What a drain did: messages handed over, and whether it left its worker to another lane while some still wait."""

    handed_over: int = 0
    gave_way: bool = False


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
        media: LaneMedia | None = None,
        others_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self._setup, self._transport = setup, transport
        self._controller, self._clock, self._worker, self._meter = controller, clock, worker, meter
        self._others_wait = others_wait
        self._turn_ends: datetime | None = None
        self._throttled = False
        can = setup.gateway.capabilities()
        self._pace = LanePace(throttle, setup.sender_id, setup.rate, setup.shared, can.pair)
        self._most_together = can.max_batch if can.rate_unit == "request" else 1
        self._named = can.routed is Routed.NAME
        self._beside = Beside()
        self._slices = LaneSlices(
            setup.sender_id, self._pace.rate, can, controller, journal, worker, self._beside, media
        )
        self._replies = LaneReplies(setup.sender_id, setup.replies_id, controller, can.reply_within)
        self._writer = OutcomeWriter(setup.sender_id, controller, clock, self._beside)
        self._media = media
        self._held: list[HeldSlice] = []
        self._leasing: Future[HeldSlice | None] | None = None
        # Who is on the wire or not yet settled: their slice and place in it, None for a reply; and the attempt.
        self._out: dict[DeliveryRef, tuple[HeldSlice | None, int, int]] = {}
        self._looked_for_urgent: datetime | None = None
        self._last_window: datetime | None = None
        self._sender_open = True
        self._rests_until = setup.rests_until
        self._result = Drained()

    def drain(self, until: datetime, *, replies_only: bool = False) -> Drained:
        """Hand over what waits until nothing is left, the sender must wait, or `until`; then settle everything."""
        try:
            while self._clock() < until and self._sender_open:
                wait = self._step(replies_only)
                if wait is None:
                    break
                self._collect(min(wait, 0.05))
                if self._gives_way() or (wait > LONGEST_WAIT and not self._transport.in_flight):
                    break
        finally:
            try:
                self._wind_down()
                self._pace.close()
            finally:
                self._beside.close()
                self._slices.close()
        return self._result

    def _gives_way(self) -> bool:
        """Tell whether the sender must wait and another lane has no worker; asked once a turn."""
        if not self._throttled:
            return False
        now = self._clock()
        if self._turn_ends is None or now < self._turn_ends:
            self._turn_ends = self._turn_ends or now + TURN
            return False
        self._turn_ends = now + TURN
        self._result.gave_way = self._others_wait()
        return self._result.gave_way

    def _step(self, replies_only: bool) -> float | None:
        """Start what may start. Returns seconds to wait, 0 to go on at once, None when nothing is left to do."""
        now = self._clock()
        if not self._transport.free or self._crowded(now):
            return 0.01
        # The throttle lets no slice out meanwhile; answers do not wait for permits, and ask here.
        rests = self._rests_until is not None and now < self._rests_until
        if (
            not rests
            and self._replies.may_look(now)
            and (self._start_replies(now) or self._start_own_messages(now))
        ):
            return 0.0
        if replies_only:
            return 0.05 if self._transport.in_flight else None
        self._take_urgent(now)
        held = self._next_slice(now)
        if held is not None:
            return self._start_window(held)
        if self._leasing is not None:
            return 0.005
        return 0.05 if self._transport.in_flight else None

    def _crowded(self, now: datetime) -> bool:
        """Few connections are free and answers come in: a transaction for each would cost more than it moves."""
        few = self._transport.free < self._transport.in_flight // 2
        return few and self._last_window is not None and now - self._last_window < GATHER

    def _start_replies(self, now: datetime) -> bool:
        people = self._replies.answers(self._slices.door, now, min(self._transport.free, WINDOW))
        # Replies are few and answer a person who is waiting: they take permits, but never wait for them.
        if people:
            self._submit_texts(people, self._pace.answer(_ids(people)))
        return bool(people)

    def _start_own_messages(self, now: datetime) -> bool:
        """Questions about sign-ups: after the answers, at the sender's pace, for an import may ask thousands."""
        most = min(self._transport.free, WINDOW)
        count = self._replies.own_messages_due(now, most)
        if not count:
            return False
        granted = self._pace.ask([OWN_MESSAGE_PARTS] * count).count
        people = self._replies.own_messages(now, granted, are_more=count == most and granted == count)
        self._pace.give_back(OWN_MESSAGE_PARTS * (granted - len(people)))
        if people:
            self._submit_texts(people, self._pace.rests(_ids(people)))
        return bool(people)

    def _submit_texts(self, people: Sequence[Person], rests: Mapping[int, float]) -> None:
        for place, person in enumerate(people):
            self._out[person.ref] = (None, 0, person.attempts + 1)
            if place in rests:
                self._writer.add(resting(person.ref, rests[place]), person.attempts + 1)
        people = [person for place, person in enumerate(people) if place not in rests]
        routes = self._routes(people)
        self._submit([_recipient(person, person.text or "", routes) for person in people])

    def _routes(self, people: Sequence[Person]) -> Mapping[int, str]:
        """Return where addresses that are names of ours lead now, by subscriber."""
        return push_routes.routes_of([one.ref.subscriber_id for one in people]) if self._named else {}

    def _take_urgent(self, now: datetime) -> None:
        """Take what must not wait behind the slices in our hands, and let it go before them."""
        if not self._held:  # then the next slice is the urgent one anyway
            return
        if self._looked_for_urgent is not None and now - self._looked_for_urgent < URGENT_EVERY:
            return
        self._looked_for_urgent = now
        full = sum(one.lease.urgent for one in self._held) >= MAX_SLICES
        if full or not self._slices.door.urgent_waits(self._setup.sender_id):
            return
        if self._leasing is None:
            self._leasing = self._beside.start(self._lease, now, may_upload=False)
        held = self._hold_leased()  # what was asked for before may be another; then the next look finds it
        if held is not None and not held.waits:
            self._close(held, "done")

    def _next_slice(self, now: datetime) -> HeldSlice | None:
        """Return a slice of which somebody waits; while it is worked, the next one is leased and claimed beside."""
        waiting = next((one for one in self._held if one.waits), None)
        while True:
            if self._leasing is None and len(self._held) < MAX_SLICES and self._ends_soon(waiting):
                self._leasing = self._beside.start(self._lease, now, may_upload=not self._held)
            if waiting or not self._leasing or (self._transport.in_flight and not self._leasing.done()):
                return waiting
            waiting = self._hold_leased()
            if waiting is None or waiting.waits:
                return waiting
            self._close(waiting, "done")
            waiting = None

    def _lease(self, now: datetime, *, may_upload: bool) -> HeldSlice | None:
        """Lease a slice whose file is at the provider; to bring it may take longer than a lease lasts."""
        without = [] if self._media is None else self._media.missing(now, may_upload=may_upload)
        return self._slices.lease(now, without=without)

    def _ends_soon(self, held: HeldSlice | None) -> bool:
        return held is None or len(held.people) - held.next <= self._pace.rate * LEASE_AHEAD_SECONDS

    def _hold_leased(self) -> HeldSlice | None:
        """Wait for the slice that is being leased, and hold it; None when there was none that may be sent."""
        leasing, self._leasing = self._leasing, None
        held = leasing.result() if leasing else None
        if held is None:
            return None
        # Of two urgent ones the first stays the first: people read them in the order in which they were written.
        urgent = sum(one.lease.urgent for one in self._held)
        self._held.insert(urgent if held.lease.urgent else len(self._held), held)
        if self._media is not None and not self._media.is_ready(held.media):
            self._give_up(held)  # it began to be sent a moment ago; its file is handed over first
            return None
        return held

    def _start_window(self, held: HeldSlice) -> float:
        together = self._together(held)
        size = len(held.window(max(together, min(self._transport.free, WINDOW))))
        wait = self._ask_for_permits(held, size, together) if held.permitted < size else 0.0
        self._throttled = wait > 0
        if wait:
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
        requests = held.requests(size, together) if together > 1 else 0
        rests = self._let_rest(held, size, passed)
        first = held.next
        places = held.left(size, [one for one in passed if one not in rests] if rests else passed)
        ready = []
        for place in places:
            person = held.people[place]
            self._out[person.ref] = (held, place, person.attempts + 1)
            stands = held.standing.get(person.ref.subscriber_id)
            words, styles = held.words(place)
            ready.append(_recipient(person, words, routes, held.rich(place), stands, styles))
        calls = self._submit(ready, held.media, SecondLook(held, self._slices, self._clock))
        # The gate refused some, for whom there were permits.
        unused = max(0, requests - calls) if together > 1 else held.unused(first, held.next, places)
        self._pace.give_back(unused)
        self._tidy()
        return 0.0

    def _let_rest(self, held: HeldSlice, size: int, passed: Collection[int]) -> set[int]:
        """Write of those whose person had a message just now that theirs waits; returns their subscriber ids."""
        rests = held.hold_up(size, passed)
        for place, seconds in rests.items():
            person = held.people[place]
            self._out[person.ref] = (held, place, person.attempts + 1)
            self._writer.add(resting(person.ref, seconds), person.attempts + 1)
        return {held.ids[place] for place in rests}

    def _together(self, held: HeldSlice) -> int:
        """How many of these people share one request: those of one text, where the provider takes many at once."""
        return 1 if held.has_slots or held.dress.is_personal else self._most_together

    def _ask_for_permits(self, held: HeldSlice, size: int, together: int) -> float:
        """Ask for a window's permits, and those of a moment ahead; returns seconds to wait when nobody has one."""
        if together > 1:
            grant = self._pace.ask([1] * held.requests(size, together))
            held.permitted = held.within(grant.count, size, together)
            return 0.0 if grant.count else grant.wait
        ahead = min(PERMITS, max(size, int(self._pace.rate * PERMITS_SECONDS)))
        costs = held.costs(held.permitted, ahead)
        begin = held.next + held.permitted
        grant = self._pace.ask(costs, held.ids[begin : begin + len(costs)])
        held.permit(grant)
        return 0.0 if held.permitted else grant.wait

    def _give_up(self, held: HeldSlice) -> None:
        """Pause, cancel, a closed sender or a lost lease: nobody else of this slice leaves by our hands."""
        self._pace.give_back(held.forget_permits(self._together(held)))
        held.give_back()
        self._tidy()

    def _submit(
        self, recipients: Sequence[Recipient], media: Media | None = None, look: SecondLook | None = None
    ) -> int:
        """Hand over, and return in how many requests."""
        if not recipients:
            return 0
        calls = 0
        for call in requests_for(self._setup.gateway, recipients, self._setup.callback_url, media):
            if isinstance(call, Outcome):
                self._note(call)
                continue
            while not self._transport.free:  # many who were to share a request may have to go alone
                self._collect(0.05)
            self._transport.submit(Call(*call[:-1], look))  # `_replace` takes twice as long
            calls += 1
        self._result.handed_over += len(recipients)
        return calls

    def _collect(self, timeout: float) -> None:
        urgent, failed = False, None
        for call, reply in self._transport.poll(timeout):
            if reply.reason == HELD_BACK:
                failed = self._stayed(call) or failed
                continue
            for outcome in self._setup.gateway.decode(call, reply):
                held = self._note(outcome)
                if held is not None:
                    self._hear_of_file(held, reply)
                error = outcome.error
                urgent = urgent or (error is not None and error.kind in settle_outcomes.URGENT)
        if failed is not None:
            raise failed
        if urgent or (self._writer.has_some and self._quiet()):
            for written in self._writer.write_all():
                self._settled(written)
        elif (done := self._writer.go_on()) is not None:
            self._settled(done)

    def _note(self, outcome: Outcome) -> HeldSlice | None:
        """Write an outcome into the journal, and let it be written into the database; returns its slice."""
        held, place, attempt = self._out[outcome.ref]
        if held is not None:
            held.answered(place, outcome)
        self._writer.add(outcome, attempt)
        return held

    def _stayed(self, call: Call) -> Exception | None:
        """Settle a request that was held back when its connection stood; returns why the door could not be asked."""
        look = call.may_leave
        assert isinstance(look, SecondLook)  # noqa: S101  # nobody else holds a call back
        for ref in call.refs:
            _, place, _ = self._out.pop(ref)
            look.held.stayed(place, waits=not look.is_refused(ref))
        self._result.handed_over -= len(call.refs)
        self._tidy()
        return look.failed

    def _hear_of_file(self, held: HeldSlice, reply: Reply) -> None:
        if held.media is not None and self._media is not None:
            held.media = self._media.told(held.media, reply, self._clock())

    def _quiet(self) -> bool:
        """Tell whether nothing else can happen before the answers are in the database."""
        if self._leasing is not None or any(held.waits for held in self._held):
            return False
        return not self._transport.in_flight or len(self._held) >= MAX_SLICES

    def _settled(self, written: Written) -> None:
        verdict = written.verdict
        if verdict.pause_seconds:
            self._pace.pause(verdict.pause_seconds)
            self._rests_until = self._clock() + timedelta(seconds=verdict.pause_seconds)
            for held in self._held:
                self._pace.give_back(held.forget_permits(self._together(held)))
        self._sender_open = self._sender_open and not verdict.sender_closed
        self._count(written.outcomes)
        self._replies.hear(written.outcomes)
        for outcome in written.outcomes:
            slice_, _, _ = self._out.pop(outcome.ref)
            if slice_ is not None:
                slice_.unsettled -= 1
        self._tidy()

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        if self._meter is None:
            return
        counts = Counter(_came_to(one) for one in outcomes)
        counts["permits"] = self._pace.counted()
        in_flight = self._transport.in_flight
        self._meter.note(self._setup.sender_id, self._worker, counts, in_flight, self._clock())

    def _tidy(self) -> None:
        for held in [one for one in self._held if one.is_over]:
            self._close(held, "open" if held.gives_back else "done")

    def _close(self, held: HeldSlice, state: str) -> None:
        self._held.remove(held)
        self._beside.leave(self._slices.finish, held, state)

    def _wind_down(self) -> None:
        """Wait for answers still on their way (the transport has its own time limit), then give slices back."""
        try:
            while self._transport.in_flight:
                self._collect(0.1)
            for written in self._writer.write_all():
                self._settled(written)
        finally:
            self._hold_leased()
        for held in list(self._held):
            self._give_up(held)


def _came_to(outcome: Outcome) -> str:
    """Return the word under which an outcome is counted; what we held up ourselves is no answer of a provider."""
    if outcome.error is None:
        return "taken"
    return RESTED if outcome.error.code == OWN_PACE else outcome.error.kind.value


def _ids(people: Sequence[Person]) -> list[int]:
    return [one.ref.subscriber_id for one in people]


def _recipient(
    person: Person,
    text: str,
    routes: Mapping[int, str],
    rich: Rich | None = None,
    stands: Standing | None = None,
    styles: tuple[Span, ...] | None = None,
) -> Recipient:
    address = Address(person.channel, person.address)
    route = routes.get(person.ref.subscriber_id, person.route)
    return Recipient(person.ref, address, text, route, rich, stands, styles, person.reply_token)
