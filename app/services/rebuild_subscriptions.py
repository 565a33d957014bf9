"""Recompute every subscription from the ledger and repair those that differ: a projection may be thrown away."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.domain.consent import EventType, Fact, Standing, fold
from app.services.controller import Controller
from app.services.record_consent import standing_of
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ConsentEvent, Subscriber, Subscription

BATCH: Final = 500

_DECIDING: Final = (
    EventType.CONSENT_GIVEN.value,
    EventType.CONSENT_WITHDRAWN.value,
    EventType.CONSENT_REVOKED.value,
)

_Key = tuple[int, int]
_Page = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Rebuilt:
    """How many people and subscriptions were looked at, and how many subscriptions were not what the ledger says."""

    subscribers: int
    subscriptions: int
    differing: int
    repaired: bool


def rebuild(
    *,
    controller: Controller,
    repair: bool = True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rebuilt:
    """Fold each person's entries anew and compare; with `repair` the subscriptions are made to agree.

    Works beside running sends, 500 people in one transaction under the ledger's lock. A subscription that no
    entry accounts for is removed. Running it twice repairs nothing the second time.
    """
    total = db.session().scalar(select(func.count()).select_from(Subscriber)) or 0
    db.session().rollback()
    done = subscriptions = differing = after = 0
    while True:
        with transaction() as session:
            lock_head(session, controller.ledger)
            page = _people(session, after)
            if not page:
                return Rebuilt(done, subscriptions, differing, repair)
            right = _standings(session, page)
            subscriptions += len(right)
            differing += _compare(session, page, right, repair=repair)
        done, after = done + len(page), page[-1][0]
        on_progress(done, max(done, total))


def _people(session: Session, after: int) -> _Page:
    rows = session.execute(
        select(Subscriber.id, Subscriber.subject_ref)
        .where(Subscriber.id > after)
        .order_by(Subscriber.id)
        .limit(BATCH)
    )
    return [(row.id, row.subject_ref) for row in rows]


def _standings(session: Session, page: _Page) -> dict[_Key, Standing]:
    list_ids = session.scalars(select(BroadcastList.id)).all()
    subscriber_ids = {ref: subscriber_id for subscriber_id, ref in page}
    rows = session.execute(
        select(
            ConsentEvent.subject_ref,
            ConsentEvent.seq,
            ConsentEvent.event_type,
            ConsentEvent.occurred_at,
            ConsentEvent.list_id,
        )
        .where(ConsentEvent.subject_ref.in_(subscriber_ids), ConsentEvent.event_type.in_(_DECIDING))
        .order_by(ConsentEvent.subject_ref, ConsentEvent.seq)
    )
    return {
        (subscriber_ids[ref], list_id): standing
        for ref, entries in groupby(rows, key=lambda row: row.subject_ref)
        for list_id, standing in fold(map(_fact, entries), list_ids).items()
    }


def _fact(row: Row[str, int, str, str, int | None]) -> Fact:
    return Fact(row.seq, EventType(row.event_type), datetime.fromisoformat(row.occurred_at), row.list_id)


def _compare(session: Session, page: _Page, right: dict[_Key, Standing], *, repair: bool) -> int:
    found = {
        (row.subscriber_id, row.list_id): row
        for row in session.scalars(
            select(Subscription)
            .where(Subscription.subscriber_id.in_([subscriber_id for subscriber_id, _ in page]))
            .with_for_update()
        )
    }
    wrong = _differing(found, right)
    if repair:
        for key in wrong:
            _repair(session, found.get(key), key, right.get(key))
    return len(wrong)


def _differing(found: dict[_Key, Subscription], right: dict[_Key, Standing]) -> list[_Key]:
    keys: Iterable[_Key] = found.keys() | right.keys()
    return [key for key in keys if standing_of(found.get(key)) != right.get(key, Standing())]


def _repair(session: Session, row: Subscription | None, key: _Key, standing: Standing | None) -> None:
    if standing is None:
        session.delete(row)
        return
    if row is None:
        row = Subscription(subscriber_id=key[0], list_id=key[1])
        session.add(row)
    row.state = standing.state.value
    row.granted_seq, row.granted_at = standing.granted_seq, standing.granted_at
    row.stopped_seq, row.stopped_at = standing.stopped_seq, standing.stopped_at
