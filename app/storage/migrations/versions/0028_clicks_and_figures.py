"""Short links and their clicks, figures for the reports, and counts of deliveries by sender."""

import sqlalchemy as sa
from alembic import context, op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_COLUMNS = (
    ("sender", "price_micros"),
    ("sender", "currency"),
    ("broadcast_list", "clicks"),
    ("broadcast_list", "links_begin"),
)
_COUNTED = "broadcast_id, status, reason, error_code"
_KEY = f"{_COUNTED}, sender_id"


def _sender_of(row: str) -> str:
    """The sender of a delivery's slice: one look into a primary key."""
    return (
        f"coalesce((SELECT s.sender_id FROM slice s WHERE s.broadcast_id = {row}.broadcast_id "  # noqa: S608  # constants
        f"AND s.seq = {row}.slice), 0)"
    )


# As in migration 0015: one call for each statement, and a row of its own for each connection. What a statement moved
# is summed up by slice first, so that slices are looked up and not deliveries.
_POSTGRES = f"""
CREATE OR REPLACE FUNCTION count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO delivery_tally AS t ({_KEY}, shard, people)
    SELECT broadcast_id, status, reason, error_code, {_sender_of("m")} AS sender_id, pg_backend_pid(), sum(n)
    FROM (
      SELECT broadcast_id, slice, status, coalesce(reason, '') AS reason, coalesce(error_code, '') AS error_code,
        count(*) AS n
      FROM after_it WHERE inbound_id = 0 AND status <> 0 GROUP BY 1, 2, 3, 4, 5
    ) AS m GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT ({_KEY}, shard) DO UPDATE SET people = t.people + excluded.people;
  ELSE
    INSERT INTO delivery_tally AS t ({_KEY}, shard, people)
    SELECT broadcast_id, status, reason, error_code, {_sender_of("m")} AS sender_id, pg_backend_pid(), sum(n)
    FROM (
      SELECT broadcast_id, slice, status, reason, error_code, sum(n) AS n FROM (
        SELECT broadcast_id, slice, status, coalesce(reason, '') AS reason, coalesce(error_code, '') AS error_code,
          1 AS n
        FROM after_it WHERE inbound_id = 0 AND status <> 0
        UNION ALL
        SELECT broadcast_id, slice, status, coalesce(reason, ''), coalesce(error_code, ''), -1
        FROM before_it WHERE inbound_id = 0 AND status <> 0
      ) AS moved GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0
    ) AS m GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT ({_KEY}, shard) DO UPDATE SET people = t.people + excluded.people;
  END IF;
  RETURN NULL;
END $$
"""  # noqa: S608  # as above

_ANYTHING_ELSE = (
    "old.status <> new.status OR old.reason IS NOT new.reason OR old.error_code IS NOT new.error_code"
)


def _sqlite_count(row: str, people: int) -> str:
    return (
        f"INSERT INTO delivery_tally ({_KEY}, shard, people) "  # noqa: S608  # as above
        f"SELECT {row}.broadcast_id, {row}.status, coalesce({row}.reason, ''), coalesce({row}.error_code, ''), "
        f"{_sender_of(row)}, 0, {people} WHERE {row}.inbound_id = 0 AND {row}.status <> 0 "
        f"ON CONFLICT ({_KEY}, shard) DO UPDATE SET people = people + excluded.people;"
    )


_SQLITE = (
    "DROP TRIGGER delivery_counted_in",
    "DROP TRIGGER delivery_counted_on",
    (
        f"CREATE TRIGGER delivery_counted_in AFTER INSERT ON delivery WHEN new.status <> 0 "
        f"BEGIN {_sqlite_count('new', 1)} END"
    ),
    (
        f"CREATE TRIGGER delivery_counted_on AFTER UPDATE OF status, reason, error_code ON delivery "
        f"WHEN {_ANYTHING_ELSE} BEGIN {_sqlite_count('old', -1)} {_sqlite_count('new', 1)} END"
    ),
)


def _new_tally() -> None:
    op.create_table(
        "delivery_tally",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("error_code", sa.String(length=20), nullable=False),
        sa.Column("sender_id", _BIG, server_default="0", nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "broadcast_id",
            "status",
            "reason",
            "error_code",
            "sender_id",
            "shard",
            name=op.f("pk_delivery_tally"),
        ),
    )


