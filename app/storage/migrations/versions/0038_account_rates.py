"""Limits of accounts: which account a sender belongs to, and how fast all of its senders go together."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_rate",
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_account_rate")),
    )
    op.add_column("sender", sa.Column("account", sa.String(length=120), nullable=True))


def downgrade() -> None:
    op.drop_column("sender", "account")
    op.drop_table("account_rate")
