"""Counts of a broadcast's deliveries, kept by the database itself while the deliveries change."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = "broadcast_id, status, reason, error_code"

# One trigger call for each statement, however many rows it wrote. Each connection counts in rows of its own
# (`shard`), so that no two transactions ever wait for each other here.
_POSTGRES = (
    """
CREATE FUNCTION count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO delivery_tally AS t (broadcast_id, status, reason, error_code, shard, people)
    SELECT broadcast_id, status, coalesce(reason, ''), coalesce(error_code, ''), pg_backend_pid(), count(*)
    FROM after_it WHERE inbound_id = 0 AND status <> 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (broadcast_id, status, reason, error_code, shard) DO UPDATE SET people = t.people + excluded.people;
  ELSE
    INSERT INTO delivery_tally AS t (broadcast_id, status, reason, error_code, shard, people)
    SELECT broadcast_id, status, reason, error_code, pg_backend_pid(), sum(n) FROM (
      SELECT broadcast_id, status, coalesce(reason, '') AS reason, coalesce(error_code, '') AS error_code, 1 AS n
      FROM after_it WHERE inbound_id = 0 AND status <> 0
      UNION ALL
      SELECT broadcast_id, status, coalesce(reason, ''), coalesce(error_code, ''), -1
      FROM before_it WHERE inbound_id = 0 AND status <> 0
    ) AS moved GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 ORDER BY 1, 2, 3, 4
    ON CONFLICT (broadcast_id, status, reason, error_code, shard) DO UPDATE SET people = t.people + excluded.people;
  END IF;
  RETURN NULL;
END $$
""",
    (
        "CREATE TRIGGER delivery_counted_in AFTER INSERT ON delivery REFERENCING NEW TABLE AS after_it "
        "FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries()"
    ),
    (
        "CREATE TRIGGER delivery_counted_on AFTER UPDATE ON delivery "
        "REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it "
        "FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries()"
    ),
)


def _sqlite_count(row: str, people: int) -> str:
    return (
        f"INSERT INTO delivery_tally ({_KEY}, shard, people) "  # noqa: S608  # nothing here comes from outside
        f"SELECT {row}.broadcast_id, {row}.status, coalesce({row}.reason, ''), coalesce({row}.error_code, ''), 0, "
        f"{people} WHERE {row}.inbound_id = 0 AND {row}.status <> 0 "
        f"ON CONFLICT ({_KEY}, shard) DO UPDATE SET people = people + excluded.people;"
    )


_ANYTHING_ELSE = (
    "old.status <> new.status OR old.reason IS NOT new.reason OR old.error_code IS NOT new.error_code"
)
_SQLITE = (
    (
        f"CREATE TRIGGER delivery_counted_in AFTER INSERT ON delivery WHEN new.status <> 0 "
        f"BEGIN {_sqlite_count('new', 1)} END"
    ),
    (
        f"CREATE TRIGGER delivery_counted_on AFTER UPDATE OF status, reason, error_code ON delivery "
        f"WHEN {_ANYTHING_ELSE} BEGIN {_sqlite_count('old', -1)} {_sqlite_count('new', 1)} END"
    ),
)


def upgrade() -> None:
    op.create_table(
        "delivery_tally",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("error_code", sa.String(length=20), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "broadcast_id", "status", "reason", "error_code", "shard", name=op.f("pk_delivery_tally")
        ),
    )
    op.execute(
        f"INSERT INTO delivery_tally ({_KEY}, shard, people) "  # noqa: S608  # as above
        "SELECT broadcast_id, status, coalesce(reason, ''), coalesce(error_code, ''), 0, count(*) "
        "FROM delivery WHERE inbound_id = 0 AND status <> 0 GROUP BY 1, 2, 3, 4"
    )
    for statement in _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for name in ("delivery_counted_in", "delivery_counted_on"):
        op.execute(f"DROP TRIGGER {name} ON delivery" if postgres else f"DROP TRIGGER {name}")
    if postgres:
        op.execute("DROP FUNCTION count_deliveries()")
    op.drop_table("delivery_tally")
