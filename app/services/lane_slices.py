"""How a lane gets its slices and what it asks before each window: lease, recovery, claim, and the door."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.placeholders import MOVE_LINK, read
from app.gateways.base import Capabilities, Routed
from app.services import hold_back
from app.services.controller import Controller
from app.services.held_slice import CLAIM_IS_FRESH, HeldSlice
from app.services.move_links import links_of
from app.services.recover_slices import recover
from app.services.rich_messages import dress_for
from app.storage import audience, deliveries, holding
from app.storage.database import transaction
from app.storage.deliveries import Door, Lease, Person
from app.storage.gate import Way
from app.storage.holding import Limits
from app.storage.journal import Journal
from app.storage.models import Broadcast, Slice
from app.storage.ways import way_of

LEASE = timedelta(seconds=30)
RENEW_BEFORE = timedelta(seconds=20)
# Up to so many people ahead, and as many as leave in a quarter of a second, are noted in SQL as perhaps on their way.
REACH = 256
REACH_SECONDS = 0.25


@dataclass
class LaneSlices:
    """The slices of one sender, for one worker. `can` is what its gateway says of itself."""

    sender_id: int
    rate: float
    can: Capabilities
    controller: Controller
    journal: Journal
    worker: str
    _door: Door | None = None
    _reaches: dict[bool, Way] = field(default_factory=dict)

    def lease(self, now: datetime) -> HeldSlice | None:
        """Take the next slice, settle what an earlier holder left of it, and claim its people; None: there is none."""
        with transaction() as session:
            found = deliveries.lease_slice(session, self.sender_id, self.worker, now, LEASE)
            if found is None:
                return None
            lease, part, broadcast = found
            lost = deliveries.lost_of(part)
            if lost is None:
                return self._claim(session, lease, part, broadcast, now)
        # Not before the lease is committed: until then its old holder could still pass the door.
        recover(lost, self.journal, sender_id=self.sender_id, controller=self.controller, now=now)
        with transaction() as session:
            return self._claim(session, lease, part, session.get_one(Broadcast, broadcast.id), now)

    def _claim(
        self, session: Session, lease: Lease, part: Slice, broadcast: Broadcast, now: datetime
    ) -> HeldSlice:
        ledger_end = deliveries.ledger_end(session)  # first: who leaves after this is asked for at the door
        dress = dress_for(session, broadcast.id, self.sender_id, self.can, self.controller)
        if part.lo is not None and part.hi is not None:
            hold_back.group_slice(session, broadcast.id, part.lo, part.hi, self.controller.region)
            audience.claim_rows(session, broadcast, part, now, self._way(session, dress.own_template))
        limits = self._limits(session, broadcast, now)
        holding.hold_back(session, broadcast.id, part.seq, limits, now)
        template = read(dress.text(lease.text))
        people = deliveries.people_of(
            session,
            lease,
            tuple(dict.fromkeys((*template.names, *dress.names))),
            routed_by=self.sender_id if self.can.routed is Routed.ROOM else None,
        )
        ids = [person.ref.subscriber_id for person in people]
        if MOVE_LINK in template.names:
            links = links_of(session, broadcast.id, ids, self.controller)
            people = [_with_link(person, links.get(person.ref.subscriber_id, "")) for person in people]
        return HeldSlice(
            lease,
            template,
            people,
            self.journal.open(lease.broadcast_id, lease.seq, lease.epoch, ids),
            limits,
            ledger_end,
            now + CLAIM_IS_FRESH,
            now + LEASE,
            self.can.rate_unit == "part",
            dress,
        )

    def may_leave(self, held: HeldSlice, count: int, now: datetime) -> Collection[int] | None:
        """Return which of the next `count` subscribers may leave; None when nobody of this slice may by our hands.

        A STOP, a pause, a cancel, an expiry or a lost lease that was committed before this wins. The journal already
        says that they may have left.
        """
        if self._door is None:
            self._door = Door()
        self._note_reach(self._door, held, count, now)
        ledger_end = self._door.ledger_end(held.lease)
        if ledger_end is None:
            return None
        ids = [person.ref.subscriber_id for person in held.window(count)]
        return self._pass_gate(held, ids, now) if held.must_ask(ledger_end, now) else ids

    def _note_reach(self, door: Door, held: HeldSlice, count: int, now: datetime) -> None:
        """Say in SQL up to whom something may leave, some way ahead to spare most windows this; keep the lease."""
        until = held.next + count
        if until > held.reach:
            ahead = min(REACH, int(self.rate * REACH_SECONDS))
            held.reach = min(max(until, held.next + ahead), len(held.people))
            door.reach(held.lease, held.people[held.reach - 1].ref.subscriber_id)
        if held.lease_until - now < RENEW_BEFORE:
            held.lease_until = now + LEASE
            with transaction() as session:
                deliveries.renew(session, held.lease, held.lease_until)

    def _pass_gate(self, held: HeldSlice, ids: Sequence[int], now: datetime) -> set[int]:
        with transaction() as session:
            if now >= held.limits.valid_until:
                broadcast = session.get_one(Broadcast, held.lease.broadcast_id)
                held.limits = self._limits(session, broadcast, now)
            way = self._way(session, held.dress.own_template)
            return deliveries.pass_gate(session, held.lease, ids, now, held.limits, way)

    def _way(self, session: Session, own_template: bool) -> Way:
        """The channel's way to people, read once: the lane is made anew for each drain."""
        if own_template not in self._reaches:
            templates = {self.can.channel} if own_template else set()
            self._reaches[own_template] = way_of(session, self.sender_id, templates)
        return self._reaches[own_template]

    def _limits(self, session: Session, broadcast: Broadcast, now: datetime) -> Limits:
        return hold_back.limits_of(
            session, broadcast, self.rate, now, sender_id=self.sender_id, quota=self.can.quota
        )

    def close(self) -> None:
        """Give the door's connection back."""
        if self._door is not None:
            self._door.close()
            self._door = None


def _with_link(person: Person, link: str) -> Person:
    return person._replace(attributes={**person.attributes, MOVE_LINK: link})
