"""The privacy page that a notice led to, so that a receipt names the policy of its day and not today's."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("policy_url", sa.String(300), nullable=True))


def downgrade() -> None:
    raise RuntimeError("Which policy was in force is evidence, and is not dropped.")
