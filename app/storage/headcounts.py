"""How many are on a list, and what the gate says of them: counts that the database keeps, and those kept few."""

from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from app.domain.consent import SubscriptionState
from app.storage import counters
from app.storage.models import Headcount, Subscriber, Subscription

FOLD_ABOVE = 200
_KEY = (
    Headcount.list_id,
    Headcount.channel,
    Headcount.quiet_group_id,
    Headcount.language,
    Headcount.answer,
)
_ACTIVE = SubscriptionState.ACTIVE.value
_DROP = delete(Headcount.__table__).where(  # type: ignore[arg-type]  # a mapped class's table: FromClause
    *(column == bindparam(f"k_{column.key}") for column in (*_KEY, Headcount.shard))
)


def by_list(session: Session) -> dict[int, int]:
    """Count the active subscribers of every list that has any."""
    people = func.sum(Headcount.people)
    rows = session.execute(select(Headcount.list_id, people).group_by(Headcount.list_id).having(people != 0))
    return {list_id: int(count) for list_id, count in rows}


def open_on_any(session: Session, list_ids: Iterable[int]) -> int:
    """Count who is active on at least one of these lists, each once, with no overlay.

    Only the people of the smaller lists are read.
    """
    first, *others = largest_first(session, list_ids) or (0,)
    kept = select(func.sum(Headcount.people)).where(Headcount.list_id == first, Headcount.answer == "")
    found = int(session.scalar(kept) or 0)
    if not others:
        return found
    overlays = (
        Subscriber.blocked_at,
        Subscriber.bounced_at,
        Subscriber.suppressed_at,
        Subscriber.review_opened_at,
        Subscriber.erased_at,
    )
    more = (
        select(func.count(Subscription.subscriber_id.distinct()))
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Subscription.list_id.in_(others),
            Subscription.state == _ACTIVE,
            *(one.is_(None) for one in overlays),
            on_none_of([first]),
        )
    )
    return found + (session.scalar(more) or 0)


def answers_on(session: Session, list_id: int) -> Counter[tuple[str | None, str, int | None]]:
    """Count a list's active subscribers by the gate's answer, None for "send", by channel and by quiet group."""
    key = (Headcount.answer, Headcount.channel, Headcount.quiet_group_id)
    people = func.sum(Headcount.people)
    rows = session.execute(
        select(*key, people).where(Headcount.list_id == list_id).group_by(*key).having(people != 0)
    )
    return Counter({(answer or None, channel, group or None): int(n) for answer, channel, group, n in rows})


def largest_first(session: Session, list_ids: Iterable[int]) -> list[int]:
    """Return these lists, each once, the one with the most people first."""
    counts = by_list(session)
    return sorted(set(list_ids), key=lambda one: (-counts.get(one, 0), one))


def on_none_of(list_ids: Collection[int]) -> ColumnElement[bool]:
    """SQL for whether the joined `Subscriber` is active on none of these lists."""
    there = aliased(Subscription)
    theirs = (there.subscriber_id == Subscriber.id, there.list_id.in_(list_ids), there.state == _ACTIVE)
    return ~exists().where(*theirs).correlate(Subscriber)


def fold(session: Session, above: int = FOLD_ABOVE) -> int:
    """Sum up the shards of lists that have more than `above` rows; returns how many rows went.

    Each connection counts in rows of its own, and connections come and go. Rows that somebody is writing are left
    alone: nobody waits for this, and it waits for nobody.
    """
    many = session.scalars(
        select(Headcount.list_id)
        .where(Headcount.shard != 0)
        .group_by(Headcount.list_id)
        .having(func.count() > above)
    ).all()
    return sum(_fold(session, list_id) for list_id in many)


def _fold(session: Session, list_id: int) -> int:
    rows = session.execute(
        select(*_KEY, Headcount.shard, Headcount.people)
        .where(Headcount.list_id == list_id, Headcount.shard != 0)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:  # another clock is at them
        return 0
    sums: Counter[tuple[object, ...]] = Counter()
    for *key, _, people in rows:
        sums[(*key, 0)] += people
    names = [f"k_{column.key}" for column in (*_KEY, Headcount.shard)]
    session.connection().execute(_DROP, [dict(zip(names, row[:6], strict=True)) for row in rows])
    counters.add(session, Headcount, "people", sums)
    return len(rows)
