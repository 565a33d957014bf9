"""Pages of people, newest first, among millions.

Whoever is searched for by number, by town, or by what forbids any message is found by an index of its own. Any other
filter may be true of nobody for a million ids: then a page looks through stretches of them, ends after so many, and
says how far it came.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, exists, func, literal_column, select
from sqlalchemy.orm import Session, aliased

from app.domain.segments import spellings
from app.storage.database import serves_several
from app.storage.models import ConsentEvent, Subscriber, Subscription
from app.storage.models.people import PLACE
from app.storage.segments import has_tag

STRETCH: Final = 20_000
MOST_IDS: Final = 200_000
MOST_TAGGED: Final = 20_000
"""The same where each person's entry of the ledger is looked up, which takes up to ten times as long."""
_TAIL: Final = 4


class Found(NamedTuple):
    """People, newest first. `before` is the id below which the next page looks; None: nobody is left to look at."""

    people: Sequence[Subscriber]
    before: int | None


def tail_is(digits: str) -> ColumnElement[bool]:
    """Whether an address ends in the last four of these characters: written as `ix_subscriber_tail` has it."""
    start = func.length(Subscriber.address) - literal_column(str(_TAIL - 1))
    return func.substr(Subscriber.address, start) == digits[-_TAIL:]


def lives_in(place: str) -> ColumnElement[bool]:
    """Whether somebody is in a town; NULL for those of whom nobody said it (`ix_subscriber_place`)."""
    if serves_several():
        town = Subscriber.attributes[PLACE].as_string()
    else:  # its index answers only where the path stands in the statement, and is no value beside it
        town = func.json_extract(Subscriber.attributes, literal_column(f"'$.{PLACE}'"))
    there: ColumnElement[bool] = town.in_(spellings(place))
    return there


def stands(state: str | None, list_id: int | None) -> ColumnElement[bool]:
    """Whether somebody has a subscription in this state (None: any), to this list (None: any)."""
    row = aliased(Subscription)
    conditions = [row.state == state] if state is not None else []
    conditions += [row.list_id == list_id] if list_id is not None else []
    return exists().where(row.subscriber_id == Subscriber.id, *conditions)


def came_by(tag: str, list_id: int | None) -> ColumnElement[bool]:
    """Whether the consent that counts now, to this list or to any, came by a link with this tag."""
    row = aliased(Subscription)
    conditions = [row.list_id == list_id] if list_id is not None else []
    return exists().where(
        row.subscriber_id == Subscriber.id,
        ConsentEvent.subject_ref == Subscriber.subject_ref,
        ConsentEvent.seq == row.granted_seq,
        has_tag(tag),
        *conditions,
    )


def page(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    *,
    before: int | None,
    limit: int,
    most: int,
) -> Found:
    """Return people for whom all is true, at most `limit`, with ids below `before`; it looks at `most` ids, about."""
    highest = session.scalar(select(func.max(Subscriber.id))) or 0
    top = highest + 1 if before is None else min(before, highest + 1)
    people: list[Subscriber] = []
    end = top - most
    while top > max(1, end) and len(people) < limit:
        low = max(1, top - STRETCH)
        people += _between(session, conditions, low, top, limit - len(people))
        top = low
    if len(people) == limit:
        top = people[-1].id
    return Found(people, top if top > 1 else None)


def page_by_index(
    session: Session,
    indexed: ColumnElement[bool],
    conditions: Sequence[ColumnElement[bool]],
    *,
    before: int | None,
    limit: int,
) -> Found:
    """Do what `page` does, with everybody looked at of whom `indexed` is true, for which there is an index.

    These are found first: else a planner may walk through everybody from the newest on, hoping to meet some soon.
    """
    below = [] if before is None else [Subscriber.id < before]
    hits = select(Subscriber.id).where(indexed, *below).cte("hits")
    hits = hits.prefix_with("MATERIALIZED", dialect="postgresql")
    rows = select(Subscriber).join(hits, hits.c.id == Subscriber.id)
    chosen = rows.where(Subscriber.erased_at.is_(None), *conditions).order_by(Subscriber.id.desc())
    people = session.scalars(chosen.limit(limit + 1)).all()
    return Found(people[:limit], people[limit - 1].id if len(people) > limit else None)


def _between(
    session: Session, conditions: Sequence[ColumnElement[bool]], low: int, top: int, limit: int
) -> Sequence[Subscriber]:
    rows = select(Subscriber).where(
        Subscriber.id >= low, Subscriber.id < top, Subscriber.erased_at.is_(None), *conditions
    )
    return session.scalars(rows.order_by(Subscriber.id.desc()).limit(limit)).all()
