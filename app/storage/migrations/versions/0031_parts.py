"""How many parts an SMS of a broadcast has, as it was measured when it was scheduled."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("sms_parts", sa.SmallInteger(), nullable=True))
    op.add_column("broadcast", sa.Column("sms_parts_elsewhere", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("broadcast", "sms_parts_elsewhere")
    op.drop_column("broadcast", "sms_parts")
