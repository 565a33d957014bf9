"""The time of a broadcast on each person's own clock, and a name of our own for a feed."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("local_at", sa.DateTime(timezone=False), nullable=True))
    op.add_column("feed", sa.Column("name", sa.String(length=200), nullable=True))


def downgrade() -> None:
    op.drop_column("feed", "name")
    op.drop_column("broadcast", "local_at")
