"""A platform's token, by which the answer to a message may go, is kept beside the message while the answer waits."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_message", sa.Column("reply_token", sa.String(300), nullable=True))


def downgrade() -> None:
    op.drop_column("inbound_message", "reply_token")
