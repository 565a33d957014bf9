"""Buttons of broadcasts, templates for each of them, and what people answered."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "broadcast_rich",
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("content", sa.JSON(), nullable=True),
        sa.Column("template", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_rich_broadcast_id_broadcast")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "channel", name=op.f("pk_broadcast_rich")),
    )
    op.create_table(
        "broadcast_answer",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("broadcast_id", _BIG, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("inbound_id", _BIG, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_answer_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_broadcast_answer_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_answer")),
        sa.UniqueConstraint(
            "broadcast_id", "subscriber_id", name=op.f("uq_broadcast_answer_broadcast_id_subscriber_id")
        ),
    )
    op.create_index("ix_broadcast_answer_subscriber_id", "broadcast_answer", ["subscriber_id"])
    op.add_column("inbox_message", sa.Column("buttons", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("inbox_message", "buttons")
    op.drop_table("broadcast_answer")
    op.drop_table("broadcast_rich")
