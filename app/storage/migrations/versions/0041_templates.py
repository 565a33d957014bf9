"""Templates: each name once."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0037"
branch_labels = None
depends_on = None

_IS_ONE = sa.text("state = 'template'")


def upgrade() -> None:
    op.create_index(
        "uq_broadcast_template_title",
        "broadcast",
        ["title"],
        unique=True,
        postgresql_where=_IS_ONE,
        sqlite_where=_IS_ONE,
    )


def downgrade() -> None:
    op.drop_index("uq_broadcast_template_title", table_name="broadcast")
