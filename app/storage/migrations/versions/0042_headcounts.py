"""Counts of a list's people, kept by the database itself while subscriptions and subscribers change."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = "list_id, channel, quiet_group_id, language, answer"
_MORE = "DO UPDATE SET people = t.people + excluded.people"
_OVERLAYS = ("erased_at", "suppressed_at", "blocked_at", "bounced_at", "review_opened_at")
_LOOKED_AT = ("channel", "language", "quiet_group_id", *_OVERLAYS)


def _key(person: str, subscription: str) -> str:
    """SQL for what a subscription is counted under; the answers come in the order of the gate (app/storage/gate.py)."""
    return (
        f"{subscription}.list_id, {person}.channel, coalesce({person}.quiet_group_id, 0), {person}.language, "
        f"CASE WHEN {subscription}.granted_seq IS NULL THEN 'other_purpose' "
        f"WHEN {person}.erased_at IS NOT NULL THEN 'erased' "
        f"WHEN {person}.suppressed_at IS NOT NULL THEN 'suppressed' "
        f"WHEN {person}.blocked_at IS NOT NULL THEN 'blocked' "
        f"WHEN {person}.bounced_at IS NOT NULL THEN 'bounced' "
        f"WHEN {person}.review_opened_at IS NOT NULL THEN 'held_for_review' ELSE '' END"
    )


def _seen(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in _LOOKED_AT)


# One call for each statement, however many rows it wrote; each connection counts in rows of its own (`shard`).
# A subscription is counted by what its subscriber is like, so whoever writes one holds its subscriber still until the
# end of the transaction: otherwise each of two writers could miss what the other is doing.
_MOVED = """
  SELECT list_id, subscriber_id, granted_seq, sum(n) AS n FROM (
    SELECT list_id, subscriber_id, CASE WHEN granted_seq IS NOT NULL THEN 1 END AS granted_seq, n
    FROM ({rows}) AS each_row
  ) AS marked GROUP BY 1, 2, 3 HAVING sum(n) <> 0
"""
_AFTER = "SELECT list_id, subscriber_id, granted_seq, 1 AS n FROM after_it WHERE state = 'active'"
_BEFORE = "SELECT list_id, subscriber_id, granted_seq, -1 AS n FROM before_it WHERE state = 'active'"


def _count_moved(rows: str) -> str:
    moved = _MOVED.format(rows=rows)
    return (
        "PERFORM 1 FROM subscriber WHERE id IN (SELECT subscriber_id FROM (" + moved + ") AS moved) "  # noqa: S608
        "ORDER BY id FOR SHARE; "
        f"INSERT INTO headcount AS t ({_KEY}, shard, people) "
        f"SELECT {_key('s', 'm')}, pg_backend_pid(), sum(m.n) FROM (" + moved + ") AS m "
        "JOIN subscriber s ON s.id = m.subscriber_id GROUP BY 1, 2, 3, 4, 5 HAVING sum(m.n) <> 0 "
        f"ORDER BY 1, 2, 3, 4, 5 ON CONFLICT ({_KEY}, shard) {_MORE};"
    )


_POSTGRES_SUBSCRIPTIONS = f"""
CREATE FUNCTION count_subscriptions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN {_count_moved(_AFTER)}
  ELSIF TG_OP = 'DELETE' THEN {_count_moved(_BEFORE)}
  ELSE {_count_moved(f"{_AFTER} UNION ALL {_BEFORE}")}
  END IF;
  RETURN NULL;
END $$
"""
_POSTGRES_SUBSCRIBERS = f"""
CREATE FUNCTION count_subscribers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO headcount AS t ({_KEY}, shard, people)
  SELECT {_key("s", "m")}, pg_backend_pid(), sum(s.n) FROM (
    SELECT a.id, {_seen("a")}, 1 AS n FROM after_it a JOIN before_it b ON b.id = a.id
    WHERE ({_seen("a")}) IS DISTINCT FROM ({_seen("b")})
    UNION ALL
    SELECT b.id, {_seen("b")}, -1 FROM before_it b JOIN after_it a ON a.id = b.id
    WHERE ({_seen("a")}) IS DISTINCT FROM ({_seen("b")})
  ) AS s JOIN subscription m ON m.subscriber_id = s.id AND m.state = 'active'
  GROUP BY 1, 2, 3, 4, 5 HAVING sum(s.n) <> 0 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT ({_KEY}, shard) {_MORE};
  RETURN NULL;
