"""A broadcast to everybody but a saved segment; a list whose consents are being ended."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("broadcast") as table:
        table.add_column(sa.Column("segment_but", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("broadcast_list") as table:
        table.add_column(sa.Column("closing_by", sa.String(length=120), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("broadcast_list") as table:
        table.drop_column("closing_by")
    with op.batch_alter_table("broadcast") as table:
        table.drop_column("segment_but")
