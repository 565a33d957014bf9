"""What the page of a list counts those by who are not on it now: those who left, paused or have not answered."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

NAME = "ix_subscription_not_active"
WHERE = sa.text("state <> 'active'")


def upgrade() -> None:
    op.create_index(NAME, "subscription", ["list_id", "state"], postgresql_where=WHERE, sqlite_where=WHERE)


def downgrade() -> None:
    op.drop_index(NAME, "subscription")