END $$
"""  # noqa: S608  # nothing here comes from outside
_BOTH = "REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it"
_TRIGGERS = (
    (
        "subscription_counted_in",
        "INSERT",
        "subscription",
        "REFERENCING NEW TABLE AS after_it",
        "count_subscriptions",
    ),
    ("subscription_counted_on", "UPDATE", "subscription", _BOTH, "count_subscriptions"),
    (
        "subscription_counted_out",
        "DELETE",
        "subscription",
        "REFERENCING OLD TABLE AS before_it",
        "count_subscriptions",
    ),
    ("subscriber_counted_on", "UPDATE", "subscriber", _BOTH, "count_subscribers"),
)
_POSTGRES = (
    _POSTGRES_SUBSCRIPTIONS,
    _POSTGRES_SUBSCRIBERS,
    *(
        f"CREATE TRIGGER {name} AFTER {act} ON {table} {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        for name, act, table, rows, function in _TRIGGERS
    ),
)


def _sqlite_count(person: str, subscription: str, people: int) -> str:
    """Count one row; `s` and `m` stand for the rows of the tables, `old` and `new` for those of the trigger."""
    source = (
        f"subscriber s WHERE s.id = {subscription}.subscriber_id AND {subscription}.state = 'active'"
        if person == "s"
        else f"subscription m WHERE m.subscriber_id = {person}.id AND m.state = 'active'"
    )
    return (
        f"INSERT INTO headcount ({_KEY}, shard, people) "  # noqa: S608  # nothing here comes from outside
        f"SELECT {_key(person, subscription)}, 0, {people} FROM {source} ON CONFLICT ({_KEY}, shard) "
        "DO UPDATE SET people = people + excluded.people;"
    )


def _sqlite() -> Iterator[str]:
    yield (
        "CREATE TRIGGER subscription_counted_in AFTER INSERT ON subscription WHEN new.state = 'active' "
        f"BEGIN {_sqlite_count('s', 'new', 1)} END"
    )
    yield (
        "CREATE TRIGGER subscription_counted_on AFTER UPDATE OF list_id, subscriber_id, state, granted_seq "
        "ON subscription WHEN old.list_id <> new.list_id OR old.subscriber_id <> new.subscriber_id "
        "OR old.state <> new.state OR (old.granted_seq IS NULL) <> (new.granted_seq IS NULL) "
        f"BEGIN {_sqlite_count('s', 'old', -1)} {_sqlite_count('s', 'new', 1)} END"
    )
    yield (
        "CREATE TRIGGER subscription_counted_out AFTER DELETE ON subscription WHEN old.state = 'active' "
        f"BEGIN {_sqlite_count('s', 'old', -1)} END"
    )
    changed = " OR ".join(f"old.{name} IS NOT new.{name}" for name in _LOOKED_AT)
    yield (
        f"CREATE TRIGGER subscriber_counted_on AFTER UPDATE OF {', '.join(_LOOKED_AT)} ON subscriber WHEN {changed} "
        f"BEGIN {_sqlite_count('old', 'm', -1)} {_sqlite_count('new', 'm', 1)} END"
    )


def upgrade() -> None:
    op.create_table(
        "headcount",
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("quiet_group_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("answer", sa.String(length=30), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "list_id", "channel", "quiet_group_id", "language", "answer", "shard", name=op.f("pk_headcount")
        ),
    )
    op.execute(
        f"INSERT INTO headcount ({_KEY}, shard, people) "  # noqa: S608  # as above
        f"SELECT {_key('s', 'm')}, 0, count(*) FROM subscription m JOIN subscriber s ON s.id = m.subscriber_id "
        "WHERE m.state = 'active' GROUP BY 1, 2, 3, 4, 5"
    )
    for statement in _POSTGRES if op.get_bind().dialect.name == "postgresql" else _sqlite():
        op.execute(statement)


def downgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for name, _, table, _, _ in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}" if postgres else f"DROP TRIGGER {name}")
    if postgres:
        op.execute("DROP FUNCTION count_subscriptions()")
        op.execute("DROP FUNCTION count_subscribers()")
    op.drop_table("headcount")