def _carry_over() -> None:
    """Count anew by sender what did not go out of the first alone; the rest, also of rows long gone, is the first's."""
    op.execute(
        f"INSERT INTO delivery_tally ({_KEY}, shard, people) "  # noqa: S608  # as above
        f"SELECT d.broadcast_id, d.status, coalesce(d.reason, ''), coalesce(d.error_code, ''), {_sender_of('d')}, "
        "0, count(*) FROM delivery d WHERE d.inbound_id = 0 AND d.status <> 0 AND d.broadcast_id IN "
        "(SELECT s.broadcast_id FROM slice s JOIN broadcast b ON b.id = s.broadcast_id "
        "WHERE s.sender_id <> b.sender_id) "
        "GROUP BY 1, 2, 3, 4, 5"
    )
    op.execute(
        f"INSERT INTO delivery_tally ({_KEY}, shard, people) "  # noqa: S608  # as above
        "SELECT o.broadcast_id, o.status, o.reason, o.error_code, coalesce((SELECT b.sender_id FROM broadcast b "
        "WHERE b.id = o.broadcast_id), 0), -1, o.people - coalesce((SELECT sum(n.people) FROM delivery_tally n "
        "WHERE n.broadcast_id = o.broadcast_id AND n.status = o.status AND n.reason = o.reason "
        "AND n.error_code = o.error_code), 0) "
        f"FROM (SELECT {_COUNTED}, sum(people) AS people FROM old_tally GROUP BY {_COUNTED}) o"
    )
    op.execute("DELETE FROM delivery_tally WHERE people = 0")


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    op.rename_table("delivery_tally", "old_tally")
    if postgres:
        op.execute("ALTER TABLE old_tally RENAME CONSTRAINT pk_delivery_tally TO pk_old_tally")
    _new_tally()
    _carry_over()
    for statement in (_POSTGRES,) if postgres else _SQLITE:
        op.execute(statement)
    op.drop_table("old_tally")
    op.add_column("sender", sa.Column("price_micros", _BIG, nullable=True))
    op.add_column("sender", sa.Column("currency", sa.String(length=3), nullable=True))
    op.add_column(
        "broadcast_list", sa.Column("clicks", sa.String(length=6), server_default="off", nullable=False)
    )
    op.add_column("broadcast_list", sa.Column("links_begin", sa.String(length=300), nullable=True))
    _clicks()
    _figures()


def _clicks() -> None:
    op.create_table(
        "short_link",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("begins", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_short_link_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_short_link")),
    )
    op.create_index(op.f("ix_short_link_broadcast_id"), "short_link", ["broadcast_id"])
    op.create_table(
        "click_hour",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.Column("programs", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["code"], ["short_link.code"], name=op.f("fk_click_hour_code_short_link")),
        sa.PrimaryKeyConstraint("code", "hour", name=op.f("pk_click_hour")),
    )
    op.create_table(
        "person_click",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("first_at", _MOMENT, nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["short_link.code"], name=op.f("fk_person_click_code_short_link")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_person_click_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("code", "subscriber_id", name=op.f("pk_person_click")),
    )
    op.create_index("ix_person_click_subscriber_id", "person_click", ["subscriber_id"])
    op.create_index("ix_person_click_last_at", "person_click", ["last_at"])


def _figures() -> None:
    op.create_table(
        "figure_mark",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("upto", _BIG, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_figure_mark")),
    )
    op.create_table(
        "list_day",
        sa.Column("list_id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("act", sa.String(length=30), nullable=False),
        sa.Column("tag", sa.String(length=30), nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("list_id", "day", "kind", "channel", "act", "tag", name=op.f("pk_list_day")),
    )
    op.create_index("ix_list_day_day", "list_day", ["day"])
    op.create_table(
        "broadcast_hour",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "kind", "hour", name=op.f("pk_broadcast_hour")),
    )
    op.create_table(
        "broadcast_total",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "kind", name=op.f("pk_broadcast_total")),
    )
    op.create_table(
        "word_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("texts", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", "sender_id", "outcome", "rule", name=op.f("pk_word_day")),
    )


def downgrade() -> None:
    for table in (
        "word_day",
        "broadcast_total",
        "broadcast_hour",
        "list_day",
        "figure_mark",
        "person_click",
        "click_hour",
        "short_link",
    ):
        op.drop_table(table)
    for table, column in _COLUMNS:
        op.drop_column(table, column)
    postgres = op.get_bind().dialect.name == "postgresql"
    for name in ("delivery_counted_in", "delivery_counted_on"):
        op.execute(f"DROP TRIGGER {name} ON delivery" if postgres else f"DROP TRIGGER {name}")
    if postgres:
        op.execute("DROP FUNCTION count_deliveries()")
    op.execute(
        f"CREATE TABLE kept AS SELECT {_COUNTED}, sum(people) AS people FROM delivery_tally "  # noqa: S608  # as above
        f"GROUP BY {_COUNTED}"
    )
    op.drop_table("delivery_tally")
    context.script.get_revision("0015").module.upgrade()
    # That counted the deliveries which are there; we know of those that are gone, too.
    op.execute("DELETE FROM delivery_tally")
    op.execute(
        f"INSERT INTO delivery_tally ({_COUNTED}, shard, people) "  # noqa: S608  # as above
        f"SELECT {_COUNTED}, 0, people FROM kept WHERE people <> 0"
    )
    op.drop_table("kept")
