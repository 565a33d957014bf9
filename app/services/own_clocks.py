"""A broadcast on each person's own clock: who gets it when, from when until when it runs, and who still waits."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from app.domain.policy.decisions import Decision, Defer, Send, Skip
from app.domain.policy.own_clock import OwnClock, first_hour, hour_in
from app.domain.policy.places import Source, Whereabouts
from app.services.ask_gate import ask_gate
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.broadcast_times import promised_there, zone_named
from app.services.controller import Refused
from app.storage import audience, holding, quiet, segments
from app.storage.audience import Answers
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList
from app.storage.ways import templates_of, ways_to

# An editor's page may lie a moment before it is confirmed.
_JUST_NOW = timedelta(minutes=1)
# Somebody at whom nobody has looked yet: no zone is known.
_NOWHERE = Whereabouts(Source.CONTROLLER, "unknown", "", ("UTC",))

Closed = tuple[tuple[Decision, tuple[int, ...] | None], ...]


@dataclass(frozen=True)
class Turn:
    """People whose hour comes at the same instant `at` (UTC), on the clocks of `zones`, those of most people first.

    `known` is False for those of whom nobody knows the zone, `past`: the hour is over for them, they get it at once.
    Of the `people`, `held` must wait for quiet hours to end, the last until `held_until`; `left_out` get nothing, as
    it would be stale by then.
    """

    at: datetime
    known: bool
    past: bool
    zones: tuple[str, ...]
    people: int
    held: int
    held_until: datetime | None
    left_out: int


@dataclass(frozen=True)
class Plan:
    """When a broadcast goes to whom. It begins at `first`; by `last` the hour has come in every place that we know."""

    own: OwnClock
    first: datetime
    last: datetime
    turns: tuple[Turn, ...]

    @property
    def ends(self) -> datetime:
        """When the hour has come for the last of its people."""
        return max((one.at for one in self.turns), default=self.first)

    @property
    def over(self) -> bool:
        """Tell whether the hour is past for everybody."""
        return bool(self.turns) and all(one.past for one in self.turns)


def own_clock_of(broadcast: Broadcast, lists: Sequence[BroadcastList]) -> OwnClock | None:
    """Return the rule of a scheduled broadcast; None for one that goes to all at one instant."""
    if broadcast.local_at is None or broadcast.next_at is None:
        return None
    return _own(broadcast, broadcast.local_at, broadcast.zone, broadcast.next_at, lists)


def preview(broadcast_id: int, wall: datetime, zone: str, now: datetime) -> Plan:
    """Say who would get a broadcast when, at `wall` on each person's own clock. Raises `Refused` for a zone."""
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id)
        return plan(session, broadcast, targets_of(session, broadcast_id), wall, zone, now)


def plan(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    wall: datetime,
    zone: str,
    now: datetime,
) -> Plan:
    """Do what `preview` does within the caller's transaction."""
    zone_named(zone)
    list_ids = [one.id for one in lists]
    answers = ask_gate(session, broadcast, list_ids, now)
    groups, back = people_by_group(session, broadcast, list_ids, now, answers)
    left = {group: people - back.get(group, 0) for group, people in groups.items()}
    places = _places(session)
    draft = _own(broadcast, wall, zone, now, lists)
    hours = [_earliest(draft, places, group) for group, count in left.items() if count]
    first = max(min(hours, default=hour_in(zone, wall)), now)
    own = _own(broadcast, wall, zone, first, lists)
    # Somebody may join until it begins, so this asks for every place that we know.
    ends = [own.hour(where).at for where in places.values()]
    last = max([first, hour_in(zone, wall), *ends])
    return Plan(own, first, last, _turns(own, left, places, now))


def refuse(found: Plan, lists: Sequence[BroadcastList], now: datetime) -> None:
    """Raise `Refused` for an hour that is over everywhere, or outside of those that the lists promised."""
    if found.over and all(one.at < now - _JUST_NOW for one in found.turns):
        raise Refused("This time is in the past everywhere. Choose a later one, or send now.")
    outside = [one for one in lists if not promised_there([one], found.own.wall)]
    if outside:
        hours = ", ".join(f"{one.name}: {one.from_hour} to {one.until_hour} h" for one in outside)
        raise Refused(
            f"That is outside the hours promised to subscribers ({hours}), on their own clocks. Choose another time."
        )


