"""Where a broadcast's deliveries stand, read from the counts that the database keeps, and those counts kept few."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.storage.database import is_sqlite
from app.storage.models import Broadcast, DeliveryTally

FOLD_ABOVE = 200
# What was over so long ago gets few receipts; then its rows are read by reports, and each is one too many.
RESTS_AFTER = timedelta(days=1)
_AT_REST = 50
_NAMES = ("broadcast_id", "status", "reason", "error_code", "sender_id")
_KEY = (
    DeliveryTally.broadcast_id,
    DeliveryTally.status,
    DeliveryTally.reason,
    DeliveryTally.error_code,
    DeliveryTally.sender_id,
)

_DROP = delete(DeliveryTally.__table__).where(  # type: ignore[arg-type]  # a mapped class's table: FromClause
    DeliveryTally.broadcast_id == bindparam("k_broadcast"),
    DeliveryTally.status == bindparam("k_status"),
    DeliveryTally.reason == bindparam("k_reason"),
    DeliveryTally.error_code == bindparam("k_code"),
    DeliveryTally.sender_id == bindparam("k_sender"),
    DeliveryTally.shard == bindparam("k_shard"),
)


def counts(session: Session, broadcast_id: int) -> Sequence[tuple[int, str, str, int]]:
    """Return status, reason ("" for none), provider's code ("") and people, for each that has any."""
    people = func.sum(DeliveryTally.people)
    rows = session.execute(
        select(DeliveryTally.status, DeliveryTally.reason, DeliveryTally.error_code, people)
        .where(DeliveryTally.broadcast_id == broadcast_id)
        .group_by(DeliveryTally.status, DeliveryTally.reason, DeliveryTally.error_code)
        .having(people != 0)
    )
    return [(status, reason, code, int(count)) for status, reason, code, count in rows]


def fold_resting(session: Session, now: datetime) -> int:
    """Sum up the shards of some broadcasts that ended more than a day ago; returns how many rows went."""
    ended = Broadcast.finished_at < now - RESTS_AFTER
    some = session.scalars(
        select(DeliveryTally.broadcast_id)
        .join(Broadcast, Broadcast.id == DeliveryTally.broadcast_id)
        .where(DeliveryTally.shard != 0, ended)
        .distinct()
        .limit(_AT_REST)
    ).all()
    return sum(_fold(session, broadcast_id) for broadcast_id in some)


def fold(session: Session, above: int = FOLD_ABOVE) -> int:
    """Sum up the shards of broadcasts that have more than `above` rows; returns how many rows went.

    Each drain is a new connection, so a slow broadcast gathers rows. Rows that somebody is writing are left alone:
    nobody waits for this, and it waits for nobody.
    """
    many = session.scalars(
        select(DeliveryTally.broadcast_id)
        .where(DeliveryTally.shard != 0)
        .group_by(DeliveryTally.broadcast_id)
        .having(func.count() > above)
    ).all()
    return sum(_fold(session, broadcast_id) for broadcast_id in many)


def _fold(session: Session, broadcast_id: int) -> int:
    rows = session.execute(
        select(*_KEY, DeliveryTally.shard, DeliveryTally.people)
        .where(DeliveryTally.broadcast_id == broadcast_id, DeliveryTally.shard != 0)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:  # another clock is at them
        return 0
    sums: Counter[tuple[int, int, str, str, int]] = Counter()
    for broadcast, status, reason, code, sender, _, people in rows:
        sums[broadcast, status, reason, code, sender] += people
    names = ("k_broadcast", "k_status", "k_reason", "k_code", "k_sender", "k_shard")
    session.connection().execute(_DROP, [dict(zip(names, row[:6], strict=True)) for row in rows])
    written = [
        dict(zip(_NAMES, key, strict=True)) | {"shard": 0, "people": n} for key, n in sorted(sums.items())
    ]
    dialect = sqlite if is_sqlite(session) else postgresql
    upsert = dialect.insert(DeliveryTally)
    more = {"people": DeliveryTally.people + upsert.excluded.people}
    session.execute(upsert.on_conflict_do_update(index_elements=[*_NAMES, "shard"], set_=more), written)
    return len(rows)
