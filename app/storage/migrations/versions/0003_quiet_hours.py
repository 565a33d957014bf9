"""Quiet hours and the frequency cap: where people may be, lists for any hour, broadcasts over the cap.

Subscribers get their groups afterwards, from the clock or when a broadcast comes to them first
(`services/hold_back.py`), so this is quick however many there are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "quiet_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiet_group")),
        sa.UniqueConstraint("key", name=op.f("uq_quiet_group_key")),
    )
    op.add_column("subscriber", sa.Column("quiet_group_id", sa.Integer(), nullable=True))
    op.add_column("broadcast_list", sa.Column("any_hour_reason", sa.String(length=300), nullable=True))
    op.add_column("broadcast", sa.Column("over_cap_reason", sa.String(length=300), nullable=True))
    op.create_index(
        "ix_subscriber_ungrouped",
        "subscriber",
        ["id"],
        unique=False,
        postgresql_where=sa.text("quiet_group_id IS NULL"),
        sqlite_where=sa.text("quiet_group_id IS NULL"),
    )
    op.create_index("ix_broadcast_finished_at", "broadcast", ["finished_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_broadcast_finished_at", table_name="broadcast")
    op.drop_index("ix_subscriber_ungrouped", table_name="subscriber")
    op.drop_column("broadcast", "over_cap_reason")
    op.drop_column("broadcast_list", "any_hour_reason")
    op.drop_column("subscriber", "quiet_group_id")
    op.drop_table("quiet_group")
