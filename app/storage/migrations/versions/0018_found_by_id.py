"""Find a delivery by the provider's id, for gateways whose receipts bring back nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_OURS = "substr(provider_id, 1, 1) = '#'"


def upgrade() -> None:
    op.create_index(
        "ix_delivery_provider_id",
        "delivery",
        ["provider_id"],
        postgresql_where=sa.text(_OURS),
        sqlite_where=sa.text(_OURS),
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_provider_id", table_name="delivery")
