"""Recompute subscriptions and overlays from the ledger and repair what differs: a projection may be thrown away."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.domain.consent import BLOCKING, Act, EventType, Fact, Overlays, Standing, fold_person
from app.services.controller import Controller
from app.services.project_consent import overlays_of, standing_of, write_overlays, write_standing
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ConsentEvent, Subscriber, Subscription, Suppression

BATCH: Final = 500

# Entries that decide nothing, and of which there may be many: they need not be read.
_SILENT: Final = (EventType.NOTICE_SHOWN.value, EventType.IMPORT_REJECTED.value)

_Key = tuple[int, int]
_Page = Sequence[Subscriber]


class _Right(NamedTuple):
    """What the ledger says of a page of people: overlays by subscriber, standings by subscriber and list."""

    overlays: dict[int, Overlays]
    standings: dict[_Key, Standing]


@dataclass(frozen=True)
class Rebuilt:
    """How many people and subscriptions were looked at, and how many of both were not what the ledger says."""

    subscribers: int
    subscriptions: int
    differing: int
    repaired: bool


def rebuild(
    *,
    controller: Controller,
    now: datetime,
    repair: bool = True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rebuilt:
    """Fold each person's entries anew and compare; with `repair` subscriptions and overlays are made to agree.

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
            right = _right(session, page, controller)
            subscriptions += len(right.standings)
            differing += _compare_overlays(page, right.overlays, repair=repair)
            differing += _compare(session, page, right.standings, now, repair=repair)
            done, after = done + len(page), page[-1].id
        on_progress(done, max(done, total))


def _people(session: Session, after: int) -> _Page:
    rows = select(Subscriber).where(Subscriber.id > after).order_by(Subscriber.id).limit(BATCH)
    return session.scalars(rows).all()


def _right(session: Session, page: _Page, controller: Controller) -> _Right:
    list_ids = session.scalars(select(BroadcastList.id)).all()
    ids = {person.subject_ref: person.id for person in page}
    right = _Right({person.id: Overlays() for person in page}, {})
    rows = session.execute(
        select(
            ConsentEvent.subject_ref,
            ConsentEvent.seq,
            ConsentEvent.event_type,
            ConsentEvent.occurred_at,
            ConsentEvent.list_id,
            ConsentEvent.act,
            ConsentEvent.stale_at,
            ConsentEvent.reply_skipped_reason,
        )
        .where(ConsentEvent.subject_ref.in_(ids), ConsentEvent.event_type.not_in(_SILENT))
        .order_by(ConsentEvent.subject_ref, ConsentEvent.seq)
    )
    for ref, entries in groupby(rows, key=lambda row: row.subject_ref):
        right.overlays[ids[ref]], standings = fold_person(map(fact_of, entries), list_ids)
        right.standings.update({(ids[ref], list_id): one for list_id, one in standings.items()})
    _keep_suppressed(session, page, right.overlays, controller)
    return right


def fact_of(row: Row[str, int, str, str, int | None, str | None, str | None, str | None]) -> Fact:
    """Return an entry of the ledger, of which these columns were read, as what decides the state."""
    return Fact(
        row.seq,
        EventType(row.event_type),
        datetime.fromisoformat(row.occurred_at),
        row.list_id,
        act=Act(row.act) if row.act else None,
        until=datetime.fromisoformat(row.stale_at) if row.stale_at else None,
        blocks=row.reply_skipped_reason in BLOCKING,
    )


def _keep_suppressed(
    session: Session, page: _Page, overlays: dict[int, Overlays], controller: Controller
) -> None:
    """The suppression list is an authority of its own: version 0.1 put people on it without a ledger entry."""
    hmacs = {
        hmac: person
        for person in page
        if person.suppressed_at is not None and overlays[person.id].suppressed_at is None
        for hmac in controller.keys.suppress_hmacs(person.channel, person.address).values()
    }
    listed = select(Suppression.hmac).where(Suppression.hmac.in_(hmacs), Suppression.lifted_at.is_(None))
    for hmac in session.scalars(listed):
        person = hmacs[hmac]
        overlays[person.id] = replace(overlays[person.id], suppressed_at=person.suppressed_at)


def _compare_overlays(page: _Page, right: dict[int, Overlays], *, repair: bool) -> int:
    wrong = [person for person in page if overlays_of(person) != right[person.id]]
    if repair:
        for person in wrong:
            write_overlays(person, right[person.id])
    return len(wrong)


def _compare(
    session: Session, page: _Page, right: dict[_Key, Standing], now: datetime, *, repair: bool
) -> int:
    found = {
        (row.subscriber_id, row.list_id): row
        for row in session.scalars(
            select(Subscription)
            .where(Subscription.subscriber_id.in_([person.id for person in page]))
            .with_for_update()
        )
    }
    wrong = _differing(found, right)
    if repair:
        for key in wrong:
            _repair(session, found.get(key), key, right.get(key), now)
    return len(wrong)


def _differing(found: dict[_Key, Subscription], right: dict[_Key, Standing]) -> list[_Key]:
    keys: Iterable[_Key] = found.keys() | right.keys()
    return [key for key in keys if standing_of(found.get(key)) != right.get(key, Standing())]


def _repair(
    session: Session, row: Subscription | None, key: _Key, standing: Standing | None, now: datetime
) -> None:
    if standing is None:
        session.delete(row)
        return
    if row is None:
        row = Subscription(subscriber_id=key[0], list_id=key[1])
        session.add(row)
    write_standing(row, standing, now)
