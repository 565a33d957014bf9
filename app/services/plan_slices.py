"""Plans a broadcast while it is being sent: freeze the rule of its segment, write the first slices, then go on.

How far it has come stands on the broadcast's row, written in the transaction that writes the slices. So a planner that
is killed has done a step or not done it, two planners take turns, and no broadcast ends before its planning.
"""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.statuses import BroadcastState
from app.services import hold_back, quotas
from app.services.controller import Controller
from app.storage import planning, segments
from app.storage.audience import SLICE_SIZE
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import Broadcast
from app.storage.planning import Part
from app.storage.ways import ways_of_broadcast

# So many ids are looked through in one transaction, under the ledger's lock: a STOP waits no longer than that.
STEP_IDS: Final = 20_000
# At the start it ends with the first stretch in which somebody is, so that the first message leaves at once; where few
# belong to the segment, after so many. The first of all is short: whoever pressed *Send* waits for it.
FIRST_STEPS: Final = 4
FIRST_IDS: Final = 5_000
# A lane looks through so many stretches for somebody: a million ids, in less than a second.
LANE_STEPS: Final = 50
_LAST_ID: Final = 2**62
_RUNS: Final = (BroadcastState.SENDING.value, BroadcastState.PAUSED.value)


def begin(session: Session, broadcast: Broadcast, controller: Controller) -> None:
    """Freeze the rule that the segment of a broadcast has now, and write the first slices.

    The caller holds the ledger's lock.
    """
    rule = segments.rule_data(session, broadcast)
    broadcast.segment_rule = None if rule is None else dict(rule)
    broadcast.audience, broadcast.planned_to = 0, 0
    for ids in (FIRST_IDS, *[STEP_IDS] * (FIRST_STEPS - 1)):
        step(session, broadcast, controller, ids)
        if broadcast.planned_to is None or broadcast.audience:
            return


def go_on(*, controller: Controller, until: datetime, clock: Callable[[], datetime]) -> int:
    """Plan what is not planned to its end, the oldest first, until a moment; returns how many steps were done."""
    steps = 0
    for broadcast_id in _unplanned():
        while clock() < until and plan_step(broadcast_id, controller):
            steps += 1
    return steps


def go_on_for(sender_id: int, controller: Controller) -> bool:
    """Plan further until somebody is found, for a sender whose lane has nothing to do; False: there is nobody so far.

    A lane may be faster than the clock, which plans once a second and has other work.
    """
    session = db.session()
    sending = _unplanned((BroadcastState.SENDING.value,))
    ours = [one for one in sending if sender_id in ways_of_broadcast(session, one).values()]
    session.rollback()
    return any(_found_somebody(broadcast_id, controller) for broadcast_id in ours)


def _found_somebody(broadcast_id: int, controller: Controller) -> bool:
    found: int | None = 0
    for _ in range(LANE_STEPS):
        found = _plan(broadcast_id, controller)
        if found is None or found:
            break
        _skip(broadcast_id)
    return bool(found)


def _skip(broadcast_id: int) -> None:
    """Leave out ids at which nobody of a segment is, looked for without a lock: it may take long.

    Who comes into the segment behind the look comes too late, as behind any stretch that was planned.
    """
    looking = db.session()
    broadcast = looking.get_one(Broadcast, broadcast_id, populate_existing=True)
    done, chosen = broadcast.planned_to, segments.chosen_of(looking, broadcast, broadcast.updated_at)
    if done is None or chosen is None or chosen.asks_area:
        looking.rollback()
        return
    found = planning.next_chosen(looking, planning.whole_of(looking, broadcast), chosen, done)
    looking.rollback()
    # Where another planner was faster, it knows better.
    here = Broadcast.id == broadcast_id, Broadcast.planned_to == done
    with transaction() as session:
        session.execute(
            update(Broadcast).where(*here).values(planned_to=None if found is None else found - 1)
        )


def plan_step(broadcast_id: int, controller: Controller) -> bool:
    """Look through the next ids; False when there was nothing to do, for it is planned or stopped."""
    return _plan(broadcast_id, controller) is not None


