"""How many messages a correction changed where they stand, counted when it ends: a person may be erased afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("changed_in_place", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("broadcast", "changed_in_place")
