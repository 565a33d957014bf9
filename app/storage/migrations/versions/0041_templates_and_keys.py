"""Templates: each name once. Accounts: whether the keys of the desk work."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_IS_ONE = sa.text("state = 'template'")


def upgrade() -> None:
    op.add_column(
        "user_account", sa.Column("shortcuts", sa.Boolean(), nullable=False, server_default=sa.true())
    )
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
    op.drop_column("user_account", "shortcuts")