def _plan(broadcast_id: int, controller: Controller) -> int | None:
    """Do one step; returns how many people were found, None when there was nothing to do."""
    with transaction() as session:
        # Nobody joins or leaves between the look and the slices: who leaves after them is found in them.
        lock_head(session, controller.ledger)
        broadcast = session.get_one(Broadcast, broadcast_id, with_for_update=True)
        if broadcast.planned_to is None or broadcast.state not in _RUNS:
            return None
        before = broadcast.audience or 0
        step(session, broadcast, controller)
        return (broadcast.audience or 0) - before


def _unplanned(states: Collection[str] = _RUNS) -> Sequence[int]:
    session = db.session()
    rows = select(Broadcast.id).where(Broadcast.planned_to.is_not(None), Broadcast.state.in_(states))
    found = session.scalars(rows.order_by(Broadcast.id)).all()
    session.rollback()
    return found


def step(session: Session, broadcast: Broadcast, controller: Controller, ids: int = STEP_IDS) -> None:
    """Plan the next stretch of so many ids, which begins with a member."""
    chosen = segments.chosen_of(session, broadcast, broadcast.updated_at)
    whole = planning.whole_of(session, broadcast)
    first = planning.next_member(session, whole, broadcast.planned_to or 0)
    if first is None:
        broadcast.planned_to = None
        return
    ways = ways_of_broadcast(session, broadcast.id)
    sizes = quotas.slice_sizes(session, ways.values())
    # A platform that counts sendings wants full ones, so nobody is cut off at the end of a stretch.
    last = _LAST_ID if sizes else first + ids - 1
    if chosen is not None and chosen.asks_area:
        hold_back.group_between(session, first, last, controller.region)
        chosen = segments.chosen_of(session, broadcast, broadcast.updated_at)
    people = planning.people_between(session, whole, chosen, (first, last))
    _write(session, broadcast, people, ways, sizes)
    broadcast.planned_to = last if planning.next_member(session, whole, last) is not None else None
    session.flush()


def add_late(session: Session, broadcast: Broadcast) -> int:
    """Write slices of a correction for whoever turned out since to have had the wrong one; returns how many people."""
    people = planning.late_people(session, broadcast)
    parts = planning.parts_of(people, ways_of_broadcast(session, broadcast.id), SLICE_SIZE, {})
    planning.write(session, broadcast, parts)
    return sum(len(part.ids) for part in parts)


def _write(
    session: Session,
    broadcast: Broadcast,
    people: Mapping[str, Sequence[int]],
    ways: Mapping[str, int],
    sizes: Mapping[int, int],
) -> None:
    """Write the slices of a stretch's people, who are given by channel, and count them."""
    percent, size = _percent_first(broadcast), SLICE_SIZE
    if percent is not None:
        size = min(SLICE_SIZE, max(1, sum(map(len, people.values())) * percent // 100))
        sizes = {sender_id: min(size, most) for sender_id, most in sizes.items()}
    parts = planning.parts_of(people, ways, size, sizes)
    held = set() if percent is None else _held(session, broadcast, parts, percent)
    planning.write(session, broadcast, parts, held)
    broadcast.audience = (broadcast.audience or 0) + sum(len(part.ids) for part in parts)


def _percent_first(broadcast: Broadcast) -> int | None:
    """How many per cent go first; None for everybody, also when somebody let the rest follow already."""
    return broadcast.first_percent if broadcast.rest_at is None else None


def _held(session: Session, broadcast: Broadcast, parts: Sequence[Part], percent: int) -> set[int]:
    """Draw by lot who of these waits, so that with those before them `percent` of everybody go first."""
    before = broadcast.audience or 0
    out = before - planning.held_people(session, broadcast.id)
    wanted = (before + sum(len(part.ids) for part in parts)) * percent / 100
    lot = random.Random(f"{broadcast.id}:{broadcast.planned_to}")  # noqa: S311  # a fair lot, no secret
    drawn = lot.sample(range(len(parts)), len(parts))
    while drawn and out < wanted:
        out += len(parts[drawn.pop()].ids)
    return set(drawn)
