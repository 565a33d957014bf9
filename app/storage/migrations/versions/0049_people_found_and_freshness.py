"""People are found by number and town by an index on SQLite too, and a list says how long its news is fresh."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "broadcast_list", sa.Column("fresh_minutes", sa.Integer(), nullable=False, server_default="120")
    )
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
    op.drop_column("broadcast_list", "fresh_minutes")
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("ix_subscriber_town", table_name="subscriber")
    op.drop_index("ix_subscriber_tail", table_name="subscriber")
