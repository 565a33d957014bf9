"""First waves and brakes of broadcasts, and what becomes of deliveries that nobody knows about."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNKNOWN = "status = 5"


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("first_percent", sa.SmallInteger(), nullable=True))
    op.add_column("broadcast", sa.Column("rest_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("broadcast", sa.Column("brake_base", sa.JSON(), nullable=True))
    op.add_column(
        "broadcast_list", sa.Column("on_unknown", sa.String(8), nullable=False, server_default="hold")
    )
    op.create_index(
        "ix_delivery_unknown",
        "delivery",
        ["broadcast_id"],
        postgresql_where=sa.text(_UNKNOWN),
        sqlite_where=sa.text(_UNKNOWN),
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_unknown", "delivery")
    op.drop_column("broadcast_list", "on_unknown")
    for name in ("brake_base", "rest_at", "first_percent"):
        op.drop_column("broadcast", name)
