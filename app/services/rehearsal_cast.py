"""The cast of a rehearsal: the rows that decide who gets a broadcast, with a stand-in for every person and sender.

Nothing else crosses over to the stage. An address becomes a number of country code 999, which no country has; names
become as many letters that mean nothing; settings of senders, words of people and proofs of consent stay here.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.parts import offenders
from app.domain.placeholders import MOVE_LINK
from app.domain.statuses import NOT_EDITORS, BroadcastState
from app.services import hold_back
from app.services.broadcast_rows import targets_of
from app.services.broadcast_times import nearest_allowed
from app.services.controller import Controller, NotFound, Refused
from app.services.rehearsal_extras import Part, Row, left_out, names_in, parts_of, row_of, rows_of
from app.services.shares import EXAMPLE_URL
from app.storage import audience
from app.storage.database import Model
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    BroadcastVariant,
    Delivery,
    InboundRow,
    LedgerHead,
    LinkedAddress,
    ListSender,
    QuietGroup,
    Sender,
    Slice,
    Subscriber,
    Subscription,
)
from app.storage.ways import ways

MOST_PEOPLE: Final = 5000
"""A sample of so many is rehearsed of a larger audience."""

_REHEARSED: Final = (BroadcastState.DRAFT.value, BroadcastState.SCHEDULED.value)
_WROTE_WITHIN: Final = timedelta(days=8)
_AT_ONCE: Final = 500


@dataclass
class Cast:
    """`rows` by table, in an order in which they may be written; `audience` is the whole of which they are `people`.

    `parts` are what the senders' stand-ins play. A file does not get to the stand-ins in `beyond`, though to others of
    their channel. Links in texts begin with `public_url`, for they are as long as the true ones.
    """

    broadcast_id: int
    starts_at: datetime
    audience: int
    people: int
    ledger: str
    public_url: str = EXAMPLE_URL
    parts: list[Part] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)


def stand_in(index: int) -> str:
    """Return the number that plays person (or sender) `index`; it ends in a way that means nothing to the simulator."""
    return f"+999{index:09d}11"


def cast_of(
    session: Session,
    broadcast_id: int,
    *,
    controller: Controller,
    now: datetime,
    most: int = MOST_PEOPLE,
    public_url: str = EXAMPLE_URL,
) -> Cast:
    """Read who would get a draft or scheduled broadcast. Raises `NotFound`, `Refused`."""
    broadcast = session.get(Broadcast, broadcast_id)
    if broadcast is None or broadcast.state in NOT_EDITORS:
        raise NotFound(f"There is no broadcast {broadcast_id}.")
    lists = targets_of(session, broadcast_id)
    if broadcast.state not in _REHEARSED:
        raise Refused(f"This broadcast is {broadcast.state}; only one that has not begun can be rehearsed.")
    if not lists or not broadcast.text.strip():
        raise Refused("A rehearsal needs a text and at least one list.")
    if MOVE_LINK in names_in(session, broadcast):
        raise Refused("A broadcast with a link for each person that moves them cannot be rehearsed.")
    list_ids = [one.id for one in lists]
    whole = audience.members(list_ids, corrects=broadcast.corrects_id).subquery()
    ids = sorted(session.scalars(select(whole.c.subscriber_id)))
    if not ids:
        raise Refused("Nobody is on these lists, so there is nothing to rehearse.")
    chosen = _sample(ids, most)
    starts_at = broadcast.next_at or nearest_allowed(lists, now) or now
    cast = Cast(broadcast_id, starts_at, len(ids), len(chosen), controller.ledger, public_url)
    _add_stage(cast, session, broadcast, lists, controller)
    for some in _chunks(chosen):
        _add_people(cast, session, broadcast, list_ids, some, starts_at)
    return cast


def _sample(ids: Sequence[int], most: int) -> list[int]:
    """Take people evenly from the first to the last, so that old and new ones are in it."""
    if len(ids) <= most:
        return list(ids)
    return [ids[place * len(ids) // most] for place in range(most)]


def _add_stage(
    cast: Cast,
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    controller: Controller,
) -> None:
    corrects = broadcast.corrects_id
    senders = {one for some in ways(session, [one.id for one in lists], corrects).values() for one in some}
    senders |= {one.sender_id for one in lists}
    found = session.scalars(select(Sender).where(Sender.id.in_(senders)).order_by(Sender.id)).all()
    recent, _ = hold_back.recent_and_cap(session, broadcast, lists, cast.starts_at)
    others = sorted({*recent, *([corrects] if corrects else [])})
    head = session.get_one(LedgerHead, cast.ledger)
    _add(cast, [row_of(head)], LedgerHead)
    _add(cast, [row_of(one) for one in session.scalars(select(QuietGroup))], QuietGroup)
    _add(cast, [_sender(one) for one in found], Sender)
    _add(cast, [row_of(one) for one in lists], BroadcastList)
    further = select(ListSender).where(ListSender.list_id.in_([one.id for one in lists]))
    _add(cast, [row_of(one) for one in session.scalars(further)], ListSender)
    played = session.scalars(select(Broadcast).where(Broadcast.id.in_(others))).all()
    _add(cast, [_other(one) for one in played], Broadcast)
    _add(cast, [_rehearsed(broadcast, cast.starts_at, lists)], Broadcast)
    _add(cast, [{"broadcast_id": broadcast.id, "list_id": one.id} for one in lists], BroadcastTarget)
    variants = select(BroadcastVariant).where(BroadcastVariant.broadcast_id == broadcast.id)
    _add(cast, [row_of(one) for one in session.scalars(variants)], BroadcastVariant)
    for model, rows in rows_of(session, broadcast.id):
        _add(cast, rows, model)
    cast.parts = parts_of(session, broadcast, found, public_url=cast.public_url, controller=controller)
    if corrects:
        _add(cast, [_done(one) for one in _slices(session, corrects)], Slice)


def _add_people(
    cast: Cast,
    session: Session,
    broadcast: Broadcast,
    list_ids: Sequence[int],
    ids: Sequence[int],
    starts_at: datetime,
) -> None:
    names = names_in(session, broadcast)
    people = session.scalars(select(Subscriber).where(Subscriber.id.in_(ids)).order_by(Subscriber.id)).all()
    _add(cast, [_person(one, names) for one in people], Subscriber)
    cast.beyond += [_played_by(one) for one in people if left_out(cast.parts, one)]
    on = Subscription.subscriber_id.in_(ids) & Subscription.list_id.in_(list_ids)
    _add(cast, [row_of(one) for one in session.scalars(select(Subscription).where(on))], Subscription)
    linked = select(LinkedAddress).where(LinkedAddress.subscriber_id.in_(ids))
    _add(cast, [row_of(one) for one in session.scalars(linked)], LinkedAddress)
    others = [row["id"] for row in cast.rows[Broadcast.__tablename__] if row["id"] != broadcast.id]
    had = Delivery.broadcast_id.in_(others) & Delivery.subscriber_id.in_(ids) & (Delivery.inbound_id == 0)
    _add(cast, [_had(one) for one in session.scalars(select(Delivery).where(had))], Delivery)
    _add(cast, _wrote(cast, session, ids, starts_at), InboundRow)


def _wrote(cast: Cast, session: Session, ids: Sequence[int], starts_at: datetime) -> list[Row]:
    """That people wrote to a sender lately, without their words: some platforms want it before we may write."""
    senders = [row["id"] for row in cast.rows[Sender.__tablename__]]
    rows = session.execute(
        select(
            InboundRow.subscriber_id, InboundRow.sender_id, InboundRow.tier, func.max(InboundRow.received_at)
        )
        .where(
            InboundRow.subscriber_id.in_(ids),
            InboundRow.sender_id.in_(senders),
            InboundRow.received_at > starts_at - _WROTE_WITHIN,
        )
        .group_by(InboundRow.subscriber_id, InboundRow.sender_id, InboundRow.tier)
    )
    return [
        {
            "sender_id": sender_id,
            "subscriber_id": subscriber_id,
            "external_id": str(uuid.uuid4()),
            "text": "",
            "media_count": 0,
            "received_at": at,
            "outcome": "NONE",
            "tier": tier,
            "rule": "",
            "matcher_version": "",
        }
        for subscriber_id, sender_id, tier, at in rows
    ]


def _add(cast: Cast, rows: Iterable[Row], model: type[Model]) -> None:
    cast.rows.setdefault(model.__tablename__, []).extend(rows)


def _sender(one: Sender) -> Row:
    """A sender without its account: what it may do, and how fast."""
    return {
        **row_of(one),
        "name": f"sender-{one.id}",
        "gateway": "twilio",
        "address": stand_in(one.id),
        "sealed_settings": "",
        "base_url": None,
        "paused_at": None,
        "paused_reason": None,
    }


def _person(one: Subscriber, names: Sequence[str]) -> Row:
    """Somebody as the gate sees them; what their text is filled with keeps its length and its alphabet."""
    filled = {name: _letters(str(one.attributes[name])) for name in names if one.attributes.get(name)}
    return {
        **row_of(one),
        "address": _played_by(one),
        "subject_ref": str(uuid.uuid4()),
        "attributes": filled,
    }


def _played_by(one: Subscriber) -> str:
    return stand_in(10_000_000 + one.id)


def _letters(word: str) -> str:
    strange = set(offenders(word))
    return "".join("ж" if sign in strange else "x" for sign in word)


def _other(one: Broadcast) -> Row:
    """A broadcast of the last day, which counts for the limit of a day, without its words."""
    return {**row_of(one), "title": "-", "text": "-", "corrects_id": None, "brake_base": None}


def _rehearsed(one: Broadcast, starts_at: datetime, lists: Sequence[BroadcastList]) -> Row:
    fresh_until = starts_at + timedelta(minutes=one.fresh_minutes)
    if one.local_at is not None and one.expires_at is not None:
        fresh_until = one.expires_at  # on people's own clocks their hours come one after the other
    ends = [its.ends_at for its in lists if its.ends_at is not None]
    return {
        **row_of(one),
        "title": "Rehearsal",
        "state": BroadcastState.SCHEDULED.value,
        "next_at": starts_at,
        "expires_at": min([fresh_until, *ends]),
        "first_percent": None,
        "rest_at": None,
        "sender_id": lists[0].sender_id,
    }


def _slices(session: Session, broadcast_id: int) -> Sequence[Slice]:
    return session.scalars(select(Slice).where(Slice.broadcast_id == broadcast_id)).all()


def _done(one: Slice) -> Row:
    return {**row_of(one), "state": "done", "worker": None, "lease_until": None, "reached": None}


def _had(one: Delivery) -> Row:
    return {**row_of(one), "provider_id": None, "error_code": None, "due_at": None}


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
