"""Ids of other providers: WhatsApp's have more than 64 characters."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COLUMNS = (("delivery", "provider_id", True), ("inbound_message", "external_id", False))


def upgrade() -> None:
    _resize(64, 200)


def downgrade() -> None:
    _resize(200, 64)


def _resize(before: int, after: int) -> None:
    """PostgreSQL rewrites nothing for a longer VARCHAR; SQLite, which keeps no lengths, copies the table."""
    for table, column, nullable in _COLUMNS:
        with op.batch_alter_table(table) as batch:
            batch.alter_column(
                column, existing_type=sa.String(before), type_=sa.String(after), existing_nullable=nullable
            )
