"""How far a slice was handed over, for whoever comes after a worker that is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Before, a delivery on its way was marked in its own row; nobody will come back for those.
    op.execute("UPDATE delivery SET status = 5, reason = 'worker_died' WHERE status = 1 AND inbound_id = 0")
    op.add_column(
        "slice", sa.Column("reached", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.add_column("slice", sa.Column("reached_epoch", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("slice") as batch:
        batch.drop_column("reached_epoch")
        batch.drop_column("reached")
