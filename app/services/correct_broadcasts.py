"""Correct a broadcast that was wrong: a linked draft that goes to exactly those who got it, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.in_place import InPlace
from app.domain.statuses import BroadcastState, DeliveryStatus
from app.services.audit import note
from app.services.broadcast_rows import broadcast_for_change, targets_of
from app.services.controller import Refused
from app.services.reports import Tally, tally
from app.services.schedule_broadcasts import CORRECTION
from app.services.write_drafts import draft_in
from app.storage import audience, in_place, quick_answers, served, tallies
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastTarget
from app.storage.ways import ways_to

# Whoever sleeps when it goes out shall still get it in the morning: two hours would be too short.
FRESH_MINUTES: Final = 24 * 60
# So many are counted while a page is made; a page of a larger broadcast has its exact numbers follow.
COUNTED_AT_ONCE: Final = 20_000
_CORRECTABLE: Final = (
    BroadcastState.SENDING,
    BroadcastState.PAUSED,
    BroadcastState.FINISHED,
    BroadcastState.CANCELED,
)


@dataclass(frozen=True)
class Correction:
    """A correction, and once it has begun how far it reached those who got the wrong one.

    `left_out` counts those of them who were skipped, by reason. `act` is what it does with the messages themselves
    where it can, and `changed` to how many of them it did that; None until it has come to an end.
    """

    broadcast_id: int
    title: str
    state: BroadcastState
    reach: Tally | None
    left_out: Mapping[str, int]
    act: InPlace | None = None
    changed: int | None = None


@dataclass(frozen=True)
class WayInPlace:
    """On how many people's phones, by channel, a message can be changed so, and how many others are reachable."""

    act: InPlace
    channels: Mapping[str, int]
    others: int


def draft_correction(
    broadcast_id: int,
    *,
    title: str,
    text: str,
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    act: InPlace | None = None,
) -> int:
    """Write a draft that corrects a broadcast, on the same channels and senders; returns its id.

    With `act` the message is edited or taken away where it stands, as far as the channels can; all others get the
    correction as a message of its own, or nothing where there are no words.

    It goes to whoever had, or may have had, the wrong one and may be written to when it goes out. Neither the limit of
    a day nor the promise of the lists holds it back; quiet hours do.

    Raises `NotFound`; `Refused` for a broadcast that nobody got, words that cannot be sent, or an `act` that none of
    its channels can do.
    """
    with transaction() as session:
        return correction_in(
            session, broadcast_id, title=title, text=text, by=by, now=now, variants=variants, act=act
        )


def correction_in(
    session: Session,
    broadcast_id: int,
    *,
    title: str,
    text: str,
    by: str,
    now: datetime,
    variants: Mapping[str, str] = MappingProxyType({}),
    act: InPlace | None = None,
) -> int:
    """Do what `draft_correction` does within the caller's transaction."""
    wrong = broadcast_for_change(session, broadcast_id)
    if wrong.state not in _CORRECTABLE or not had_it(broadcast_id, session):
        raise Refused("Nobody got this broadcast, so there is nobody to correct it for.")
    if act is not None:
        _refuse_unless_possible(session, broadcast_id, act)
    draft_id = draft_in(session, title=title, text=text, list_ids=(), by=by, now=now, variants=variants)
    draft = session.get_one(Broadcast, draft_id)
    draft.corrects_id, draft.over_cap_reason, draft.urgent = broadcast_id, CORRECTION, wrong.urgent
    draft.in_place = act
    draft.zone, draft.fresh_minutes = wrong.zone, max(wrong.fresh_minutes, FRESH_MINUTES)
    lists = [one.id for one in targets_of(session, broadcast_id)]
    session.add_all(BroadcastTarget(broadcast_id=draft_id, list_id=one) for one in lists)
    note(
        session,
        by,
        "broadcast.correct",
        f"broadcast {broadcast_id}",
        now,
        correction=draft_id,
        **({"in_place": act.value} if act else {}),
    )
    return draft_id


def _refuse_unless_possible(session: Session, broadcast_id: int, act: InPlace) -> None:
    if any(one.can(act) for one in in_place.changes_by_channel(session, broadcast_id).values()):
        return
    if act is InPlace.EDIT:
        raise Refused("No channel of this broadcast can change a message that is on a phone already.")
    raise Refused("No channel of this broadcast can take a message away that is on a phone already.")


