"""An index by which retention finds the oldest deliveries of answers; those of broadcasts are not in it."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0037"
branch_labels = None
depends_on = None

_ANSWERS = sa.text("slice IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_delivery_answered_at",
        "delivery",
        ["updated_at"],
        postgresql_where=_ANSWERS,
        sqlite_where=_ANSWERS,
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_answered_at", table_name="delivery")
