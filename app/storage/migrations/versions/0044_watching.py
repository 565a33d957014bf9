"""How fast broadcasts went, minute by minute, and how many opened them."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broadcast_minute",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("minute", _MOMENT, nullable=False),
        sa.Column("handed_over", _BIG, nullable=False),
        sa.Column("failed", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "minute", name=op.f("pk_broadcast_minute")),
    )
    op.create_index("ix_broadcast_minute_minute", "broadcast_minute", ["minute"])
    op.create_table(
        "delivery_read",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "subscriber_id", name=op.f("pk_delivery_read")),
    )
    op.create_index("ix_delivery_read_at", "delivery_read", ["at"])
    op.create_index("ix_delivery_read_subscriber_id", "delivery_read", ["subscriber_id"])
    op.create_table(
        "read_tally",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("broadcast_id", "sender_id", name=op.f("pk_read_tally")),
    )


def downgrade() -> None:
    op.drop_table("read_tally")
    op.drop_table("delivery_read")
    op.drop_table("broadcast_minute")
