"""What providers tell of how much a sender may still send."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sender_allowance",
        sa.Column("sender_id", _BIG, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("span", sa.String(12), nullable=False),
        sa.Column("most", _BIG, nullable=True),
        sa.Column("used", _BIG, nullable=True),
        sa.Column("zone", sa.String(60), nullable=False),
        sa.Column("standing", sa.String(10), nullable=False),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["sender_id"],
            ["sender.id"],
            name=op.f("fk_sender_allowance_sender_id_sender"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_sender_allowance")),
    )


def downgrade() -> None:
    op.drop_table("sender_allowance")
