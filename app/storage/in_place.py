"""Messages that stand on phones and can be changed there: who has one, how many do, and who is left out without."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased

from app.domain.in_place import Changes, InPlace, changes_named
from app.domain.messages import DeliveryRef, Standing
from app.domain.statuses import DeliveryStatus, SkipReason
from app.storage.holding import HAD_IT
from app.storage.models import Broadcast, BroadcastVariant, Delivery, Sender, Slice, Subscriber


def standing_of(
    session: Session, broadcast: Broadcast, changes: Changes, subscriber_ids: Sequence[int], now: datetime
) -> dict[int, Standing]:
    """Return for those of the subscribers whose message can be changed where it stands what is to be done with it."""
    if broadcast.in_place is None or broadcast.corrects_id is None:
        return {}
    act, wrong = InPlace(broadcast.in_place), broadcast.corrects_id
    if not changes.can(act):
        return {}
    rows = session.execute(
        select(Delivery.subscriber_id, Delivery.provider_id).where(
            Delivery.broadcast_id == wrong,
            Delivery.subscriber_id.in_(subscriber_ids),
            *_stands(Delivery, changes.since(act, now)),
        )
    )
    ids = {one: provider_id or "" for one, provider_id in rows}
    first = _first_of(session, wrong, ids)
    return {one: Standing(act, DeliveryRef(first[one], one), ids[one]) for one in ids}


def _first_of(session: Session, wrong_id: int, subscriber_ids: Collection[int]) -> dict[int, int]:
    """Return by subscriber the broadcast that brought their message, whatever changed its words since."""
    first = dict.fromkeys(subscriber_ids, wrong_id)
    row = session.get_one(Broadcast, wrong_id)
    while row.in_place == InPlace.EDIT and row.corrects_id is not None and first:
        had_it = session.scalars(
            select(Delivery.subscriber_id).where(
                Delivery.broadcast_id == row.corrects_id,
                Delivery.subscriber_id.in_([one for one, its in first.items() if its == row.id]),
                *_stands(Delivery, None),
            )
        )
        first |= dict.fromkeys(had_it, row.corrects_id)
        row = session.get_one(Broadcast, row.corrects_id)
    return first


def leave_out(session: Session, broadcast_id: int, subscriber_ids: Collection[int], now: datetime) -> None:
    """Skip these people: there are no words for them, and nothing of theirs can be taken away."""
    if subscriber_ids:
        session.execute(
            update(Delivery)
            .where(
                Delivery.broadcast_id == broadcast_id,
                Delivery.subscriber_id.in_(subscriber_ids),
                Delivery.inbound_id == 0,
                Delivery.status == DeliveryStatus.PENDING.value,
            )
            .values(
                status=DeliveryStatus.SKIPPED.value, reason=SkipReason.NOT_DELETABLE.value, updated_at=now
            ),
            execution_options={"synchronize_session": False},
        )


def wordless(session: Session, broadcast: Broadcast, now: datetime) -> ColumnElement[str | None] | None:
    """SQL for the reason to leave the joined `Subscriber` out as `leave_out` will do; None: nobody is."""
    if broadcast.in_place != InPlace.DELETE or broadcast.corrects_id is None or broadcast.text.strip():
        return None
    worded = session.scalars(
        select(BroadcastVariant).where(BroadcastVariant.broadcast_id == broadcast.id)
    ).all()
    theirs = _theirs(session, broadcast.corrects_id, InPlace.DELETE, now)
    gets_something = or_(theirs, *map(_is_for, worded))
    return case((not_(gets_something), literal(SkipReason.NOT_DELETABLE.value)))


def _is_for(words: BroadcastVariant) -> ColumnElement[bool]:
    """SQL for whether these words are for the joined `Subscriber`."""
    channel = Subscriber.channel == words.channel if words.channel else true()
    return and_(channel, Subscriber.language == words.language if words.language else true())


def count_standing(
    session: Session, wrong_id: int, acts: Sequence[InPlace], people: Subquery, now: datetime
) -> tuple[int, Mapping[InPlace, Mapping[str, int]]]:
    """Count `people` (`subscriber_id`), and by act and channel those whose message of a broadcast can be changed so.

    In one statement: to ask the gate about a million once takes seconds.
    """
    able = [func.count().filter(_theirs(session, wrong_id, act, now)) for act in acts]
    rows = session.execute(
        select(Subscriber.channel, func.count(), *able)
        .select_from(people)
        .join(Subscriber, Subscriber.id == people.c.subscriber_id)
        .group_by(Subscriber.channel)
        .order_by(Subscriber.channel)
    ).all()
    found: dict[InPlace, dict[str, int]] = {act: {} for act in acts}
    for channel, _, *counts in rows:
        for act, count in zip(acts, counts, strict=True):
            if count:
                found[act][channel] = count
    return sum(row[1] for row in rows), found


def count_changed(session: Session, correction: Broadcast, began: datetime) -> int:
    """Count the messages that a correction, which began then, changed where they stand."""
    if correction.in_place is None or correction.corrects_id is None:
        return 0
    theirs = _theirs(session, correction.corrects_id, InPlace(correction.in_place), began)
    found = (
        select(func.count())
        .select_from(Delivery)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Delivery.broadcast_id == correction.id,
            Delivery.inbound_id == 0,
            Delivery.status.in_([DeliveryStatus.SENT.value, DeliveryStatus.DELIVERED.value]),
            theirs,
        )
    )
    return session.scalar(found) or 0


def keep_count(session: Session, correction: Broadcast) -> None:
    """Keep how many a correction that has just ended changed: whoever is erased later leaves nothing to count."""
    if correction.in_place is not None and correction.started_at is not None:
        correction.changed_in_place = count_changed(session, correction, correction.started_at)


def changes_by_channel(session: Session, wrong_id: int) -> Mapping[str, Changes]:
    """Return channel -> what the gateway that carried a broadcast there can do with its messages."""
    rows = session.execute(
        select(Sender.channel, Sender.gateway)
        .join(Slice, Slice.sender_id == Sender.id)
        .where(Slice.broadcast_id == wrong_id)
        .distinct()
    )
    return {channel: changes_named(gateway) for channel, gateway in rows}


def stands_still(changes: Changes, act: InPlace, now: datetime) -> ColumnElement[bool]:
    """SQL for whether the message of a `Delivery` that somebody had over a gateway can be changed so."""
    return and_(*_known(Delivery, changes.since(act, now))) if changes.can(act) else false()


def _theirs(session: Session, wrong_id: int, act: InPlace, now: datetime) -> ColumnElement[bool]:
    """SQL for whether the joined `Subscriber` has a message that can be changed so."""
    had = aliased(Delivery)
    found = [
        and_(
            Subscriber.channel == channel,
            exists()
            .where(
                had.broadcast_id == wrong_id,
                had.subscriber_id == Subscriber.id,
                *_stands(had, changes.since(act, now)),
            )
            .correlate(Subscriber),
        )
        for channel, changes in changes_by_channel(session, wrong_id).items()
        if changes.can(act)
    ]
    return or_(literal(False), *found)


def _stands(had: type[Delivery], since: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return (had.inbound_id == 0, had.status.in_(HAD_IT), *_known(had, since))


def _known(had: type[Delivery], since: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """Where nobody knows what became of it there is no id, and nothing to name to the platform."""
    young = () if since is None else (had.updated_at > since,)
    return (had.provider_id.is_not(None), *young)
