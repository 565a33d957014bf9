"""The claim: a delivery for each person of a slice, with the gate's answer, in the transaction that leases it."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    String,
    Subquery,
    bindparam,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.linked import Linked, passed_over
from app.domain.statuses import DeliveryStatus, SkipReason
from app.storage import linked, planning
from app.storage.audience import members, target_ids, without_consent
from app.storage.database import changed, is_sqlite
from app.storage.gate import Way, closed_now, closed_to, refusal
from app.storage.models import Broadcast, Delivery, Sender, Slice, Subscriber, Subscription
from app.storage.ways import templates_of, ways_to

_MOMENT = Delivery.updated_at.type
_NOW = bindparam("b_now", type_=_MOMENT)


def claim_rows(
    session: Session,
    broadcast: Broadcast,
    part: Slice,
    now: datetime,
    way: Way | None = None,
    *,
    cancel: bool = False,
) -> None:
    """Insert a delivery for each member of the frozen audience in a slice's range who has none yet.

    Those whom the gate refuses are rows too, SKIPPED with the reason. With `cancel` everybody is skipped. A correction
    is for whoever had the wrong one by now, which receipts may change: a slice is claimed once, and counted then.
    """
    corrects = broadcast.corrects_id
    if corrects is not None and _is_claimed(part, cancel):
        return
    back = set() if cancel else _standing_back(session, broadcast, part, now)
    plain = corrects is None and broadcast.segment_rule is None and not cancel and not back
    if plain and way is not None and part.lo is not None:
        _claim_many(session, broadcast, part, now, way)
        return
    within = None if part.lo is None or part.hi is None else (part.lo, part.hi)
    list_ids = target_ids(session, broadcast.id)
    whole = members(list_ids, broadcast.as_of_seq, corrects, within)
    if broadcast.segment_rule is not None:
        # Its people were named when it was planned, and once they have their deliveries nobody is named any more.
        whole = whole.where(Subscription.subscriber_id.in_(planning.take(session, part)))
    people = whole.subquery()
    gate = refusal(
        people.c.consent_seq,
        literal(broadcast.expires_at, Broadcast.expires_at.type),
        now,
        closed_now([way], now) if way else (),
        without=without_consent(corrects, list_ids),
    )
    reason: ColumnElement[str | None] = literal(SkipReason.CANCELED.value) if cancel else gate
    if back:
        reason = func.coalesce(gate, _for_those(back))
    channel = session.scalar(select(Sender.channel).where(Sender.id == part.sender_id))
    values = (literal(broadcast.id), literal(part.seq, Delivery.slice.type), literal(now, _MOMENT))
    claimed = session.execute(
        _claim(is_sqlite(session), people, reason, literal(channel), values),
        execution_options={"preserve_rowcount": True},
    )
    if corrects is not None:
        part.people = changed(claimed)


def _claim_many(session: Session, broadcast: Broadcast, part: Slice, now: datetime, way: Way) -> None:
    """Claim a slice of an ordinary broadcast, by a statement that is put together once."""
    values = {
        "b_broadcast": broadcast.id,
        "b_slice": part.seq,
        "b_lists": list(target_ids(session, broadcast.id)),
        "b_as_of": broadcast.as_of_seq,
        "b_lo": part.lo,
        "b_hi": part.hi,
        "b_expires": broadcast.expires_at,
        "b_now": now,
    }
    if way.path.within is not None:
        values["b_wrote_since"] = now - way.path.within
    session.connection().execute(_claim_of(is_sqlite(session), way), values)


@lru_cache(maxsize=256)
def _claim_of(sqlite_: bool, way: Way) -> Insert:
    id_ = Subscriber.id.type
    lists: BindParameter[int] = bindparam("b_lists", type_=id_, expanding=True)
    as_of, lo, hi = (bindparam(name, type_=id_) for name in ("b_as_of", "b_lo", "b_hi"))
    people = members(lists, as_of, within=(lo, hi)).subquery()
    wrote_since = {way.sender_id: bindparam("b_wrote_since", type_=_MOMENT)}
    reason = refusal(
        people.c.consent_seq,
        bindparam("b_expires", type_=Broadcast.expires_at.type),
        _NOW,
        closed_to([way], wrote_since),
        without=SkipReason.OTHER_PURPOSE,
    )
    broadcast_id = bindparam("b_broadcast", type_=id_)
    values = (broadcast_id, bindparam("b_slice", type_=Delivery.slice.type), _NOW)
    return _claim(sqlite_, people, reason, literal(way.channel), values)


def _claim(
    sqlite_: bool,
    people: Subquery,
    reason: ColumnElement[str | None],
    channel: ColumnElement[str],
    values: tuple[ColumnElement[int], ColumnElement[int], ColumnElement[datetime]],
) -> Insert:
    """INSERT a row for each of `people` on `channel`, with the gate's `reason`; `values`: broadcast, slice, moment."""
    broadcast_id, slice_seq, moment = values
    status = case((reason.is_(None), DeliveryStatus.PENDING.value), else_=DeliveryStatus.SKIPPED.value)
    row = {
        "broadcast_id": broadcast_id,
        "subscriber_id": people.c.subscriber_id,
        "inbound_id": literal(0),
        "slice": slice_seq,
        "status": status,
        "reason": reason,
        "consent_seq": people.c.consent_seq,
        "attempts": literal(0),
        "updated_at": moment,
    }
    rows = (
        select(*row.values())
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        # People of the range who are on another channel are in a slice of another sender.
        .where(Subscriber.channel == channel)
    )
    if sqlite_:
        return sqlite.insert(Delivery).from_select(list(row), rows).on_conflict_do_nothing()
    return postgresql.insert(Delivery).from_select(list(row), rows).on_conflict_do_nothing()


def _is_claimed(part: Slice, cancel: bool) -> bool:
    """Whoever leases a slice first claims its people in the same transaction."""
    return part.epoch > (0 if cancel else 1)


def _for_those(back: Collection[int]) -> ColumnElement[str | None]:
    stands_back = Subscriber.id.in_(sorted(back))
    return case((stands_back, literal(SkipReason.OTHER_CHANNEL.value))).cast(String)


def _standing_back(session: Session, broadcast: Broadcast, part: Slice, now: datetime) -> set[int]:
    """Return who of a slice stands back for another channel of the same person, which is asked by the same gate."""
    # What corrects something goes to where that went, whichever channel it was.
    if part.lo is None or part.hi is None or broadcast.corrects_id is not None:
        return set()
    persons = linked.persons_between(session, part.lo, part.hi)
    return passed_over(linked_of(session, broadcast, persons, now)) if persons else set()


def linked_of(
    session: Session, broadcast: Broadcast, person_ids: Collection[int], now: datetime
) -> list[Linked]:
    """Return every address of these persons, each as this broadcast finds it now."""
    list_ids = target_ids(session, broadcast.id)
    ids: Collection[int] = linked.all_ids(session, person_ids)
    if broadcast.segment_rule is not None:
        ids = planning.in_audience(session, broadcast, list_ids, ids)
    people = members(list_ids, broadcast.as_of_seq).where(Subscription.subscriber_id.in_(ids)).subquery()
    gate = refusal(
        people.c.consent_seq,
        literal(broadcast.expires_at, Broadcast.expires_at.type),
        now,
        closed_now(ways_to(session, list_ids, templates=templates_of(session, broadcast.id)), now),
        without=SkipReason.OTHER_PURPOSE,
    )
    return linked.addresses_of(session, broadcast.id, person_ids, people, gate)
