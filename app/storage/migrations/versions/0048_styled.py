"""Whether marks in a broadcast's words style them: in those written from now on, and in drafts, which are looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("styled", sa.Boolean(), nullable=False, server_default=sa.false()))
    # What somebody said yes to, and what a rule repeats, go on as they are.
    op.execute(
        "UPDATE broadcast SET styled = TRUE WHERE state = 'draft' AND approved_by IS NULL"
        " AND id NOT IN (SELECT template_id FROM repeat_rule)"
    )


def downgrade() -> None:
    op.drop_column("broadcast", "styled")
