"""Questions, pauses and staleness of subscriptions; review holds and erasure of subscribers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_SUBSCRIBER = ("erased_at", "review_opened_at", "review_due_at", "last_stop_at")
_SUBSCRIPTION: dict[str, Any] = {
    "active_seq": _BIG,
    "stopped_act": sa.String(length=20),
    "requested_seq": _BIG,
    "requested_at": _MOMENT,
    "expires_at": _MOMENT,
    "paused_until": _MOMENT,
    "check_use_at": _MOMENT,
}
_INDEXES = {
    "subscriber": ("review_due_at",),
    "subscription": ("expires_at", "paused_until", "check_use_at"),
}


def upgrade() -> None:
    for name in _SUBSCRIBER:
        op.add_column("subscriber", sa.Column(name, _MOMENT))
    for name, kind in _SUBSCRIPTION.items():
        op.add_column("subscription", sa.Column(name, kind))
    for table, columns in _INDEXES.items():
        for column in columns:
            _index_where_set(table, column)
    _fill()


def _fill() -> None:
    """Whoever is subscribed has been so since the grant; `tidings consent rebuild` computes the rest."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    in_two_years = "datetime(granted_at, '+730 days')" if sqlite else "granted_at + interval '730 days'"
    values = f"active_seq = granted_seq, check_use_at = {in_two_years}"
    op.execute("UPDATE subscription SET " + values + " WHERE state = 'active'")  # noqa: S608  # no outside words


def _index_where_set(table: str, column: str) -> None:
    condition = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        f"ix_{table}_{column}", table, [column], postgresql_where=condition, sqlite_where=condition
    )


def downgrade() -> None:
    for table, columns in _INDEXES.items():
        for column in columns:
            op.drop_index(f"ix_{table}_{column}", table_name=table)
    for name in _SUBSCRIPTION:
        op.drop_column("subscription", name)
    for name in _SUBSCRIBER:
        op.drop_column("subscriber", name)
