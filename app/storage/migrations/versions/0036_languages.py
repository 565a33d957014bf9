"""Other words of a broadcast for a language, on one channel or on all."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_KEY = "pk_broadcast_variant"


def upgrade() -> None:
    with op.batch_alter_table("broadcast_variant") as batch:
        batch.add_column(sa.Column("language", sa.String(length=8), nullable=False, server_default=""))
        batch.drop_constraint(_KEY, type_="primary")
        batch.create_primary_key(_KEY, ["broadcast_id", "channel", "language"])
    with op.batch_alter_table("broadcast_variant") as batch:
        batch.alter_column("language", existing_type=sa.String(length=8), server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM broadcast_variant WHERE language <> ''")
    with op.batch_alter_table("broadcast_variant") as batch:
        batch.drop_constraint(_KEY, type_="primary")
        batch.drop_column("language")
        batch.create_primary_key(_KEY, ["broadcast_id", "channel"])
