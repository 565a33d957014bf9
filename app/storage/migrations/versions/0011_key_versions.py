"""Which master key a person's data key is wrapped under, so that a rotation knows what is left to do."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "subject", sa.Column("key_version", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )


def downgrade() -> None:
    raise RuntimeError("A version of a key is evidence of which key opens what, and is not dropped.")
