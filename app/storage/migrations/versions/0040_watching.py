"""How fast broadcasts went, minute by minute."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0037"
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


def downgrade() -> None:
    op.drop_table("broadcast_minute")