def had_it(broadcast_id: int, session: Session | None = None) -> int:
    """Count who had a broadcast, or may have had it; a transaction looks with its own `session`."""
    return served.everybody(session or db.session(), broadcast_id)


def corrections_of(broadcast_id: int) -> list[Correction]:
    """Return the corrections of a broadcast that were not thrown away as drafts, oldest first."""
    rows = db.session.scalars(
        select(Broadcast).where(Broadcast.corrects_id == broadcast_id).order_by(Broadcast.id)
    ).all()
    return [reach_of(row) for row in rows if row.started_at or row.state != BroadcastState.CANCELED]


def reach_of(row: Broadcast) -> Correction:
    """Return how far a correction came."""
    counts = tallies.counts(db.session(), row.id)
    left_out = {reason: people for status, reason, _, people in counts if status == DeliveryStatus.SKIPPED}
    reach = tally(row.id) if row.started_at else None
    act = InPlace(row.in_place) if row.in_place else None
    return Correction(
        row.id, row.title, BroadcastState(row.state), reach, left_out, act, _changed(row) if act else None
    )


def _changed(row: Broadcast) -> int | None:
    """While it is being sent, nobody counts: that would read every delivery again and again."""
    if row.state not in (BroadcastState.FINISHED, BroadcastState.CANCELED) or row.started_at is None:
        return None
    if row.changed_in_place is not None:
        return row.changed_in_place
    return in_place.count_changed(db.session(), row, row.started_at)  # ended before it was kept


def reachable(broadcast_id: int, now: datetime) -> int:
    """Count who had a broadcast, or may have had it, and may be written to at `now`."""
    session = db.session()
    list_ids = [one.id for one in targets_of(session, broadcast_id)]
    ways = ways_to(session, list_ids, broadcast_id)
    if served.can_be_sure(session, list_ids, ways):
        return served.reachable(session, broadcast_id, list_ids)
    return quick_answers.ask(session, list_ids, now, ways, broadcast_id).reachable


def most_in_place(broadcast_id: int) -> list[WayInPlace]:
    """Return what can be done with the messages of a broadcast on phones, and on how many at most; nobody is asked.

    The exact numbers are those of `ways_in_place`: they leave out who is not reachable any more, or has no message
    that can be changed still.
    """
    session = db.session()
    able, had = (
        in_place.changes_by_channel(session, broadcast_id),
        served.by_channel(session, broadcast_id),
    )
    found = [
        (act, {name: people for name, people in had.items() if name in able and able[name].can(act)})
        for act in InPlace
    ]
    return [WayInPlace(act, most, sum(had.values()) - sum(most.values())) for act, most in found if most]


def ways_in_place(broadcast_id: int, now: datetime) -> list[WayInPlace]:
    """Return what can be done at `now` with the messages of a broadcast that are on phones already."""
    session = db.session()
    able = in_place.changes_by_channel(session, broadcast_id).values()
    acts = [act for act in InPlace if any(one.can(act) for one in able)]
    if not acts:
        return []
    everybody, counts = _standing(session, broadcast_id, acts, now)
    return [WayInPlace(act, found, everybody - sum(found.values())) for act, found in counts.items() if found]


def _standing(
    session: Session, wrong_id: int, acts: Sequence[InPlace], now: datetime
) -> tuple[int, Mapping[InPlace, Mapping[str, int]]]:
    list_ids = [one.id for one in targets_of(session, wrong_id)]
    ways = ways_to(session, list_ids, wrong_id)
    if served.can_be_sure(session, list_ids, ways):
        return served.count_standing(session, wrong_id, list_ids, acts, now)
    people = audience.reachable(list_ids, now, ways, corrects=wrong_id)
    return in_place.count_standing(session, wrong_id, acts, people, now)


def way_of_draft(broadcast: Broadcast, now: datetime) -> WayInPlace | None:
    """Return whom a correction would reach in place at `now`, also when that is nobody; None: it does no such thing."""
    if broadcast.in_place is None or broadcast.corrects_id is None:
        return None
    act = InPlace(broadcast.in_place)
    found = [one for one in ways_in_place(broadcast.corrects_id, now) if one.act is act]
    return found[0] if found else WayInPlace(act, {}, reachable(broadcast.corrects_id, now))