def closed(session: Session, own: OwnClock, now: datetime) -> Closed:
    """Pair what is decided about those who may not be written to at `now` with their groups."""
    return _grouped({key: own.decide(where, now) for key, where in _places(session).items()})


def closed_in_turn(session: Session, own: OwnClock) -> Closed:
    """Do what `closed` does, but for each group at the moment of its own turn: what quiet hours forbid even then."""
    places = _places(session).items()
    return _grouped({key: own.decide(where, own.turn(where)) for key, where in places})


def waiting(broadcast: Broadcast, now: datetime) -> tuple[Turn, ...]:
    """Return those who still wait for their hour in a broadcast that is being sent."""
    session = db.session()
    own = own_clock_of(broadcast, targets_of(session, broadcast.id))
    if own is None:
        return ()
    return _turns(own, holding.waiting_by_group(session, broadcast.id), _places(session), now)


def people_by_group(
    session: Session, broadcast: Broadcast, list_ids: Sequence[int], at: datetime, answers: Answers
) -> tuple[dict[int | None, int], dict[int | None, int]]:
    """Count those to whom the gate says "send" by quiet group, and those of them who stand back for another channel."""
    corrects = broadcast.corrects_id
    if not list_ids:
        return {}, {}
    ways = ways_to(session, list_ids, corrects, templates_of(session, broadcast.id))
    chosen = segments.chosen_of(session, broadcast, at)
    groups = answers.by_group()
    # What corrects something goes to where that went, whichever channel it was.
    return groups, {} if corrects else audience.standing_back_by_group(session, list_ids, at, ways, chosen)


def _own(
    broadcast: Broadcast, wall: datetime, zone: str, since: datetime, lists: Sequence[BroadcastList]
) -> OwnClock:
    return OwnClock(
        wall,
        zone,
        since,
        timedelta(minutes=broadcast.fresh_minutes),
        max((one.from_hour for one in lists), default=0),
        min((one.until_hour for one in lists), default=24),
        all(one.any_hour_reason is not None for one in lists),
    )


def _earliest(own: OwnClock, places: Mapping[int, Whereabouts], group: int | None) -> datetime:
    """The hour of a group; before the claim nobody looks at people just imported, so they may be anywhere."""
    return first_hour(own.wall) if group is None else own.hour(places[group]).at


def _turns(
    own: OwnClock, people: Mapping[int | None, int], places: Mapping[int, Whereabouts], now: datetime
) -> tuple[Turn, ...]:
    found: dict[tuple[datetime, bool], list[tuple[str, int, Decision]]] = defaultdict(list)
    for group, count in people.items():
        if count:
            where = places.get(group or 0, _NOWHERE)
            hour, decision = own.hour(where), own.decide(where, max(own.turn(where), now))
            found[hour.at, hour.known].append((hour.zone, count, decision))
    return tuple(
        _turn(at, known, found[at, known], now)
        for at, known in sorted(found, key=lambda key: (key[0], not key[1]))
    )


def _turn(at: datetime, known: bool, parts: Sequence[tuple[str, int, Decision]], now: datetime) -> Turn:
    by_zone: Counter[str] = Counter()
    for zone, count, _ in parts:
        by_zone[zone] += count
    held = [(one.until, count) for _, count, one in parts if isinstance(one, Defer)]
    return Turn(
        at,
        known,
        at < now,
        tuple(zone for zone, _ in by_zone.most_common()),
        sum(by_zone.values()),
        sum(count for _, count in held),
        max((until for until, _ in held), default=None),
        sum(count for _, count, one in parts if isinstance(one, Skip)),
    )


def _grouped(decisions: Mapping[int, Decision]) -> Closed:
    found: dict[Decision, list[int]] = defaultdict(list)
    for group, decision in decisions.items():
        if not isinstance(decision, Send):
            found[decision].append(group)
    return tuple((decision, tuple(groups)) for decision, groups in found.items())


def _places(session: Session) -> dict[int, Whereabouts]:
    return {group: _parsed(key) for group, key in quiet.groups(session).items()}


@lru_cache(maxsize=4096)
def _parsed(key: str) -> Whereabouts:
    return Whereabouts.parse(key)
