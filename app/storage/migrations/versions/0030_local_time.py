"""The time of a broadcast on each person's own clock."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("local_at", sa.DateTime(timezone=False), nullable=True))


def downgrade() -> None:
    op.drop_column("broadcast", "local_at")
