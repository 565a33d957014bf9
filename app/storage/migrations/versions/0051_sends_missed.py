"""A list may send what was missed to whoever writes, on channels that are closed until they do."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "broadcast_list", sa.Column("sends_missed", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("broadcast_list", "sends_missed")
