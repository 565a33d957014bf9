"""How a lane gets its slices and what it asks before each window: lease, recovery, claim, and the door."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.messages import Standing
from app.domain.placeholders import MOVE_LINK, Template, read
from app.domain.styles import read_styled
from app.domain.wording import Wording
from app.gateways.base import Capabilities, Routed
from app.services import hold_back, plan_slices, short_links
from app.services.beside import Beside
from app.services.controller import Controller
from app.services.held_slice import CLAIM_IS_FRESH, HeldSlice
from app.services.media.lane_media import LaneMedia
from app.services.move_links import links_of
from app.services.recover_slices import recover
from app.services.rich_messages import dress_for
from app.storage import deliveries, holding, in_place
from app.storage.claim import claim_rows
from app.storage.database import transaction
from app.storage.deliveries import Door, Lease, Person, Watermark
from app.storage.gate import Way
from app.storage.holding import Limits
from app.storage.journal import Journal
from app.storage.models import Broadcast, Slice
from app.storage.ways import way_of

LEASE = timedelta(seconds=30)
RENEW_BEFORE = timedelta(seconds=20)
# Up to so many people ahead, and as many as leave in a quarter of a second, are noted in SQL as perhaps on their way;
# the next note is begun when half of them are left.
REACH = 256
REACH_SECONDS = 0.25
# The key, among languages, of the words for those whose language has none.
BASE = ""


@dataclass
class LaneSlices:
    """The slices of one sender, for one worker. `can` is what its gateway says of itself.

    `lease` and `finish` run beside the lane, all else in it. Notes of how far something may have left are written on a
    thread of their own: the lane waits for them, and may not wait for a claim or a batch of answers before them.
    """

    sender_id: int
    rate: float
    can: Capabilities
    controller: Controller
    journal: Journal
    worker: str
    beside: Beside
    media: LaneMedia | None = None
    _door: Door | None = None
    _notes: Beside = field(default_factory=Beside)
    _watermark: Watermark | None = None
    _reaches: dict[bool, Way] = field(default_factory=dict)
    _last_limits: tuple[int, Limits] | None = None

    @property
    def door(self) -> Door:
        """The door of this lane, with a connection of its own."""
        if self._door is None:
            self._door = Door()
        return self._door

    @property
    def ahead(self) -> int:
        """How many people one note in SQL covers."""
        return min(REACH, int(self.rate * REACH_SECONDS))

    def lease(self, now: datetime, *, without: Sequence[int] = ()) -> HeldSlice | None:
        """Take the next slice, settle what an earlier holder left of it, and claim its people; None: there is none.

        The broadcasts in `without` are left out. Where nothing is cut yet of what is being sent, it is cut here.
        """
        held = self._next(now, without)
        if held is None and plan_slices.go_on_for(self.sender_id, self.controller):
            return self._next(now, without)
        return held

    def _next(self, now: datetime, without: Sequence[int]) -> HeldSlice | None:
        with transaction() as session:
            found = deliveries.lease_slice(session, self.sender_id, self.worker, now, LEASE, without)
            if found is None:
                return None
            lease, part, broadcast = found
            lost = deliveries.lost_of(part)
            if lost is None:
                return self._claim(session, lease, part, broadcast, now)
        # Not before the lease is committed: until then its old holder could still pass the door.
        recover(lost, self.journal, sender_id=self.sender_id, controller=self.controller, now=now)
        with transaction() as session:
            # Read anew: a row of the transaction before could be written on here, and nothing of it would be kept.
            ours = deliveries.leased(session, lease)
            return None if ours is None else self._claim(session, lease, *ours, now)

    def _claim(
        self, session: Session, lease: Lease, part: Slice, broadcast: Broadcast, now: datetime
    ) -> HeldSlice:
        ledger_end = deliveries.ledger_end(session)  # first: who leaves after this is asked for at the door
        dress = dress_for(session, broadcast.id, self.sender_id, self.can, self.controller)
        if part.lo is not None and part.hi is not None:
            hold_back.group_slice(session, broadcast.id, part.lo, part.hi, self.controller.region)
            claim_rows(session, broadcast, part, now, self._way(session, dress.own_template))
        limits = self._limits(session, broadcast, now)
        holding.hold_back(session, broadcast.id, part.seq, limits, now)
        tail, media = ("", None)
        if self.media is not None:
            tail, media = self.media.of(session, broadcast, lease.wording.texts, now)
        words = _read(lease.wording, tail)
        names = tuple(dict.fromkeys((*(name for one in words.values() for name in one.names), *dress.names)))
        people = deliveries.people_of(
            session,
            lease,
            names,
            routed_by=self.sender_id if self.can.routed is Routed.ROOM else None,
        )
        people, standing = self._in_place(session, broadcast, lease, people, now)
        ids = [person.ref.subscriber_id for person in people]
        if MOVE_LINK in names:
            links = links_of(session, broadcast.id, ids, self.controller)
            people = [
                _with(person, {MOVE_LINK: links.get(person.ref.subscriber_id, "")}) for person in people
            ]
        words, dress, codes = short_links.for_slice(
            session, words, dress, broadcast.id, part.seq, self.controller
        )
        if codes:
            people = [_with(person, codes.get(person.ref.subscriber_id, {})) for person in people]
        reach = min(self.ahead, len(people))
        if reach:
            part.reached_epoch, part.reached = lease.epoch, ids[reach - 1]
        return HeldSlice(
            lease,
            words[BASE],
            people,
            ids,
            self.journal.open(lease.broadcast_id, lease.seq, lease.epoch, ids),
            limits,
            ledger_end,
            # Whoever waited since an earlier claim, or was never claimed, as in a test, is asked about each time.
            now + CLAIM_IS_FRESH if lease.epoch == 1 and part.lo is not None else now,
            now + LEASE,
            self.can.rate_unit == "part",
            media,
            dress,
            standing,
            _each(session, lease, words, ids),
            reach=reach,
        )

    def _in_place(
        self, session: Session, broadcast: Broadcast, lease: Lease, people: list[Person], now: datetime
    ) -> tuple[list[Person], dict[int, Standing]]:
        """Return who gets something, and what of theirs is changed. Without words, nobody else gets anything."""
        if broadcast.in_place is None:
            return people, {}
        ids = [person.ref.subscriber_id for person in people]
        standing = in_place.standing_of(session, broadcast, self.can.changes, ids, now)
        if lease.wording.base.strip():
            return people, standing
        spoken = deliveries.languages_of(session, lease) if lease.wording.by_language else {}
        gets = {one for one in ids if one in standing or lease.wording.to(spoken.get(one, "")).strip()}
        in_place.leave_out(session, broadcast.id, [one for one in ids if one not in gets], now)
        return [person for person in people if person.ref.subscriber_id in gets], standing

    def finish(self, held: HeldSlice, state: str) -> None:
        """Give a slice back in which everything is settled; its journal has done its work."""
        with transaction() as session:
            ours = deliveries.finish_slice(session, held.lease, state)
        if ours:
            held.pages.remove()

    def may_leave(self, held: HeldSlice, count: int, now: datetime) -> Collection[int] | None:
        """Return which of the next `count` subscribers may leave; None when nobody of this slice may by our hands.

        A STOP, a pause, a cancel, an expiry or a lost lease that was committed before this wins. The journal already
        says that they may have left.
        """
        self._note_reach(held, count, now)
        ledger_end = self.door.ledger_end(held.lease)
        if ledger_end is None:
            return None
        held.door_said = ledger_end
        ids = held.ids[held.next : held.next + count]
        return self.pass_gate(held, ids, now) if held.must_ask(ledger_end, now) else ids

    def _note_reach(self, held: HeldSlice, count: int, now: datetime) -> None:
        """Say in SQL up to whom something may leave, some way ahead so that nobody waits for it; keep the lease."""
        until = held.next + count
        if held.reaching is not None and (until > held.reach or held.reaching[1].done()):
            held.noted()
        if held.reaching is None and held.reach < len(held.ids) and held.reach - until < self.ahead // 2:
            further = min(max(until, held.reach + self.ahead), len(held.ids))
            note = self._notes.start(self._write_reach, held.lease, held.ids[further - 1])
            held.reaching = (further, note)
        if until > held.reach:
            held.noted()
        if held.lease_until - now < RENEW_BEFORE:
            held.lease_until = now + LEASE
            with transaction() as session:
                deliveries.renew(session, held.lease, held.lease_until)

    def _write_reach(self, lease: Lease, subscriber_id: int) -> None:
        if self._watermark is None:
            self._watermark = Watermark()
        self._watermark.write(lease, subscriber_id)

    def pass_gate(self, held: HeldSlice, ids: Sequence[int], now: datetime) -> set[int]:
        """Return which of these subscribers the gate lets through; of the others it writes why not."""
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
        """What the moment forbids, asked anew when the last answer has run out; one quota may fill any moment."""
        known, limits = self._last_limits or (0, None)
        if limits is None or known != broadcast.id or now >= limits.valid_until or self.can.quota:
            limits = hold_back.limits_of(
                session,
                broadcast,
                self.rate,
                now,
                sender_id=self.sender_id,
                quota=self.can.quota,
                most_people=self.can.most_people,
            )
            self._last_limits = (broadcast.id, limits)
        return limits

    def close(self) -> None:
        """Give the connections back."""
        self._notes.close()
        for one in (self._door, self._watermark):
            if one is not None:
                one.close()
        self._door = self._watermark = None


def _read(wording: Wording, tail: str) -> Mapping[str, Template]:
    """Return the words by language, those of all others under `BASE`."""
    texts, cut = {BASE: wording.base, **wording.by_language}, read_styled if wording.styled else read
    return {language: cut(text).followed_by(tail) for language, text in texts.items()}


def _each(
    session: Session, lease: Lease, words: Mapping[str, Template], ids: Sequence[int]
) -> Sequence[Template]:
    """Return the words for each of these people; nothing, and nobody is asked about, where all get the same."""
    if not lease.wording.by_language:
        return ()
    languages = deliveries.languages_of(session, lease)
    return [words.get(languages.get(one, BASE), words[BASE]) for one in ids]


def _with(person: Person, values: Mapping[str, str]) -> Person:
    return person._replace(attributes={**person.attributes, **values})
