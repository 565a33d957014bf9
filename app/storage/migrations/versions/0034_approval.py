"""A second person for what goes to a list that asks for one."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COLUMNS: tuple[tuple[str, sa.Column[Any]], ...] = (
    ("broadcast", sa.Column("approval_asked_by", sa.String(120), nullable=True)),
    ("broadcast", sa.Column("approval_asked_at", _MOMENT, nullable=True)),
    ("broadcast", sa.Column("approved_by", sa.String(120), nullable=True)),
    ("broadcast", sa.Column("approved_at", _MOMENT, nullable=True)),
    ("story", sa.Column("saved_by", sa.String(120), nullable=True)),
    ("story", sa.Column("approved_by", sa.String(120), nullable=True)),
    ("broadcast_list", sa.Column("approval", sa.Boolean(), nullable=False, server_default=sa.false())),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)


def downgrade() -> None:
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
