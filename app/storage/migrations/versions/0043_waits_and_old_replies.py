"""What retention finds old deliveries of answers by; and until when a provider wants to hear nothing of a sender."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
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
    op.add_column("sender", sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sender") as table:
        table.drop_column("rests_until")
    op.drop_index("ix_delivery_answered_at", table_name="delivery")
