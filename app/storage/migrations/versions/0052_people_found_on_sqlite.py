"""People are found by the last digits of their number, and by their town, on SQLite too (PostgreSQL: 0040)."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    tail, town = sa.text("substr(address, length(address) - 3)"), "json_extract(attributes, '$.city')"
    op.create_index("ix_subscriber_tail", "subscriber", [tail, "id"])
    op.create_index(
        "ix_subscriber_town",
        "subscriber",
        [sa.text(town), "id"],
        sqlite_where=sa.text(f"{town} IS NOT NULL"),
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("ix_subscriber_town", table_name="subscriber")
    op.drop_index("ix_subscriber_tail", table_name="subscriber")
