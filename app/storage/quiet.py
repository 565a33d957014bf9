"""Groups of people who share their quiet hours: kept once each, found by key."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.storage.database import is_sqlite
from app.storage.models import QuietGroup, Subscriber

Ungrouped = tuple[int, str, str, dict[str, Any]]
_AT_ONCE = 1000


def group_ids(session: Session, keys: Collection[str]) -> dict[str, int]:
    """Return the id of each key's group; groups that are new are made."""
    found = _known(session, keys)
    missing = sorted(set(keys) - found.keys())
    if missing:
        dialect = sqlite if is_sqlite(session) else postgresql
        rows = [{"key": key} for key in missing]
        session.execute(dialect.insert(QuietGroup).values(rows).on_conflict_do_nothing())
        found |= _known(session, missing)
    return found


def groups(session: Session) -> dict[int, str]:
    """Return the key of every group; there are some hundred of them in the world."""
    return {key: value for key, value in session.execute(select(QuietGroup.id, QuietGroup.key))}


def ungrouped(session: Session, lo: int | None = None, hi: int | None = None) -> Sequence[Ungrouped]:
    """Return (id, channel, address, attributes) of people whom nobody has looked at yet: of a range of ids, or
    the first thousand of all."""
    query = (
        select(Subscriber.id, Subscriber.channel, Subscriber.address, Subscriber.attributes)
        .where(Subscriber.quiet_group_id.is_(None))
        .order_by(Subscriber.id)
    )
    within = query.limit(1000) if lo is None else query.where(Subscriber.id.between(lo, hi))
    return [(one, channel, address, more) for one, channel, address, more in session.execute(within)]


def put_into_groups(session: Session, group_by_subscriber: Mapping[int, int]) -> None:
    """Write the groups of many people, with few statements: those of a group together."""
    members: dict[int, list[int]] = {}
    for one, group in sorted(group_by_subscriber.items()):
        members.setdefault(group, []).append(one)
    for group, ids in members.items():
        for start in range(0, len(ids), _AT_ONCE):
            session.execute(
                update(Subscriber)
                .where(Subscriber.id.in_(ids[start : start + _AT_ONCE]))
                .values(quiet_group_id=group),
                execution_options={"synchronize_session": False},
            )


def _known(session: Session, keys: Collection[str]) -> dict[str, int]:
    rows = session.execute(select(QuietGroup.key, QuietGroup.id).where(QuietGroup.key.in_(keys)))
    return {key: value for key, value in rows}
