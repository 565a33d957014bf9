"""Open a short link: where it leads, and one more in the count of its hour; for who agreed to it, also by whom."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.domain.buttons import ButtonKind
from app.domain.consent import SubscriptionState
from app.domain.short_links import read_path
from app.services.controller import Controller, NotFound
from app.services.figures.roll_up import CLICKS
from app.services.rich_messages import stored
from app.services.short_links import TAGS, counting_for, notices_that_say
from app.storage.counters import add, insert_into
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastTarget,
    BroadcastTotal,
    ClickHour,
    ConsentEvent,
    Delivery,
    PersonClick,
    ShortLink,
    Subscriber,
    Subscription,
)


@dataclass(frozen=True)
class Opened:
    """A link that was opened: the target to the letter, and what is needed to count it."""

    url: str
    code: str
    broadcast_id: int
    subscriber_id: int | None


def find(path: str, *, controller: Controller) -> Opened:
    """Return the link behind `/l/`. Raises `NotFound` for what is no link of ours."""
    read = read_path(path, lambda body: controller.keys.tags(TAGS, body))
    row = db.session.get(ShortLink, read[0]) if read else None
    if read is None or row is None:
        raise NotFound("There is no such link.")
    return Opened(row.url, row.code, row.broadcast_id, read[1])


def count(opened: Opened, *, program: bool, controller: Controller, now: datetime) -> None:
    """Add one to the hour of the link: a person, or a `program` that only looked at it.

    Nothing is counted for lists that count no more. A person is noted only while they stand by the consent to the
    notice that says so (GDPR articles 6(1)(a), 7).
    """
    with transaction() as session:
        counting = counting_for(session, opened.broadcast_id)
        if counting is None:
            return
        _one_more(session, opened.code, now, program=program)
        if not program:
            add(session, BroadcastTotal, "people", {(opened.broadcast_id, CLICKS): 1})
        if counting.people and not program and opened.subscriber_id is not None:
            _note_person(session, opened, opened.subscriber_id, controller, now)


def _one_more(session: Session, code: str, now: datetime, *, program: bool) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    added = {"people": int(not program), "programs": int(program)}
    more = {name: getattr(ClickHour, name) + value for name, value in added.items()}
    insert = insert_into(session, ClickHour).values(code=code, hour=hour, **added)
    session.execute(insert.on_conflict_do_update(index_elements=["code", "hour"], set_=more))


def _note_person(
    session: Session, opened: Opened, subscriber_id: int, controller: Controller, now: datetime
) -> None:
    if not _stands_by_it(session, opened, subscriber_id, controller):
        return
    insert = insert_into(session, PersonClick).values(
        code=opened.code, subscriber_id=subscriber_id, first_at=now, last_at=now, times=1
    )
    more = {"last_at": now, "times": PersonClick.times + 1}
    session.execute(insert.on_conflict_do_update(index_elements=["code", "subscriber_id"], set_=more))


def _stands_by_it(session: Session, opened: Opened, subscriber_id: int, controller: Controller) -> bool:
    """Whether the link came on a consent to such a notice, and that consent is in force."""
    on_it = (
        select(ConsentEvent.list_id)
        .join(Delivery, Delivery.consent_seq == ConsentEvent.seq)
        .join(
            Subscription,
            (Subscription.list_id == ConsentEvent.list_id)
            & (Subscription.subscriber_id == Delivery.subscriber_id),
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Delivery.broadcast_id == opened.broadcast_id,
            Delivery.subscriber_id == subscriber_id,
            Delivery.inbound_id == 0,
            ConsentEvent.ledger == controller.ledger,
            ConsentEvent.notice_id.in_(_notices(session, opened.broadcast_id)),
            Subscription.state == SubscriptionState.ACTIVE.value,
            Subscriber.erased_at.is_(None),
        )
    )
    return bool(session.scalar(select(exists(on_it))))


def _notices(session: Session, broadcast_id: int) -> list[int]:
    lists = select(BroadcastTarget.list_id).where(BroadcastTarget.broadcast_id == broadcast_id)
    return notices_that_say(session, session.scalars(lists).all())


def clicks_of(broadcast_id: int) -> list[tuple[ShortLink, int, int]]:
    """Return each link of a broadcast with how often people opened it, and programs; the most opened first."""
    people, programs = (func.coalesce(func.sum(one), 0) for one in (ClickHour.people, ClickHour.programs))
    rows = db.session.execute(
        select(ShortLink, people, programs)
        .outerjoin(ClickHour, ClickHour.code == ShortLink.code)
        .where(ShortLink.broadcast_id == broadcast_id)
        .group_by(ShortLink.code)
        .order_by(people.desc(), ShortLink.code)
    )
    return [(link, int(opened), int(looked)) for link, opened, looked in rows]


def labels_of(broadcast_id: int) -> dict[str, list[str]]:
    """Return address -> labels of the buttons of a broadcast, on whichever channel, that lead there."""
    shown = (one for rich, _ in stored(db.session(), broadcast_id).values() for one in rich.buttons)
    found: dict[str, list[str]] = {}
    for link in (one for one in shown if one.kind is ButtonKind.LINK):
        labels = found.setdefault(link.value, [])
        if link.label not in labels:
            labels.append(link.label)
    return found
