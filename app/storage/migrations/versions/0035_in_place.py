"""Corrections that change messages where they stand."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("in_place", sa.String(length=6), nullable=True))
    op.add_column("inbox_message", sa.Column("edited_by", _BIG, nullable=True))
    op.add_column("inbox_message", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("inbox_message", "edited_at")
    op.drop_column("inbox_message", "edited_by")
    op.drop_column("broadcast", "in_place")
