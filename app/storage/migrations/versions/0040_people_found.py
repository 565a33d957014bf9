"""People are found by the last digits of their number, and by their town, among millions (PostgreSQL)."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":  # SQLite is for trial, where few are looked through
        return
    op.create_index(
        "ix_subscriber_tail", "subscriber", [sa.text("substr(address, length(address) - 3)"), "id"]
    )
    op.create_index(
        "ix_subscriber_place",
        "subscriber",
        [sa.text("(attributes ->> 'city')"), "id"],
        postgresql_where=sa.text("attributes ->> 'city' IS NOT NULL"),
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_index("ix_subscriber_place", table_name="subscriber")
    op.drop_index("ix_subscriber_tail", table_name="subscriber")
