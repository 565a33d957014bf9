"""Addresses that are one person: who stands back for another channel, and who takes over when that one failed.

A broadcast whose slice holds nobody with a link pays one look into an index for that.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from app.domain.linked import TAKEN, Linked, to_strike
from app.domain.statuses import BroadcastState, DeliveryStatus, SkipReason
from app.storage.database import among
from app.storage.models import Broadcast, Delivery, LinkedAddress, Subscriber
from app.storage.shared import about

_TAKEN = tuple(status.value for status in TAKEN)


def persons_between(session: Session, lo: int, hi: int) -> list[int]:
    """Return the persons with a linked address among these subscribers, their links locked until we are done.

    Two slices of one person are claimed one after the other: the second sees what the first decided.
    """
    here = LinkedAddress.subscriber_id.between(lo, hi)
    return _lock(session, session.scalars(select(LinkedAddress.person_id).where(here).distinct()).all())


def persons_of(session: Session, subscriber_ids: Collection[int]) -> list[int]:
    """The same for some subscribers."""
    here = LinkedAddress.subscriber_id.in_(subscriber_ids)
    return _lock(session, session.scalars(select(LinkedAddress.person_id).where(here).distinct()).all())


def _lock(session: Session, person_ids: Sequence[int]) -> list[int]:
    if not person_ids:
        return []
    rows = (
        select(LinkedAddress.person_id)
        .where(LinkedAddress.person_id.in_(person_ids))
        .order_by(LinkedAddress.subscriber_id)
        .with_for_update()
    )
    return sorted(set(session.scalars(rows)))


def addresses_of(
    session: Session,
    broadcast_id: int,
    person_ids: Collection[int],
    people: Subquery,
    refusal: ColumnElement[str | None],
) -> list[Linked]:
    """Return every address of these persons as a broadcast finds it now.

    `people` has subscriber_id and consent_seq of the audience, `refusal` is the gate's answer about them.
    """
    rows = session.execute(
        select(
            LinkedAddress.subscriber_id,
            LinkedAddress.person_id,
            LinkedAddress.chosen_at,
            people.c.subscriber_id,
            refusal,
            Delivery.status,
            Delivery.reason,
        )
        .join(Subscriber, Subscriber.id == LinkedAddress.subscriber_id)
        .outerjoin(people, people.c.subscriber_id == LinkedAddress.subscriber_id)
        .outerjoin(
            Delivery,
            (Delivery.broadcast_id == broadcast_id)
            & (Delivery.subscriber_id == LinkedAddress.subscriber_id)
            & (Delivery.inbound_id == 0),
        )
        .where(LinkedAddress.person_id.in_(person_ids))
    )
    return [
        Linked(
            id_,
            person,
            chosen_at,
            member is not None and answer is None,
            None if status is None else DeliveryStatus(status),
            reason,
        )
        for id_, person, chosen_at, member, answer, status, reason in rows
    ]


def all_ids(session: Session, person_ids: Collection[int]) -> list[int]:
    """Return every subscriber of these persons."""
    here = LinkedAddress.person_id.in_(person_ids)
    return list(session.scalars(select(LinkedAddress.subscriber_id).where(here)))


def had_elsewhere(broadcast_id: int) -> ColumnElement[bool]:
    """SQL, of the joined `Delivery`: another channel of the same person has, or may have, this broadcast."""
    mine, theirs, other = aliased(LinkedAddress), aliased(LinkedAddress), aliased(Delivery)
    return exists().where(
        mine.subscriber_id == Delivery.subscriber_id,
        theirs.person_id == mine.person_id,
        theirs.subscriber_id != mine.subscriber_id,
        other.broadcast_id == broadcast_id,
        other.subscriber_id == theirs.subscriber_id,
        other.inbound_id == 0,
        other.status.in_(_TAKEN),
    )


def standing_back(people: Subquery) -> Subquery:
    """SELECT those of `people` (subscriber ids whom the gate lets through) who stand back for another channel."""
    nth = func.row_number().over(
        partition_by=LinkedAddress.person_id,
        order_by=(LinkedAddress.chosen_at.desc(), LinkedAddress.subscriber_id.desc()),
    )
    ranked = (
        select(LinkedAddress.subscriber_id, nth.label("nth"))
        .join(people, people.c.subscriber_id == LinkedAddress.subscriber_id)
        .subquery()
    )
    return select(ranked.c.subscriber_id).where(ranked.c.nth > 1).subquery()


def any_links(session: Session) -> bool:
    """Tell whether anybody at all has linked addresses."""
    return session.scalar(select(LinkedAddress.subscriber_id).limit(1)) is not None


def strike(session: Session, person_id: int, now: datetime) -> None:
    """Take back second copies of broadcasts that wait for several addresses, which a person has just linked."""
    rows = session.execute(
        select(Delivery.broadcast_id, Delivery.status, LinkedAddress)
        .join(LinkedAddress, LinkedAddress.subscriber_id == Delivery.subscriber_id)
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .where(
            LinkedAddress.person_id == person_id,
            Delivery.inbound_id == 0,
            Broadcast.state.in_((BroadcastState.SENDING.value, BroadcastState.PAUSED.value)),
        )
    )
    found: dict[int, list[Linked]] = {}
    for broadcast_id, status, one in rows:
        address = Linked(one.subscriber_id, person_id, one.chosen_at, True, DeliveryStatus(status))
        found.setdefault(broadcast_id, []).append(address)
    for broadcast_id, addresses in found.items():
        session.execute(
            update(Delivery)
            .where(
                Delivery.broadcast_id == broadcast_id,
                Delivery.inbound_id == 0,
                Delivery.subscriber_id.in_(to_strike(addresses)),
                Delivery.status == DeliveryStatus.PENDING.value,
            )
            .values(
                status=DeliveryStatus.SKIPPED.value,
                reason=SkipReason.OTHER_CHANNEL.value,
                due_at=None,
                updated_at=now,
            ),
            execution_options={"synchronize_session": False},
        )


def link_of(session: Session, subscriber_id: int) -> LinkedAddress | None:
    """Return the link of a subscriber."""
    return session.get(LinkedAddress, subscriber_id)


def others_of(session: Session, person: Subscriber) -> Sequence[Subscriber]:
    """Return the other subscribers of the same person."""
    mine = aliased(LinkedAddress)
    return session.scalars(
        select(Subscriber)
        .join(LinkedAddress, LinkedAddress.subscriber_id == Subscriber.id)
        .join(mine, mine.person_id == LinkedAddress.person_id)
        .where(mine.subscriber_id == person.id, Subscriber.id != person.id)
        .order_by(Subscriber.channel)
    ).all()


def add(session: Session, person_id: int, people: Iterable[Subscriber], now: datetime) -> None:
    """Make these subscribers addresses of one person; who is one already stays as they are."""
    for one in people:
        if link_of(session, one.id) is None:
            session.add(
                LinkedAddress(subscriber_id=one.id, person_id=person_id, channel=one.channel, chosen_at=now)
            )
    session.flush()


def chosen(session: Session, subscriber_id: int, now: datetime) -> None:
    """Note that the person chose this channel, where they have others too."""
    if about(session, subscriber_id, "linked", _linked_among) is None:
        return
    session.execute(
        update(LinkedAddress).where(LinkedAddress.subscriber_id == subscriber_id).values(chosen_at=now),
        execution_options={"synchronize_session": "fetch"},
    )


def _linked_among(session: Session, subscriber_ids: Collection[int]) -> dict[int, bool]:
    rows = select(LinkedAddress.subscriber_id).where(
        among(session, LinkedAddress.subscriber_id, subscriber_ids)
    )
    return dict.fromkeys(session.scalars(rows), True)


def move(session: Session, before: Subscriber, after: Subscriber) -> None:
    """Put one subscriber in another's place: the account has another address now."""
    row = link_of(session, before.id)
    if row is None or link_of(session, after.id) is not None:
        return
    person_id, chosen_at = row.person_id, row.chosen_at
    drop(session, before.id)
    add(session, person_id, [after], chosen_at)


def drop(session: Session, subscriber_id: int) -> None:
    """Take a subscriber out of their person; who is left alone is a person without links again."""
    row = link_of(session, subscriber_id)
    if row is None:
        return
    person_id = row.person_id
    session.delete(row)
    session.flush()
    left = all_ids(session, [person_id])
    if len(left) == 1:
        session.execute(delete(LinkedAddress).where(LinkedAddress.subscriber_id.in_(left)))
